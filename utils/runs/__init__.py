"""Run folders: paths, parameters, state, table, curves.   python -m utils.runs"""

from utils import exports

__getattr__ = exports(
    __name__,
    {
        "folder": (
            "ROOT",
            "check_still_there",
            "continues",
            "describe",
            "is_locked",
            "locked",
            "make_run_folder",
            "newest_generator",
            "run_folder",
            "samples",
            "set_aside",
        ),
        "params": ("check_params", "collect_params", "read_params", "whole", "write_params"),
        "state": (
            "age",
            "best",
            "changed",
            "epochs_done",
            "is_run",
            "rank",
            "ranked",
            "read_losses",
            "read_scores",
            "run_status",
            "seconds_per_epoch",
            "tail",
        ),
        "table": ("find_run", "find_runs", "runs_table"),
        "curves": ("plot_convergence",),
        "comparison": ("compare",),
    },
)
