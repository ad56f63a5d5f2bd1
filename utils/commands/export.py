"""The subcommand `export`."""

from pathlib import Path

from utils import cli
from utils.commands import add_generator, open_generator, subcommand
from utils.files import check_free
from utils.generator import FORMATS, export_files, format_of


def add(commands) -> None:
    """Adds the subcommand."""
    export = subcommand(
        commands,
        "export",
        "the generator in a format that other programs open, and a card that describes it",
        "--out g.onnx                             for ONNX Runtime, on any machine\n"
        "--out g.onnx --format onnx-float16       half the size, nearly the same images\n"
        "--out g.tflite                           for phones: TFLite, now called LiteRT\n"
        "--out g                                  a folder: TensorFlow's SavedModel\n"
        "--out g.keras                            Keras 3's own format\n"
        "--out g.npz                              arrays, and g.json: how to compute with them",
        _export,
    )
    add_generator(export)
    export.add_argument(
        "--format", choices=tuple(FORMATS), help="by the suffix of --out unless given"
    )
    export.add_argument("--out", default="new/generator.onnx", help="the file or folder to write")
    cli.add_overwrite(export)


def _export(arguments):
    from utils.generator import export_with_card, megabytes

    out = Path(arguments.out)
    format = arguments.format or format_of(out)
    check_free(*export_files(out, format), overwrite=arguments.overwrite)
    source, generator = open_generator(arguments)
    card = export_with_card(generator, source, out, format)
    size = f"{megabytes(out):.1f} MB"
    print(f"{out}: {format}, {size}; what it is and five lines to use it: {card}")
