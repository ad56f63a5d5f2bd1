"""What only notebooks need: Colab, sliders."""

from utils import exports

__getattr__ = exports(
    __name__,
    {
        "colab": (
            "find_generator",
            "find_picture",
            "find_root",
            "show_page",
            "take_home",
        ),
        "sliders": ("explorer",),
        "views": ("batch_picture", "show_convergence", "show_run", "show_samples"),
    },
)
