"""`generator.h5` in and out: open it and its critic, export it with a card, put it on a page."""

from utils import exports

__getattr__ = exports(
    __name__,
    {
        "load": ("load_critic", "load_generator"),
        "layers": ("portable_config",),
        "export": ("FORMATS", "export_files", "export_generator", "format_of", "megabytes"),
        "card": ("export_with_card", "write_card"),
        "web": ("write_site",),
    },
)
