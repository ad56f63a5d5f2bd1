"""Losses, scores and samples of a run as TensorBoard reads them."""

import contextlib
import time
from pathlib import Path

import keras
from PIL import Image

from utils.callbacks import COLUMNS, losses_of
from utils.sources import open_picture


class TensorBoard(keras.callbacks.Callback):
    """Writes `tensorboard/` in a run folder: an event file per session.

    Scalars are those of the epochs in the log: `losses/…`, and `scores/…` where there are any.
    Images are the real ones and the sample grids. A session that continues from an earlier epoch
    than the last one written makes TensorBoard forget what came after it. A run whose earlier
    sessions wrote no events begins with its losses, scores and samples so far.

    Args:
        folder: the run folder.
        every: epochs between two lines of the log.
        print_every: epochs between two sample grids.

    Raises:
        ModuleNotFoundError: no package `tensorboard`, for which `models.recipe.Options` looks.
    """

    def __init__(self, folder: Path, every: int, print_every: int):
        super().__init__()
        # Its writer of records, not its writer of files, which loads TensorFlow wherever it is.
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._event, self._session, self._summary = Event, SessionLog, Summary
        self._writer = RecordWriter
        self.folder = Path(folder)
        self.every = every
        self.print_every = print_every
        self._opened = contextlib.ExitStack()

    def on_train_begin(self, logs=None):
        self.close()  # a training that was rolled back begins again
        folder = self.folder / "tensorboard"
        folder.mkdir(exist_ok=True)
        is_first = not any(folder.glob("*tfevents*"))
        # TensorBoard reads the files of a run in the order of their names.
        file = (folder / f"events.out.tfevents.{time.time_ns()}").open("xb", buffering=0)
        self._records = self._writer(self._opened.enter_context(file))
        self._add(file_version="brain.Event:2")
        done = 0 if is_first else self.model.epoch
        self._add(done, session_log=self._session(status=self._session.START))
        if is_first:
            self._add_picture(0, "real", self.folder / "images" / "real.png")
            for epoch in range(self.model.epoch):
                self._write(epoch)

    def on_epoch_end(self, epoch, logs=None):
        self._write(epoch)

    def on_train_end(self, logs=None):
        self.close()

    def close(self):
        """Closes the file, also where the training fails."""
        self._opened.close()

    def _write(self, epoch):
        scores = [row for row in self.model.scores if row["epoch"] == epoch]
        if epoch % self.every == 0 or scores:
            losses = zip(COLUMNS[1:], losses_of(self.model, epoch), strict=True)
            scalars = {f"losses/{name}": value for name, value in losses}
            for row in scores:
                scalars |= {f"scores/{name}": v for name, v in row.items() if name != "epoch"}
            values = [self._summary.Value(tag=t, simple_value=v) for t, v in scalars.items()]
            self._add(epoch, summary=self._summary(value=values))
        if epoch % self.print_every == 0:
            self._add_picture(epoch, "samples", self.folder / "images" / f"sample_{epoch}.png")

    def _add_picture(self, epoch, tag, path):
        """Adds a PNG, unless it is missing or damaged: an earlier session may have lost it."""
        try:
            with open_picture(path, ("PNG",)) as picture:
                (width, height), channels = picture.size, len(picture.getbands())
            content = path.read_bytes()
        except (OSError, ValueError, Image.DecompressionBombError):
            return
        image = self._summary.Image(
            height=height, width=width, colorspace=channels, encoded_image_string=content
        )
        self._add(epoch, summary=self._summary(value=[self._summary.Value(tag=tag, image=image)]))

    def _add(self, step=0, **what):
        event = self._event(wall_time=time.time(), step=step, **what)
        self._records.write(event.SerializeToString())
