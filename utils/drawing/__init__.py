"""Seeds to latents, latents to images, images to pictures and films."""

from utils import exports

__getattr__ = exports(
    __name__,
    {
        "latents": (
            "draw",
            "draw_images",
            "draw_in_batches",
            "parse_seeds",
            "principal_directions",
            "seed_latents",
        ),
        "walks": ("along", "mix", "orbit", "walk"),
        "layout": ("Look", "enlarge", "label"),
        "films": ("write_film",),
        "provenance": ("Recipe", "digest", "find_generator", "read", "save_latents"),
    },
)
