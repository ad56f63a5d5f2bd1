"""Hours instead of steps: trains epoch after epoch, with callbacks, checkpoints, rollbacks."""

import collections
import contextlib
import dataclasses
from pathlib import Path

import keras
import numpy as np
from tqdm.auto import tqdm

from models import schedules
from models.training import checkpoint, outputs
from models.training.forecast import Forecast, start_line
from models.training.tensorboard import TensorBoard
from utils import callbacks, cli, runs
from utils.files import delete_unfinished
from utils.loaders import FEWEST_HELD_BACK, ArraySource, ImageStream
from utils.quality import Scores

ROLLBACKS = 3
"""Rollbacks to one checkpoint before a training gives up."""

_TIMED = 5  # measurements of the speed
_SHARE = 0.9  # of the time that is planned for epochs
_STOPPING = "Stopping: this epoch is finished, then everything is saved."


class Trainer:
    """Trains a GAN and saves everything in a run folder.

    Args:
        gan: a `models.WGANGP.WGANGP`. Of several processes (`gan.processes`) the first alone loads,
            has callbacks and writes; the others train from its state.
        run_folder: see `utils.runs`.
        options: a `models.recipe.Options`.

    Raises:
        ValueError: options that do not fit the model.
    """

    def __init__(self, gan, run_folder, options):
        if options.batch_size != gan.batch_size:
            raise ValueError(
                f"batch_size is {options.batch_size} here, but the model was built for "
                f"{gan.batch_size}"
            )
        if options.epochs is None and options.minutes is None and gan.recipe.needs_epochs:
            raise ValueError(
                "this recipe needs the number of epochs, received epochs=None: its learning rates, "
                "penalty or variants change by it"
            )
        self.gan = gan
        self.folder = Path(run_folder)
        self.options = options

    def train(self, x_train, using_generator=True):
        """Trains until the epochs or the minutes of the options are over.

        Args:
            x_train: an `ImageStream`, any iterator of `(images,)`, or an array (N, H, W, C).
            using_generator: False where `x_train` is an array.

        Raises:
            ValueError: images that do not fit, or that are not the same in all processes; or a run
                with other parameters.
            FloatingPointError: a loss that is no longer finite, before anything is overwritten.
            BlockingIOError: another process trains in the run folder.
            OSError: the disk is full, the folder read-only or gone, or another process is lost; the
                last checkpoint is whole.
        """
        gan, options = self.gan, self.options
        if not using_generator:
            source = ArraySource(np.asarray(x_train))
            x_train = ImageStream(source, gan.batch_size, gan.seed, gan.recipe.held_back)
        checkpoint.broadcast(gan)
        stream = seek(x_train, gan)
        gan.training = {
            "n_critic": options.n_critic,
            "epochs": options.epochs,
            "data": getattr(stream, "name", ""),
            "data_fingerprint": _fingerprint(stream, runs.data_rules(self.folder)),
        }
        gan.command = options.command
        gan.processes.check_same(outputs.shared_params(gan, _fingerprint(stream, 1)))
        first = gan.processes.is_first
        if first:
            outputs.check_folder(self.folder, gan)
        before = self._planned_before() if first else None
        if options.epochs is None and gan.recipe.needs_epochs:
            self._plan(x_train, before)
        epochs = self.options.epochs
        if epochs is not None and gan.epoch >= epochs:
            print(f"This training is finished: more than {gan.epoch} epochs (--epochs) extend it.")
            return
        if first and before and before != epochs and gan.recipe.learning_rate_decay:
            print(schedules.describe_extension(gan.epoch, before, epochs, gan.recipe))
        with contextlib.ExitStack() as stack:
            if first:
                stack.enter_context(runs.locked(runs.make_run_folder(self.folder)))
                outputs.check_newest(self.folder, gan)
            handlers = self._handlers(stream, stack) if first else [callbacks.StopOnFault(None)]
            stack.enter_context(_how_to_continue(self.folder))
            if first:
                print(start_line(gan))
                self._prepare_folder(stream)
                if gan.recipe.held_back:
                    print(_what_is_held_back(stream))
            self._loop(stream, keras.callbacks.CallbackList(handlers, model=gan))

    def _planned_before(self):
        """The number of epochs that the run was planned for, if this training continues it."""
        params = runs.read_params(self.folder)["training"]
        return runs.positive_int(params, "epochs") if self.gan.epoch else None

    def _plan(self, stream, before):
        """Plans the epochs for a recipe that needs their number and was given a time alone.

        A run that continues keeps its plan, so that its rates are those of one that never stopped.
        Grids, scores and checkpoints take time too: the plan leaves them a tenth.
        """
        gan, options = self.gan, self.options
        (known,) = gan.processes.broadcast([np.array([before or 0], np.int64)])
        planned = known
        if not known[0]:
            with checkpoint.unchanged(gan):
                times = [gan.time_epoch(stream, options.n_critic) for _ in range(_TIMED)]
            seek(stream, gan)
            fits = int(_SHARE * 60 * options.minutes / np.median(times))
            (planned,) = gan.processes.broadcast([np.array([gan.epoch + max(1, fits)], np.int64)])
        self.options = dataclasses.replace(options, epochs=int(planned[0]))
        gan.training["epochs"] = self.options.epochs
        if gan.processes.is_first and not before:
            print(
                f"{options.minutes:g} minutes: {self.options.epochs:,} epochs are planned, over "
                "which the learning rate falls."
            )

    def _handlers(self, stream, stack):
        """The callbacks of the first process, in the order in which they are called."""
        options, folder = self.options, self.folder
        images = options.batch_size * options.n_critic
        log = callbacks.Log(
            folder, options.epochs, images, options.n_critic, options.log_every, options.minutes
        )
        stack.callback(log.close)
        every = options.print_every_n_batches
        handlers = [callbacks.StopOnFault(folder)]
        data = stream if isinstance(stream, ImageStream) else None
        scores = data and Scores(folder, data, options.judge, options.evaluate_every, every)
        samples = callbacks.Samples(folder, every, options.rows, options.columns)
        handlers += [scores] if scores else []
        handlers += [
            log,
            samples,
            callbacks.Checkpoint(
                folder, options.save_minutes, options.save_epochs, options.keep, data
            ),
            callbacks.End(folder, samples, scores, options.epochs, options.minutes),
        ]
        if options.tensorboard:
            board = TensorBoard(folder, options.log_every, every)
            stack.callback(board.close)
            handlers.append(board)
        cycle = self.gan.recipe.penalty_every
        handlers.append(Forecast(options.epochs, options.minutes, cycle))
        if options.minutes is not None:
            handlers.append(callbacks.StopAfter(options.minutes))
        return [*handlers, *options.callbacks]

    def _prepare_folder(self, stream):
        """Saves what is known before the first epoch."""
        gan, options = self.gan, self.options
        delete_unfinished(self.folder)
        checkpoint.set_aside_later(self.folder, gan)
        gan.save(self.folder)
        if isinstance(stream, ImageStream):
            outputs.save_real(self.folder, stream, options.rows, options.columns)
        if options.on_nan == "rollback" and not checkpoint.find(self.folder / "weights"):
            gan.save_weights(self.folder)

    def _loop(self, stream, handlers):
        gan = self.gan
        rollbacks = collections.Counter()  # by the epoch that they return to
        gan.stop_training = gan.interrupted = stop = interrupted = False
        with cli.stop_on_signals(self._interrupt, _STOPPING):
            handlers.on_train_begin()
            while gan.epoch != self.options.epochs and not stop:
                handlers.on_epoch_begin(gan.epoch)
                gan.follow_schedules(self.options.epochs)
                gan.train_epoch(stream, self.options.n_critic)
                fault = None
                try:
                    handlers.on_epoch_end(gan.epoch - 1)
                except FloatingPointError as error:
                    if self.options.on_nan == "stop":
                        raise
                    fault = error
                # A signal that arrives after this counts in the next epoch.
                stop, interrupted, rollback = gan.processes.any_across(
                    gan.stop_training, gan.interrupted, fault is not None
                )
                if rollback:
                    self._roll_back(rollbacks, fault)
                    seek(stream, gan)
                    handlers.on_train_begin()
            gan.interrupted = interrupted
            handlers.on_train_end()

    def _interrupt(self):
        self.gan.stop_training = self.gan.interrupted = True

    def _roll_back(self, rollbacks, error):
        """Returns to the last checkpoint, from which the noise is new each time."""
        gan = self.gan
        count = gan.rollbacks + 1
        if gan.processes.is_first:
            gan.load_weights(self.folder / "weights")
        checkpoint.broadcast(gan)
        gan.rollbacks = count
        rollbacks[gan.epoch] += 1
        if rollbacks[gan.epoch] > ROLLBACKS:
            raise FloatingPointError(
                f"{error}; going back to epoch {gan.epoch} did not help {ROLLBACKS} times"
            ) from error
        tqdm.write(f"{error}. Resuming from epoch {gan.epoch} with new noise.")


