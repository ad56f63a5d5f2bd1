"""`python -m utils.watch <run folder>`: a page on this machine that shows a run as it goes on."""

import argparse
from pathlib import Path

from utils import cli, runs
from utils.watch.server import Server


def main() -> None:
    """The command line."""
    examples = "  python -m utils.watch run/gan/0001_output\n"
    examples += "  python -m utils.watch run/gan/0001_output --port 8000"
    parser = cli.parser("Shows a run while it goes on, as a page on this machine.", examples)
    parser.add_argument("run", help="the run folder")
    parser.add_argument(
        "--port", type=cli.whole(0, 65535), default=0, help="of this machine; 0: any that is free"
    )
    cli.run(_serve, parser.parse_args())


def _serve(arguments: argparse.Namespace) -> None:
    folder = Path(arguments.run)
    if not runs.is_run(folder):
        raise FileNotFoundError(
            f"{folder}: no run there; expected a run folder such as run/gan/0001_output"
        )
    with Server(folder, arguments.port) as server:
        words = f"{folder} is shown at {server.address} to this machine alone; Ctrl-C ends it."
        print(words, flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
