"""From one epoch to a training: the loop, its callbacks, and the files of the run folder."""

import collections
import contextlib
from pathlib import Path

import keras
import numpy as np
from tqdm.auto import tqdm

from models.epochs import Epochs
from models.training import checkpoint
from models.training.outputs import RunFiles
from utils import callbacks as run_callbacks
from utils import cli, runs
from utils.files import delete_unfinished
from utils.images import to_uint8
from utils.loaders import ArraySource, ImageStream
from utils.quality import Scores

_STOPPING = "Stopping: this epoch is finished, then everything is saved."
ROLLBACKS = 3
"""How often a training goes back to the same checkpoint before it gives up."""


class Training(Epochs, RunFiles):
    """What `WGANGP` does with its `train_epoch`: trains for hours, saves, samples, continues."""

    def __init__(self):
        super().__init__()
        self.stop_training = self.interrupted = False
        self.training = {}
        self.scores = []
        self._sample_rows = self._sample_columns = 5

    def train(
        self,
        x_train,
        batch_size,
        epochs,
        run_folder,
        print_every_n_batches=100,
        n_critic=5,
        using_generator=True,
        rows=5,
        columns=5,
        save_minutes=10,
        save_epochs=None,
        keep=3,
        on_nan="stop",
        judge=None,
        evaluate_every=None,
        minutes=None,
        callbacks=(),
    ):
        """Trains until `epochs` epochs are done in all, and leaves everything in `run_folder`.

        Continues where the weights that were loaded stopped. Ctrl-C or SIGTERM ends it after the
        current epoch with everything saved. Of several processes (`models.engines.processes`) the first alone
        loads, has callbacks and writes; the others train along from its state.

        Args:
            x_train: an `ImageStream`, any iterator of `(images,)`, or an array (N, H, W, C).
            batch_size: as given to the constructor.
            epochs: in all, those already trained included.
            run_folder: see `utils.runs.folder`.
            print_every_n_batches: epochs between sample grids.
            n_critic: critic updates per epoch.
            using_generator: False where `x_train` is an array.
            rows, columns: of the sample grids.
            save_minutes: minutes between checkpoints; the end always saves one.
            save_epochs: epochs between checkpoints besides.
            keep: how many of the last checkpoints stay.
            on_nan: where a loss is no longer finite, `"stop"`, or `"rollback"`: go back to the last
                checkpoint and on with other noise, up to `ROLLBACKS` times from the same one.
            judge: of the images along the way, see `utils.quality.scores.Scores`; None for one that knows
                no law.
            evaluate_every: epochs between two scores in `metrics.csv`, which also decide which
                checkpoint is kept as the best; 0 for never; None for every
                `print_every_n_batches` where that takes at most 3 % of the time.
            minutes: ends the training after so many, should it not be finished before; None for
                never. A learning rate that decays does so by epochs all the same.
            callbacks: further Keras callbacks; their `model` is this object.

        Raises:
            ValueError: arguments or images that do not fit, or that are not the same in all
                processes; or a run with other parameters.
            FloatingPointError: a loss that is no longer finite, before anything is overwritten.
            BlockingIOError: another process trains in `run_folder`.
            OSError: the disk is full, or the folder read-only or gone, or another process is
                lost; the last checkpoint is whole.
        """
        self._check_arguments(
            batch_size,
            on_nan,
            n_critic=n_critic,
            rows=rows,
            columns=columns,
            print_every_n_batches=print_every_n_batches,
            keep=keep,
        )
        if not using_generator:
            x_train = ImageStream(ArraySource(np.asarray(x_train)), batch_size, self.seed)
        checkpoint.follow_first(self, self._team)
        stream = self._positioned(x_train)
        self.training = {
            "n_critic": n_critic,
            "epochs": epochs,
            "data": getattr(stream, "name", ""),
            "data_fingerprint": getattr(stream, "fingerprint", ""),
        }
        self._team.check_same(self._alike())
        if self._team.first:
            self._check_folder(run_folder)
        if self.epoch >= epochs:
            print(f"This training is finished: more than {self.epoch} epochs extend it.")
            return
        run_folder = Path(run_folder)
        self._sample_rows, self._sample_columns = rows, columns
        in_order = [run_callbacks.StopOnFault(run_folder if self._team.first else None)]
        with contextlib.ExitStack() as stack:
            if self._team.first:
                stack.enter_context(runs.locked(runs.make_run_folder(run_folder)))
                if isinstance(stream, ImageStream):
                    every = evaluate_every, print_every_n_batches
                    in_order.append(Scores(run_folder, stream, judge, *every))
                images = batch_size * n_critic
                log = run_callbacks.Log(run_folder, epochs, images, n_critic, minutes)
                stack.callback(log.close)
                in_order += [
                    log,
                    run_callbacks.Samples(run_folder, print_every_n_batches),
                    run_callbacks.Checkpoint(run_folder, save_minutes, save_epochs, keep),
                ]
                if minutes is not None:
                    in_order.append(run_callbacks.StopAfter(minutes))
                in_order += callbacks
            stack.enter_context(_saying_how_to_go_on(run_folder))
            if self._team.first:
                self._begin(stream, run_folder, on_nan)
            handlers = keras.callbacks.CallbackList(in_order, model=self)
            self._loop(stream, n_critic, epochs, run_folder, handlers, on_nan)

    def _check_arguments(self, batch_size, on_nan, **counts):
        for name, number in counts.items():
            if number < 1:
                raise ValueError(f"{name} must be at least 1, received {number}")
        if on_nan not in ("stop", "rollback"):
            raise ValueError(f"on_nan must be 'stop' or 'rollback', received {on_nan!r}")
        if batch_size != self.batch_size:
            raise ValueError(
                f"batch_size is {batch_size} here, but the model was built for {self.batch_size}"
            )

    def _alike(self):
        """What must be the same in all processes; copies of the images may have other names."""
        flat = {name: value for part in self._params().values() for name, value in part.items()}
        flat["images"] = flat.pop("data_fingerprint")
        return {name: value for name, value in flat.items() if name not in ("data", "python")}

    def _check_folder(self, run_folder):
        if self.epoch == 0 and checkpoint.find(Path(run_folder) / "weights"):
            raise ValueError(
                f"{run_folder} holds a training already: load its weights to continue it, or "
                "choose another run id"
            )
        runs.check_params(run_folder, self._params(), {"epochs", "precision"}, self._defaults())

    def _begin(self, stream, run_folder, on_nan):
        """Leaves in the run folder what is known before the first epoch."""
        delete_unfinished(run_folder)
        checkpoint.set_aside_later(run_folder / "weights", self)
        self.save(run_folder)
        if isinstance(stream, ImageStream):
            count = self._sample_rows * self._sample_columns
            real = np.concatenate([stream[k][0] for k in range(-(-count // self.batch_size))])
            self._save_grid(run_folder / "images" / "real.png", to_uint8(real[:count]))
        if on_nan == "rollback" and not checkpoint.find(run_folder / "weights"):
            self.save_weights(run_folder)

    def _loop(self, stream, n_critic, epochs, run_folder, handlers, on_nan):
        falls = collections.Counter()
        self.stop_training = self.interrupted = stop = interrupted = False
        with cli.stop_on_signals(self._interrupt, _STOPPING):
            handlers.on_train_begin()
            while self.epoch < epochs and not stop:
                handlers.on_epoch_begin(self.epoch)
                self._decay(epochs)
                self.train_epoch(stream, n_critic)
                fault = None
                try:
                    handlers.on_epoch_end(self.epoch - 1)
                except FloatingPointError as error:
                    if on_nan == "stop":
                        raise
                    fault = error
                # A signal that comes meanwhile counts in the next epoch.
                stop, interrupted, back = self._team.any_of(
                    self.stop_training, self.interrupted, fault is not None
                )
                if back:
                    self._go_back(run_folder, falls, fault)
                    self._positioned(stream)
                    handlers.on_train_begin()
            self.interrupted = interrupted
            handlers.on_train_end()

    def _interrupt(self):
        self.stop_training = self.interrupted = True

    def _decay(self, epochs):
        """Sets the learning rates of the next of so many epochs."""
        share = self.config["learning_rate_decay"]
        if share:
            factor = min(1.0, max(0.01, (1 - self.epoch / epochs) / share))
            for name in ("critic", "generator"):
                optimiser = getattr(self, f"{name}_optimiser")
                optimiser.learning_rate = factor * self.config[f"{name}_learning_rate"]

    def _go_back(self, run_folder, falls, error):
        """To the last checkpoint, from which the noise is another each time."""
        rollbacks = self.rollbacks + 1
        if self._team.first:
            self.load_weights(run_folder / "weights")
        checkpoint.follow_first(self, self._team)
        self.rollbacks = rollbacks
        falls[self.epoch] += 1
        if falls[self.epoch] > ROLLBACKS:
            raise FloatingPointError(
                f"{error}; going back to epoch {self.epoch} did not help {ROLLBACKS} times"
            ) from error
        tqdm.write(f"{error}. Back to epoch {self.epoch}, and on with other noise.")

    def _positioned(self, stream):
        """`stream`, checked against `input_dim` and set to where the training stopped."""
        if isinstance(stream, ImageStream):
            shape, expected = stream[0][0].shape, (self.batch_size, *self.input_dim)
            if shape != expected:
                raise ValueError(
                    f"x_train gives batches of {shape}, expected {expected}: "
                    "(batch_size, *input_dim)"
                )
            stream.position = self.batches_seen
            stream.local_slice = self._team.part(self.batch_size)
        elif self._team.processes > 1:
            raise ValueError("several processes need images from load_images, received an iterator")
        return stream


@contextlib.contextmanager
def _saying_how_to_go_on(run_folder):
    try:
        yield
    except OSError as error:
        raise OSError(
            f"{run_folder}: {error}; once that is mended, the same command continues from the last "
            "checkpoint"
        ) from error
