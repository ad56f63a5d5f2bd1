"""Command lines: one line for every error that a person can mend, and signals."""

import argparse
import contextlib
import errno
import io
import os
import signal
import stat
import sys
import threading
from collections.abc import Callable, Iterator

from tqdm.auto import tqdm

from utils.messages import one_line

RANGES = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "bytes": (0.0, 255.0)}
"""The values of black and white in which networks give images, by the names of `--range`."""


def parser(description: str, examples: str) -> argparse.ArgumentParser:
    """An argument parser that shows defaults and examples, and knows `--debug`.

    What it refuses is one line too; parsers of subcommands are of the same class. From then on, a
    letter that a terminal or a file cannot show is a question mark, and no error.
    """
    sys.stdout, sys.stderr = _unbreakable(sys.stdout), _unbreakable(sys.stderr)
    made = _Parser(
        prog=program(),
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=Formatter,
    )
    made.set_defaults(debug=False)
    return made


def _unbreakable(stream):
    """A stream for which neither a letter nor a terminal that was closed is an error."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.reconfigure(errors="replace")
    try:
        is_terminal = os.name != "nt" and stat.S_ISCHR(os.fstat(stream.fileno()).st_mode)
    except OSError:  # some streams are no files
        return stream
    if not is_terminal:
        return stream
    stream.flush()
    raw = _Terminal(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, "replace", line_buffering=True)


class _Terminal(io.FileIO):
    """A terminal to which nothing is written any more once it was closed.

    The error would be raised before the signal that tells of it, and end a training unsaved.
    """

    def write(self, data):
        try:
            return super().write(data)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return len(data)


def program() -> str:
    """What a person typed to start this program: `train.py`, or `python -m utils.watch`."""
    module = getattr(sys.modules["__main__"], "__spec__", None)
    return (
        f"python -m {module.name.removesuffix('.__main__')}"
        if module
        else os.path.basename(sys.argv[0])
    )


class _Parser(argparse.ArgumentParser):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        # Without a default here: that of a subcommand would undo `--debug` before its name.
        self.add_argument(
            "--debug",
            action="store_true",
            default=argparse.SUPPRESS,
            help="show where an error came from",
        )

    def error(self, message: str):
        # argparse would print the usage first, which hides the line that matters.
        self.exit(
            2, f"{self.prog}: error: {one_line(message, _LONGEST)}; --help lists the options\n"
        )


class Formatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Help that shows defaults, where there are any, and keeps the line breaks of examples."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False:
            return action.help  # the text says what happens without the option
        return super()._get_help_string(action)


_LONGEST = 2000  # letters of a message


def whole(
    least: int = 1, most: int = 1 << 31, word: str | None = None
) -> Callable[[str], int | str]:
    """A type for `add_argument`: a whole number from `least` to `most`, or the `word`."""
    expected = f"a whole number from {least} to {most}" + (f" or {word}" if word else "")

    def convert(text: str) -> int | str:
        if text == word:
            return text
        try:
            number = int(text)
        except ValueError:
            number = None
        if number is None or not least <= number <= most:
            received = one_line(repr(text))
            raise argparse.ArgumentTypeError(f"expected {expected}, received {received}")
        return number

    return convert


def add_range(to: argparse.ArgumentParser) -> None:
    """Adds `--range`, a key of `RANGES`."""
    to.add_argument(
        "--range",
        choices=RANGES,
        help="of the images that the network gives, where its last layer does not tell: tanh -1 to "
        "1, sigmoid 0 to 1, bytes 0 to 255",
    )


def add_overwrite(to: argparse.ArgumentParser) -> None:
    """Adds `--overwrite`, see `utils.files.check_free`."""
    to.add_argument("--overwrite", action="store_true", help="replace files that are there already")


def png(text: str) -> str:
    """A type for `add_argument`: a file name that ends in .png."""
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(
            f"expected a file name that ends in .png, received {one_line(repr(text))}"
        )
    return text


def number(
    least: float = 0, most: float = float("inf"), above: bool = False
) -> Callable[[str], float]:
    """A type for `add_argument`: a number from `least` to `most`, and not infinite.

    With `above`, `least` itself is refused.
    """
    lower, upper = ("above", " and at most") if above else ("from", " to")
    bounds = f"{lower} {least:g}" + (f"{upper} {most:g}" if most < float("inf") else "")

    def convert(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        inside = least <= value <= most and not (above and value == least)
        if not inside or value == float("inf"):
            raise argparse.ArgumentTypeError(
                f"expected a number {bounds}, received {one_line(repr(text))}"
            )
        return value

    return convert


def run(main: Callable[[argparse.Namespace], int | None], arguments: argparse.Namespace) -> None:
    """Calls `main` and leaves the program: with 2 and one line where the input is at fault.

    SIGTERM and SIGHUP end it as Ctrl-C does, with 130, so that what `main` cleans up is cleaned up;
    so does SIGINT where a shell that runs programs in the background had it ignored. A second one
    ends what is being cleaned up.
    """
    stopped = False

    def end(number, frame):
        nonlocal stopped
        stopped = True
        _leave_terminal(number)
        raise KeyboardInterrupt

    numbers = _ending_signals()
    for number in numbers:
        signal.signal(number, end)
    try:
        sys.exit(main(arguments))
    except (KeyboardInterrupt, ValueError, OSError, FloatingPointError, MemoryError) as error:
        # Cleaning up after an interruption may raise another error in place of it.
        if stopped or isinstance(error, KeyboardInterrupt):
            for number in numbers:
                signal.signal(number, signal.SIG_IGN)
            print("\nstopped; files that were not finished are not there", file=sys.stderr)
            sys.exit(130)
        if arguments.debug:
            raise
        print(f"{program()}: error: {one_line(error, _LONGEST)}", file=sys.stderr)
        sys.exit(2)


def _ending_signals() -> list[int]:
    """Of Ctrl-C, `kill` and a terminal that was closed; not of one that `nohup` had ignored."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    return numbers


def _leave_terminal(number: int) -> None:
    """Lets output go nowhere if the terminal was closed: it would raise an error from now on."""
    if number != getattr(signal, "SIGHUP", None):
        return
    with open(os.devnull, "w") as nowhere:
        for stream in (1, 2):
            # Not isatty, which is false for a terminal that was closed.
            if stat.S_ISCHR(os.fstat(stream).st_mode):
                os.dup2(nowhere.fileno(), stream)


@contextlib.contextmanager
def stop_on_signals(stop: Callable[[], None], message: str) -> Iterator[None]:
    """Calls `stop` and prints `message` at the first Ctrl-C, SIGTERM or SIGHUP.

    A second one ends at once.

    Does nothing outside the main thread, where Python handles no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _ending_signals()}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(number, frame):
        _leave_terminal(number)
        stop()
        restore()
        with contextlib.suppress(RuntimeError):  # the signal came in the middle of a write
            tqdm.write(message)

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        restore()
