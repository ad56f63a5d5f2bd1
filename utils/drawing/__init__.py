"""Seeds to latents, latents to images, images to pictures and films. No name here loads Keras."""

from utils import exports

__getattr__ = exports(
    __name__,
    {
        "latents": (
            "LatentGroups",
            "draw",
            "draw_images",
            "draw_in_batches",
            "latent_groups",
            "parse_seeds",
            "principal_directions",
            "seed_latents",
            "truncate",
        ),
        "walks": ("EASINGS", "PATHS", "film_latents", "mix", "orbit", "walk"),
        "layout": ("PAPERS", "RESAMPLINGS", "Layout", "enlarge", "label"),
        "provenance": (
            "LoadedGenerator",
            "Provenance",
            "find_original",
            "read_provenance",
        ),
        "chosen": ("Chosen",),
        "selection": ("Selection", "critic_scores"),
        "pictures": ("save_images", "save_mix", "save_zip"),
        "films": ("write_film",),
        "animations": ("FilmOptions", "save_history", "save_orbit", "save_walk"),
        "search": ("SEARCH_FILES", "save_search"),
    },
)
