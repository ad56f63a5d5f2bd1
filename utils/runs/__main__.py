"""`python -m utils.runs`: lists the runs, or draws a picture that compares two of them."""

import argparse
import shutil
from pathlib import Path

from utils import cli
from utils.files import check_free
from utils.runs.folder import ROOT
from utils.runs.table import WIDTH, find_run, find_runs, runs_table


def main() -> None:
    """The command line of `python -m utils.runs`."""
    parser = cli.parser(
        "Lists the runs, or compares two of them in a picture.",
        "  python -m utils.runs\n"
        "  python -m utils.runs --root /content/drive/MyDrive/lines-wgan-gp/run/gan\n"
        "  python -m utils.runs --compare 0001_output 0002_output --out compare.png",
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of the run folders")
    parser.add_argument(
        "--compare", nargs=2, metavar=("A", "B"), help="draw two runs, given by name or folder"
    )
    parser.add_argument(
        "--out", type=cli.png, default="compare.png", help="the picture of --compare"
    )
    cli.add_overwrite(parser)
    cli.run(_show, parser.parse_args())


def _show(arguments: argparse.Namespace) -> None:
    if not arguments.compare:
        width = max(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)
        print(runs_table(find_runs(arguments.root), width))
        return
    check_free(arguments.out, overwrite=arguments.overwrite)
    folders = [find_run(name, arguments.root) for name in arguments.compare]
    from utils.runs.comparison import compare  # here: it loads Matplotlib

    compare(*folders, arguments.out)
    print(arguments.out)


if __name__ == "__main__":
    main()
