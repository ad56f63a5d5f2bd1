"""An evaluation in words: three sentences, and a line for each measure."""

import numpy as np

from utils.messages import count
from utils.quality.evaluation import Evaluation

_WORDS = {
    "validity": "images that three lines explain but for 1 % of the pixels",
    "validity_002": "images that three lines explain but for 2 % of the pixels",
    "residual_median": "share of the pixels that no line explains, median of the images",
    "residual_p95": "share of the pixels that no line explains, 95th percentile",
    "structure": "images of one vertical and two horizontal lines from edge to edge",
    "straightness": "how far the edges of lines waver, pixels",
    "crossings": "crossings where the horizontal line is on top, as it should be",
    "colour_tv": "how far {lines} are from four equally frequent colours",
    "colour_chi2": "the same of {lines} as χ², which grows with the number of images",
    "position_ks": "how far {lines} are from evenly spread, at the worst place",
    "position_w1": "how far {lines} would move to be evenly spread, pixels",
    "independence_colours": "how much the vertical line's colour tells of the others'",
    "independence_colours_horizontal": "how much one horizontal line's colour tells of the other's",
    "independence_colour_position": "how much the colour of {lines} tells of their position",
    "independence_positions": "how much the vertical line's position tells of the others'",
    "coverage": "colours and positions that occur in {lines}, share of all",
    "novelty": "images that are not in the training set",
    "duplicates": "images that equal an earlier one",
    "texture": "distance of textures to the training images', where it has {size} pixels",
    "texture_mean": "distance of textures to the training images', mean of all sizes",
    "nearest_median": "distance to the nearest training image, median, of 255",
    "near_duplicates": "images that look like an earlier one",
    "diversity": "mean distance between two images, of 255",
    "projection_median": "error of the closest image found for a real one, median, of 255",
    "projection_p95": "error of the closest image found for a real one, 95th percentile",
}

_FAULTS = {
    "validity": (
        "Shapes are",
        "{value:.1%} of the drawings are three lines, and {real:.1%} of real ones",
    ),
    "structure": (
        "Shapes are",
        "{value:.1%} of the drawings have lines from edge to edge, and {real:.1%} of real ones",
    ),
    "straightness": (
        "Shapes are",
        "edges waver by {value:.2f} pixels, and by {real:.2f} in real drawings",
    ),
    "crossings": (
        "Shapes are",
        "the horizontal line is on top at {value:.1%} of crossings, and at {real:.1%} of real ones",
    ),
    "colour_tv": (
        "Colours are",
        "{share:.0%} of the {lines} lines are {colour}, instead of {law:.0%}",
    ),
    "independence_colours": ("Colours are", "lines of one drawing have related colours"),
    "position_ks": ("Positions are", "the {lines} lines are not evenly spread"),
    "independence_positions": ("Positions are", "lines of one drawing have related positions"),
    "independence_colour_position": (
        "Positions are",
        "the colour of {lines} lines tells where they are",
    ),
    "duplicates": (
        "Variety is",
        "{value:.1%} of the drawings equal an earlier one, and {real:.1%} of real ones",
    ),
    "near_duplicates": (
        "Variety is",
        "{value:.1%} of the images look like an earlier one, and {real:.1%} of real ones",
    ),
    "diversity": (
        "Variety is",
        "two images differ by {value:.0f} of 255, and two real ones by {real:.0f}",
    ),
    "coverage": (
        "Variety is",
        "{value:.0%} of all colours and positions occur in {lines} lines, {real:.0%} in real ones",
    ),
    "novelty": ("Copying is", "{value:.1%} of the drawings are new, and {real:.1%} of real ones"),
    "nearest_median": (
        "Copying is",
        "the nearest training image is {value:.0f} of 255 away, and {real:.0f} from real images",
    ),
    "texture_mean": (
        "Textures are",
        "they are {times:.1f} times as far from the training images' as those of other real images",
    ),
    "projection": (
        "Missing images are",
        "the closest image found is {value:.1f} of 255 off a real one, {real:.1f} off its own",
    ),
}
"""What a measure says when it is the largest fault, by the beginning of its name."""


