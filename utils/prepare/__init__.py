"""Makes a data set of one's own pictures: squares and a report.   python -m utils.prepare"""

from utils import exports

__getattr__ = exports(
    __name__,
    {
        "dataset": ("prepare", "report_path"),
        "squares": ("Settings",),
        "findings": ("summary",),
    },
)
