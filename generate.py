"""What one can do with a trained generator.h5."""

from utils import cli
from utils.commands import again, export, films, images, nearest, search, web


def project(*arguments):
    """The search, from a room that `utils` does not know; it loads the framework when called."""
    from models.search import project

    return project(*arguments)


parser = cli.parser(
    __doc__,
    "  python generate.py images --generator run/gan/0001_output/generator.h5 --seeds 0-24\n"
    "  python generate.py walk --seeds 3,8,12 --loop --out new/walk.gif\n"
    "  python generate.py images --help        every command has examples of its own",
)
commands = parser.add_subparsers(dest="command", title="commands", metavar="command")
images.add(commands)
nearest.add(commands)
again.add(commands)
films.add(commands)
search.add(commands, project)
export.add(commands)
web.add(commands)


def main(arguments):
    """Calls the command, or lists all where none is given."""
    return arguments.main(arguments) if arguments.command else parser.print_help()


if __name__ == "__main__":
    cli.run(main, parser.parse_args())
