"""Seeds to latents, latents to images, images to pictures and films. No name here loads Keras."""

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
        "walks": ("EASINGS", "PATHS", "film_latents", "mix", "orbit", "walk"),
        "layout": ("PAPERS", "RESAMPLINGS", "Layout", "enlarge", "label"),
        "provenance": (
            "LoadedGenerator",
            "Provenance",
            "find_original",
            "read_provenance",
        ),
        "selection": ("Selection",),
        "pictures": ("save_images", "save_mix"),
        "films": ("write_film",),
        "animations": ("FilmOptions", "save_history", "save_orbit", "save_walk"),
        "search": ("save_search",),
    },
)
