"""One's own pictures to a zip of squares and a report.   python -m utils.prepare"""

from utils import exports

__getattr__ = exports(
    __name__,
    {
        "dataset": ("prepare", "report_path"),
        "squares": ("CROPS", "Settings"),
        "findings": ("words",),
    },
)
