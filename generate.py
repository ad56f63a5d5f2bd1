"""What one does with a trained generator.h5."""

from utils import cli
from utils.commands import export, films, images, search, web

parser = cli.parser(
    __doc__,
    "  python generate.py images --generator run/gan/0001_output/generator.h5 --seeds 0-24\n"
    "  python generate.py walk --seeds 3,8,12 --loop --out new/walk.gif\n"
    "  python generate.py images --help        every subcommand has examples of its own",
)
commands = parser.add_subparsers(dest="command", required=True)
for module in (images, films, search, export, web):
    module.add(commands)


def main(arguments):
    """Calls the subcommand."""
    return arguments.main(arguments)


if __name__ == "__main__":
    cli.run(main, parser.parse_args())
