"""Zip or folder to decoded pixels: which files are pictures, opening them, images by index."""

from utils import exports

__getattr__ = exports(
    __name__,
    {
        "decoding": (
            "MAX_PIXELS",
            "SUFFIXES",
            "GreyRange",
            "check_pixels",
            "flatten",
            "is_deep",
            "open_picture",
            "orientation",
            "to_rgb",
            "why_undecodable",
        ),
        "files": ("RULES", "ImageFiles", "OneFile", "read_file", "rules_of"),
        "pixels": ("FINER", "ArraySource", "ImageSource"),
    },
)
