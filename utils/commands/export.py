"""The subcommand `export`."""

from pathlib import Path

from utils.commands import add_generator, open_generator, subcommand

_FORMATS = ("onnx", "onnx-float16", "tflite", "savedmodel", "keras", "npz")


def add(commands) -> None:
    """Adds the subcommand."""
    export = subcommand(
        commands,
        "export",
        "the generator in a format that other programs open, and a card that says what it is",
        "--out g.onnx                             for ONNX Runtime, on any machine\n"
        "--out g.onnx --format onnx-float16       half the size, nearly the same images\n"
        "--out g.tflite                           for phones: TFLite, now called LiteRT\n"
        "--out g                                  a folder: TensorFlow's SavedModel\n"
        "--out g.keras                            Keras 3's own format\n"
        "--out g.npz                              numbers, and g.json: what to do with them",
        _export,
    )
    add_generator(export)
    export.add_argument("--format", choices=_FORMATS, help="None: what the suffix of --out says")
    export.add_argument("--out", default="new/generator.onnx", help="the file or folder to write")


def _export(arguments):
    """The export and its card."""
    from utils.generator import export_generator, format_of, write_card

    out = Path(arguments.out)
    format = arguments.format or format_of(out)
    path, generator = open_generator(arguments)
    export_generator(generator, out, format)
    card = write_card(out, generator, path, format)
    files = [file for file in (out.rglob("*") if out.is_dir() else [out]) if file.is_file()]
    size = sum(file.stat().st_size for file in files) / 1e6
    print(f"{out}: {format}, {size:.1f} MB; what it is and five lines to use it: {card}")