def seek(stream, gan):
    """Checks a stream against the model and moves it to the batch after the last one trained on.

    Returns:
        the stream.

    Raises:
        ValueError: batches of another shape, another share of held-back images than the recipe's,
            or an iterator that cannot seek or hold back images where that is needed.
    """
    if isinstance(stream, ImageStream):
        shape, expected = stream[0][0].shape, (gan.batch_size, *gan.input_dim)
        if shape != expected:
            raise ValueError(
                f"x_train gives batches of {shape}, expected {expected}: (batch_size, *input_dim)"
            )
        share = gan.recipe.held_back
        if stream.held_back_share != share:
            raise ValueError(
                f"x_train holds back a share of {stream.held_back_share:g} of the images, the "
                f"recipe expects {share:g}: load_images(…, held_back={share:g}) gives it"
            )
        stream.position = gan.batches_seen
        stream.local_slice = gan.processes.local_slice(gan.batch_size)
    elif gan.processes.count > 1:
        raise ValueError("several processes need images from load_images, received an iterator")
    elif gan.recipe.held_back:
        raise ValueError(
            "images can be held back of load_images or of an array, received an iterator; "
            "expected held_back=0"
        )
    return stream


def _fingerprint(stream, rules):
    """Of the images by the rules of the run, see `utils.sources.RULES`; empty for an iterator."""
    return stream.fingerprint(rules) if isinstance(stream, ImageStream) else ""


def _what_is_held_back(stream):
    """One line about a stream of which images shall be held back."""
    images = f"{stream.training_count + stream.held_back_count:,} images"
    if not stream.held_back_count:
        return (
            f"No image is held back: a share of {stream.held_back_share:g} of {images} is fewer "
            f"than {FEWEST_HELD_BACK}."
        )
    return (
        f"{stream.held_back_count:,} of {images} are held back: they show whether the critic "
        "learns the others by heart."
    )


@contextlib.contextmanager
def _how_to_continue(run_folder):
    try:
        yield
    except OSError as error:
        raise OSError(
            f"{run_folder}: {error}; once that is mended, the same command continues from the last "
            "checkpoint"
        ) from error
