"""Reading images: `load_images` on a zip against Keras's loaders on the same files unpacked.

Each contender runs in its own process and yields shuffled batches of 16, float32 in [-1, 1]. Prints
images/s of the second pass over the data, seconds to the first batch, and the growth of peak memory
in MB. `--million` measures a zip of a million images.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from tests.helpers import ROOT

BATCH, SIZE = 16, 128
MILLION = 1_000_000


def load_images(zipped, folder):
    from utils.loaders import load_images

    return iter(load_images(zipped, SIZE, BATCH))


def image_dataset_from_directory(zipped, folder):
    import keras

    data = keras.utils.image_dataset_from_directory(
        folder, labels=None, batch_size=BATCH, image_size=(SIZE, SIZE), verbose=False
    )
    return data.map(lambda images: images / 127.5 - 1).repeat().as_numpy_iterator()


def flow_from_directory(zipped, folder):
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    generator = ImageDataGenerator(preprocessing_function=lambda image: image / 127.5 - 1)
    return generator.flow_from_directory(
        folder, target_size=(SIZE, SIZE), batch_size=BATCH, class_mode=None
    )


def cached_tf_data(zipped, folder):
    import tensorflow as tf

    def read(path):
        return tf.image.decode_png(tf.io.read_file(path), channels=3)

    data = tf.data.Dataset.list_files(f"{folder}/*/*.png").map(read, tf.data.AUTOTUNE)
    data = data.cache().shuffle(1000).batch(BATCH).prefetch(tf.data.AUTOTUNE)
    scaled = data.map(lambda images: tf.cast(images, tf.float32) / 127.5 - 1, tf.data.AUTOTUNE)
    return scaled.repeat().as_numpy_iterator()


CONTENDERS = {
    function.__name__: function
    for function in (load_images, image_dataset_from_directory, flow_from_directory, cached_tf_data)
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=ROOT / "output.zip", help="zip of images")
    parser.add_argument("--million", action="store_true", help="measure a million images")
    parser.add_argument("--contender", choices=[*CONTENDERS], help="measure this one, print JSON")
    parser.add_argument("--folder", help="the unpacked images of --data")
    arguments = parser.parse_args()
    if arguments.contender:
        print(json.dumps(measure(arguments)))
        return
    with tempfile.TemporaryDirectory() as folder:
        if arguments.million:
            million(arguments.data, Path(folder))
        else:
            compare(arguments.data, folder)


def compare(data: Path, folder: str) -> None:
    """Runs every contender and prints the table."""
    with zipfile.ZipFile(data) as archive:
        archive.extractall(folder)
        images = sum(name.endswith(".png") for name in archive.namelist())
    results = {name: contend(data, name, folder) for name in CONTENDERS}
    usual = results["image_dataset_from_directory"]
    print(f"{images} images: {images * SIZE * SIZE * 3 / 1e6:.0f} MB as uint8")
    print(f"{'':30}{'images/s':>10}{'ratio':>7}{'first batch, s':>16}{'memory, MB':>12}")
    for name, result in results.items():
        print(
            f"{name:30}{result['rate']:10.0f}{result['rate'] / usual['rate']:7.1f}"
            f"{result['first']:16.2f}{result['memory']:12.0f}"
        )


def contend(data, name, folder):
    command = [sys.executable, "-m", "tests.benchmarks.loader", "--contender", name]
    command += ["--data", str(data), "--folder", folder]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(arguments) -> dict:
    """One contender's figures; frameworks are imported before the clock starts."""
    import keras  # noqa: F401

    import utils.loaders  # noqa: F401

    with zipfile.ZipFile(arguments.data) as archive:
        count = sum(name.endswith(".png") for name in archive.namelist())
    before = peak_megabytes()
    start = time.perf_counter()
    batches = CONTENDERS[arguments.contender](arguments.data, arguments.folder)
    next(batches)
    first = time.perf_counter() - start
    steps = count // BATCH
    for _ in range(steps):
        next(batches)
    start = time.perf_counter()
    for _ in range(steps):
        next(batches)
    rate = steps * BATCH / (time.perf_counter() - start)
    return {"first": first, "rate": rate, "memory": peak_megabytes() - before}


def peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def million(data: Path, folder: Path) -> None:
    """Start-up and memory on a zip that repeats the images of `data` a million times in all."""
    path = folder / "million.zip"
    with zipfile.ZipFile(data) as archive:
        pictures = [archive.read(name) for name in archive.namelist() if name.endswith(".png")]
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(MILLION):
            archive.writestr(f"million/{i:07d}.png", pictures[i % len(pictures)])
    start = time.perf_counter()
    zipfile.ZipFile(path).close()
    directory = time.perf_counter() - start
    result = contend(path, "load_images", str(folder))
    print(f"reading the directory of the zip  {directory:8.2f} s")
    print(f"load_images, first batch          {result['first']:8.2f} s")
    print(f"load_images                       {result['rate']:8.0f} images/s")
    print(f"memory without the imports        {result['memory']:8.0f} MB")


if __name__ == "__main__":
    main()
