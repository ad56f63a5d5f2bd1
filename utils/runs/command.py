"""The options of a command line in `params.json`: read back as data, checked like typed ones."""

import argparse
import os
from collections.abc import Collection
from pathlib import Path

from utils.files import read_json
from utils.messages import listed, one_line

_MOST_FAULTS = 5  # that a message names


def named_options(parser: argparse.ArgumentParser) -> dict[str, object]:
    """The options that stand on the command line of this program, by name."""
    unset = object()
    names = [action.dest for action in parser._actions if action.dest != argparse.SUPPRESS]
    found = parser.parse_args(namespace=argparse.Namespace(**dict.fromkeys(names, unset)))
    return {name: value for name, value in vars(found).items() if value is not unset}


def read_command(
    path: str | os.PathLike, parser: argparse.ArgumentParser, excepted: Collection[str]
) -> dict[str, object] | None:
    """The section `command` of a `params.json`, whoever made it.

    Args:
        path: of the file.
        parser: the options that there are.
        excepted: names of options that no file may set, such as paths and addresses.

    Returns:
        values by the names of options, each converted and in the range of its option; None where
        there is no such section, as in the file of a run that no command line began.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not JSON; or options that do not exist or have other values, by name.
    """
    path = Path(path)
    try:
        content = read_json(path)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path}: no such file; expected the params.json of a run"
        ) from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: not readable as JSON ({one_line(error)})") from error
    section = content.get("command") if isinstance(content, dict) else None
    if not isinstance(section, dict):
        return None
    actions = {a.dest: a for a in parser._actions if a.option_strings and a.dest not in excepted}
    options, faults = {}, []
    for name, value in section.items():
        try:
            if name not in actions:
                raise argparse.ArgumentTypeError("no option that a file may set")
            options[name] = _converted(actions[name], value)
        except argparse.ArgumentTypeError as error:
            faults.append(f"{one_line(name, 40)}: {one_line(error)}")
    if faults:
        raise ValueError(f"{path}: section command: {listed(faults, _MOST_FAULTS)}")
    return options


def _converted(action: argparse.Action, value: object) -> object:
    """The value as if it had been typed after its option."""
    kinds = {list: "a list", dict: "an object"}
    received = f"received {kinds.get(type(value)) or one_line(repr(value), 80)}"
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise argparse.ArgumentTypeError(f"expected true or false, {received}")
        return value
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise argparse.ArgumentTypeError(f"expected text or a number, {received}")
    convert = action.type or str
    try:
        converted = convert(str(value))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected {convert.__name__}, {received}") from None
    if action.choices is not None and converted not in action.choices:
        choices = ", ".join(map(str, action.choices))
        raise argparse.ArgumentTypeError(f"expected one of {choices}, {received}")
    return converted


def as_typed(parser: argparse.ArgumentParser, options: dict[str, object]) -> str:
    """Options as one would type them, without those that have their default value."""
    parts = []
    for action in parser._actions:
        value = options.get(action.dest, action.default)
        if value == action.default:
            continue
        flag = action.option_strings[0] if value is not False else action.option_strings[-1]
        parts.append(flag if action.nargs == 0 else f"{flag} {value}")
    return " ".join(parts)
