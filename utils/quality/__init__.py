"""Images to figures: how far they are from a data set, and from its law where one is known."""

from utils import exports

__getattr__ = exports(
    __name__,
    {
        "similarity": ("ImageJudge", "diversity", "duplicates", "nearest", "sliced_wasserstein"),
        "evaluation": ("Evaluation", "evaluate", "evaluate_images"),
        "coverage": ("add_coverage", "evaluate_generator"),
        "data": ("learned_from",),
        "critic": ("CriticScores",),
        "scores": ("Scores", "score_line"),
        "words": ("sentences",),
        "report": ("draw_report", "figures_table", "write_json"),
    },
)
