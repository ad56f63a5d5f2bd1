"""`generator.h5` in and out: load, export, card, web page."""

from utils import exports

__getattr__ = exports(
    __name__,
    {
        "load": ("load_generator",),
        "export": ("export_generator", "format_of"),
        "card": ("write_card",),
        "web": ("write_site",),
    },
)
