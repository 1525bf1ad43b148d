"""The memory of a training run: its log, its checkpoints and when it has to stop, all on disk after every epoch."""

import io
import math
import time
from pathlib import Path

import keras
import pandas as pd

from sertk.atomic import replacing
from sertk.learning.kept_epoch import kept_epoch
from sertk.plain_csv import read_figures

SEEDS_AN_EPOCH = 1 << 20


class RunLog(keras.callbacks.Callback):
    """Writes a row of `log.csv` and a checkpoint after every epoch, stops when there is no progress, and resumes.

    The folder holds the weights and optimiser of the last epoch and of the best one, as `kept_epoch` names it; without
    patience the last epoch counts as the best. First the checkpoint is written, then the log that names it, each under
    another name and then renamed: a run that is killed at any moment goes on after the last epoch in its log.

    What is random in an epoch is made to depend on the seeds and the epoch alone: the order of `clips` and the state of
    each seed generator in the model (dropout, noise). So a resumed run draws what the uninterrupted one would have.

    Args:
        directory: the run's folder; made if missing.
        clips: `sertk.pipeline.Clips` of the training part, whose epoch is kept, or None. Defaults to None.
        patience: int, epochs without a better validation loss or accuracy after which training stops, or None for
            never. Defaults to None.
        monitor: "loss" or "accuracy", which of the two. Defaults to "loss".

    Raises:
        ValueError: after an epoch with a loss that is infinite or NaN, of which nothing is written.

    Attributes:
        log: DataFrame, one row an epoch: `epoch` (from 1), `loss`, `accuracy`, `val_loss`, `val_accuracy`, `seconds`.
            Where `clips` come in rounds, a row a round, with `step`, how often the weights have been changed by then.
    """

    def __init__(self, directory, clips=None, patience=None, monitor="loss"):
        super().__init__()
        self.directory = Path(directory)
        self.clips = clips
        self.patience = patience
        self.monitor = monitor
        self.directory.mkdir(parents=True, exist_ok=True)
        self._log_path = self.directory / "log.csv"
        there = self._log_path.exists()
        self.log = read_figures(self._log_path, ["epoch"]) if there else pd.DataFrame({"epoch": []}, dtype=int)

    @property
    def finished_epochs(self):
        """int, how many epochs the log holds."""
        return len(self.log)

    @property
    def best_epoch(self):
        """int, the epoch whose weights are kept, counted from 1."""
        return kept_epoch(self.log, self.patience, self.monitor)

    @property
    def exhausted(self):
        """Whether `patience` epochs have gone by without a better one."""
        return self.patience is not None and self.finished_epochs - self.best_epoch >= self.patience > 0

    def checkpoint(self, epoch):
        """The path of the weights after `epoch`, counted from 1."""
        return self.directory / f"epoch-{epoch:04d}.weights.h5"

    def on_train_begin(self, logs=None):
        self._prepare_randomness(self.finished_epochs)

    def on_epoch_begin(self, epoch, logs=None):
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = round(time.perf_counter() - self._started, 3)
        row = {"epoch": epoch + 1, **{name: float(value) for name, value in (logs or {}).items()}, "seconds": seconds}
        if self.clips is not None and self.clips.passes is not None:
            row["step"] = int(keras.ops.convert_to_numpy(self.model.optimizer.iterations))
        self._refuse_divergence(row)
        weights = _InMemory()
        self.model.save_weights(weights)
        with replacing(self.checkpoint(epoch + 1)) as unfinished:
            unfinished.write_bytes(weights.getvalue())
        new = pd.DataFrame([row])
        self.log = new if self.log.empty else pd.concat([self.log, new], ignore_index=True)
        with replacing(self._log_path) as unfinished:
            self.log.to_csv(unfinished, index=False)
        self._drop_old_checkpoints()
        self._prepare_randomness(epoch + 1)
        if self.exhausted:
            self.model.stop_training = True

    def _refuse_divergence(self, row):
        diverged = [name for name, value in row.items() if not math.isfinite(value)]
        if diverged:
            raise ValueError(
                f"Training diverged in epoch {row['epoch']}: {' and '.join(diverged)} became infinite or NaN; lower "
                f"the learning rate. Received: learning_rate={float(self.model.optimizer.learning_rate):g}"
            )

    def _prepare_randomness(self, epoch):
        # Before the epoch begins: Keras makes the next pass over the data before it calls on_epoch_begin.
        if self.clips is not None:
            self.clips.epoch.assign(epoch)
        for variable in self.model.variables:
            if variable.path.endswith("seed_generator_state"):
                seed = keras.ops.convert_to_numpy(variable)[0]
                variable.assign([seed, epoch * SEEDS_AN_EPOCH])

    def _drop_old_checkpoints(self):
        kept = {self.checkpoint(self.finished_epochs), self.checkpoint(self.best_epoch)}
        for path in self.directory.glob("epoch-*.weights.h5"):
            if path not in kept:
                path.unlink()


class _InMemory(io.BytesIO):
    """A file for Keras to write weights to: HDF5 itself takes the process down with it when the disk is full."""

    def __str__(self):
        return "memory.weights.h5"  # Keras tells the format from the name's end
