"""`python -m utils.watch <run folder>`: serves the live page of one run."""

import os
from pathlib import Path

from utils import cli, runs
from utils.watch.server import Server


def main() -> None:
    """The command line of `python -m utils.watch`."""
    parser = cli.parser(
        "Shows a run while it trains, as a web page for this machine only.",
        "  python -m utils.watch run/gan/0001_output\n"
        "  python -m utils.watch run/gan/0001_output --port 8000",
    )
    parser.add_argument("run", help="the run folder")
    parser.add_argument(
        "--port", type=cli.whole(0, 65535), default=0, help="of this machine; 0 takes any free one"
    )
    cli.run(lambda arguments: _serve(arguments.run, arguments.port), parser.parse_args())


def _serve(folder: str | os.PathLike, port: int) -> None:
    """Serves until Ctrl-C."""
    folder = Path(folder)
    if not runs.is_run(folder):
        raise FileNotFoundError(
            f"{folder}: no run there; expected a run folder such as run/gan/0001_output"
        )
    with Server(folder, port) as server:
        print(
            f"{folder} is shown at {server.address} to this machine only; Ctrl-C ends it.",
            flush=True,
        )
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