def words(measure: str) -> str:
    """What a measure says, in words; empty for one of another judge."""
    if measure in _WORDS:
        return _WORDS[measure]
    stem, _, last = measure.rpartition("_")
    return _WORDS.get(stem, "").format(lines=f"{last} lines", size=last)


def sentences(evaluation: Evaluation) -> list[str]:
    """Three sentences: how many images are right, the largest fault, whether images are copies."""
    return [_how_many(evaluation), _largest_fault(evaluation), _copies(evaluation)]


def _how_many(evaluation):
    if "validity" in evaluation.measures:
        right = round(evaluation.measures["validity"] * evaluation.count)
        if right == 0:
            return f"None of {count(evaluation.count, 'drawing')} has the right three lines."
        if right == evaluation.count:
            return f"All {count(evaluation.count, 'drawing')} have the right three lines."
        verb = "has" if right == 1 else "have"
        return f"{right:,} of {count(evaluation.count, 'drawing')} {verb} the right three lines."
    measured, real = (of["texture_mean"] for of in (evaluation.measures, evaluation.real))
    if measured <= evaluation.high["texture_mean"] or real <= 0:
        return "The textures are as close to the training images' as those of other real images."
    return (
        f"The textures are {measured / real:.1f} times as far from the training images' as those "
        "of other real images."
    )


def _largest_fault(evaluation):
    """What the measure says that is worst, in units of its control."""
    faults = {
        name: excess(evaluation, name)
        for name in evaluation.measures
        if any(name.startswith(beginning) for beginning in _FAULTS)
    }
    worst = max(faults, key=faults.get)
    if not faults[worst]:
        return "No fault is larger than the differences between sets of real images."
    kind, text = next(
        _FAULTS[beginning]
        for beginning in sorted(_FAULTS, key=len, reverse=True)
        if worst.startswith(beginning)
    )
    value, real = evaluation.measures[worst], evaluation.real[worst]
    told = {"value": value, "real": real, "lines": worst.rpartition("_")[2]}
    if "{times" in text:
        told["times"] = value / real if real > 0 else np.inf
    if "{colour" in text:
        told |= _colour(*evaluation.histograms[f"colour, {told['lines']}"])
    return f"{kind} the largest fault: {text.format(**told)}."


def _colour(labels, counts):
    """The colour whose share is furthest from the law's."""
    shares, law = counts / counts.sum(), 1 / len(counts)
    furthest = np.abs(shares - law).argmax()
    return {"colour": labels[furthest], "share": shares[furthest], "law": law}


def excess(evaluation: Evaluation, name: str) -> float:
    """How far a measure is outside the band of real images: 1 is as far as its control.

    It is 0 within the band, at most 1, and 0 for what could not be measured.
    """
    value, control = evaluation.measures[name], evaluation.control[name]
    edge = float(np.clip(value, evaluation.low[name], evaluation.high[name]))
    if not np.isfinite(value) or value == edge:
        return 0.0
    reach = (control - edge) * np.sign(value - edge)  # below 0: on the other side
    return float(min(1, abs(value - edge) / reach)) if reach > 0 else 1e-9


def _copies(evaluation):
    if "novelty" in evaluation.measures:
        copies = round((1 - evaluation.measures["novelty"]) * evaluation.count)
        of, expected = evaluation.count, evaluation.within("novelty")
    else:
        copies, of, expected = evaluation.copies, evaluation.compared, False
        if not copies and evaluation.measures["nearest_median"] < evaluation.low["nearest_median"]:
            return "No image copies the training set, but images are closer to it than real ones."
    if not copies:
        return "No image copies the training set."
    verb = "is" if copies == 1 else "are"
    chance = ", no more than by chance" if expected else ""
    return f"{copies:,} of {count(of, 'image')} {verb} in the training set{chance}."


def in_digits(value: float) -> str:
    """A figure of the table: four digits, or a dash for what could not be measured."""
    return "–" if np.isnan(value) else f"{value:.4g}" if value >= 10 else f"{value:.4f}"
