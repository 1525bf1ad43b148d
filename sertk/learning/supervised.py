"""Supervised training: cross-entropy, with early stopping or for a fixed number of epochs."""

import contextlib
import os
import sys
import warnings
from pathlib import Path

import keras
import tensorflow as tf

from sertk.atomic import NO_ROOM
from sertk.learning.run_log import RunLog


def fit(
    model,
    train,
    validation,
    directory,
    *,
    optimizer=None,
    label_smoothing=0.0,
    epochs=100,
    patience=20,
    monitor="loss",
    verbose=None,
):
    """Trains a model until it gets no better on the validation part and leaves it with its best epoch's weights.

    Everything is on disk after every epoch (`RunLog`; TensorBoard's event files lie in `tensorboard/`). Called again
    with the same folder, it goes on after the last finished epoch, or returns at once where training had ended.

    Args:
        model: keras.Model from `train`'s batches to probabilities. It is compiled here.
        train: `sertk.pipeline.Clips` of the training part.
        validation: `sertk.pipeline.Clips` of the validation part, or None: no early stopping, and the last epoch is
            the best.
        directory: folder for log, checkpoints and TensorBoard; made if missing.
        optimizer: a new `keras.optimizers.Optimizer`; its state is part of each checkpoint. Defaults to Adam at 1e-4.
        label_smoothing: float, how much of each one-hot label is spread over all classes. Defaults to 0.
        epochs: int, the most epochs. Where `train` comes in rounds, each of them counts as one, in `patience` too.
            Defaults to 100.
        patience: int, epochs without a better validation loss or accuracy after which training stops, or None: all
            epochs are trained, and the last one's weights are kept. Defaults to 20.
        monitor: "loss" or "accuracy", by which the best epoch is told. Defaults to "loss".
        verbose: Keras's: 0 silent, 1 bars, 2 a line an epoch. Defaults to bars on a terminal, lines elsewhere.

    Returns:
        `RunLog`: its `log` has a row an epoch, its `best_epoch` tells where the weights are from.

    Raises:
        ValueError: if the loss becomes infinite or NaN, which a lower learning rate usually mends.
        OSError: if the disk is full; called again once there is room, it goes on after the last finished epoch.

    Source: paper 004, section 4.3.3: Adam, categorical cross-entropy, at most 100 epochs.
    """
    optimizer = keras.optimizers.Adam(1e-4) if optimizer is None else optimizer
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)
    # XLA, which Keras chooses on a GPU, would compile padded batches anew for each length that they have.
    compiled = False if train.padded else "auto"
    model.compile(optimizer, loss=loss, metrics=["accuracy"], jit_compile=compiled)
    run = RunLog(directory, train, patience if validation is not None else None, monitor)
    if run.finished_epochs:
        model.build(model.input_shape)
        optimizer.build(model.trainable_variables)
        model.load_weights(run.checkpoint(run.finished_epochs))
    if not run.exhausted and run.finished_epochs < epochs:
        callbacks = [
            run,
            keras.callbacks.TerminateOnNaN(),
            keras.callbacks.TensorBoard(Path(directory) / "tensorboard", write_graph=False),
        ]
        with _told_of_a_full_disk(directory), warnings.catch_warnings():
            # A last round that is shorter than the others is no mistake.
            warnings.filterwarnings("ignore", "Your input ran out of data")
            model.fit(
                train.dataset,
                validation_data=None if validation is None else validation.dataset,
                initial_epoch=run.finished_epochs,
                epochs=epochs,
                shuffle=False,  # `train` shuffles itself
                callbacks=callbacks,
                verbose=verbose if verbose is not None else (1 if sys.stdout.isatty() else 2),
            )
    model.load_weights(run.checkpoint(run.best_epoch))
    return run


@contextlib.contextmanager
def _told_of_a_full_disk(directory):
    """TensorBoard's writer says in TensorFlow's words, over several lines, that the disk is full."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        said = next((words for words in map(os.strerror, NO_ROOM) if words in str(error)), None)
        if said is None:
            raise
        raise OSError(
            f"{directory}: TensorBoard's events can't be written; make room on the disk and call again, no finished "
            f"epoch is lost. Received: {said}"
        ) from None
