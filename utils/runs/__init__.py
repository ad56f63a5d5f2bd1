"""Run folders: paths, parameters, options, state, table, curves.   python -m utils.runs"""

from utils import exports

__getattr__ = exports(
    __name__,
    {
        "folder": (
            "ROOT",
            "SHIPPED",
            "check_still_there",
            "data_rules",
            "find_critic",
            "find_generators",
            "find_samples",
            "locked",
            "make_run_folder",
            "newest_generator",
            "run_folder",
            "sample_path",
            "set_aside",
        ),
        "origin": ("Origin", "find_origin"),
        "params": (
            "check_params",
            "collect_params",
            "positive_int",
            "read_params",
            "read_start",
            "write_params",
        ),
        "state": (
            "CRITIC_SCORES",
            "best_scores",
            "epochs_done",
            "find_scores",
            "is_run",
            "last_lines",
            "modified_time",
            "rank",
            "ranking",
            "read_scores",
            "run_status",
            "shown_scores",
            "seconds_per_epoch",
            "seconds_since_last_epoch",
        ),
        "command": ("as_typed", "named_options", "read_command"),
        "curves": ("plot_convergence",),
        "ending": ("remove_end", "write_end"),
        "gap": ("describe_lost", "lost_chance_of_run", "lost_line"),
        "comparison": ("compare",),
    },
)
