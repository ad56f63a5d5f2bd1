"""What only notebooks need: Colab, one's own pictures, views, sliders."""

from utils import exports

__getattr__ = exports(
    __name__,
    {
        "colab": (
            "describe_device",
            "find_generator",
            "find_picture",
            "find_root",
            "show_page",
            "take_home",
        ),
        "pictures": ("own_pictures",),
        "sliders": ("explorer",),
        "views": ("batch_picture", "show_convergence", "show_run", "show_samples"),
    },
)
