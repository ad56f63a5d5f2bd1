"""`python -m utils.watch <run folder>`: serves the live page of one run."""

import getpass
import ipaddress
import os
import socket
import sys
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
        print(f"{folder} is shown at {server.address} to this machine only; Ctrl-C ends it.")
        if tunnel := ssh_tunnel(server.server_port, os.environ.get("SSH_CONNECTION", "")):
            print(f"From your own computer: {tunnel}   and then open the same address there.")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


def ssh_tunnel(port: int, connection: str) -> str:
    """The command that shows the page on the computer that an SSH session came from.

    Args:
        port: of the page, on this machine; the same is taken there.
        connection: `SSH_CONNECTION`: client, its port, this machine, its port; empty without SSH.

    Returns:
        the command; empty without SSH.
    """
    if not connection:
        return ""
    try:
        _, _, address, ssh_port = connection.split()
        host, ssh_port = str(ipaddress.ip_address(address)), int(ssh_port)
    except ValueError:
        host, ssh_port = socket.gethostname(), 22
    other = "" if ssh_port == 22 else f"-p {ssh_port} "
    return f"ssh {other}-N -L {port}:127.0.0.1:{port} {getpass.getuser()}@{host}"


if __name__ == "__main__":
    main()
