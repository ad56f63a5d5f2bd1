"""`python -m utils.runs`: all runs as a table, or two of them side by side as a picture."""

import argparse
from pathlib import Path

from utils import cli
from utils.runs.folder import ROOT
from utils.runs.table import find_run, find_runs, runs_table


def main() -> None:
    """The command line of `python -m utils.runs`."""
    lines = ("", "--root /content/drive/MyDrive/lines-wgan-gp/run/gan")
    lines += ("--compare 0001_output 0002_output --out compare.png",)
    examples = "\n".join(f"  python -m utils.runs {line}".rstrip() for line in lines)
    parser = cli.parser("Lists the runs, or puts two of them side by side.", examples)
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of all runs")
    parser.add_argument(
        "--compare", nargs=2, metavar=("A", "B"), help="two runs, by name or folder, as a picture"
    )
    parser.add_argument("--out", type=cli.png, default="compare.png", help="that picture")
    cli.run(_show, parser.parse_args())


def _show(arguments: argparse.Namespace) -> None:
    if not arguments.compare:
        print(runs_table(find_runs(arguments.root)))
        return
    folders = [find_run(name, arguments.root) for name in arguments.compare]
    from utils.runs.comparison import compare

    compare(*folders, arguments.out)
    print(arguments.out)


if __name__ == "__main__":
    main()
