"""Training: early stopping at the right epoch, the best weights kept, a stopped run that goes on as if it were one."""

import keras
import numpy as np
import pandas as pd
import pytest

from sertk.audio import FixedLength, WaveformCache
from sertk.augment import AWGN
from sertk.features import MFCC
from sertk.learning import RunLog, fit
from sertk.models import cnn, from_waveform
from sertk.pipeline import Clips

SAMPLES = 16_000


@pytest.fixture(params=[None])
def parts(request, tiny_corpus, cache):
    """Training and validation clips, by speaker; the parameter is what the training clips are made with."""
    emotions = sorted(set(tiny_corpus["emotion"]))
    held_out = tiny_corpus["speaker"].isin(sorted(set(tiny_corpus["speaker"]))[:2])

    def clips(manifest, **options):
        return Clips(manifest, emotions, WaveformCache(cache), FixedLength(SAMPLES), progress=False, **options)

    return clips(tiny_corpus[~held_out], shuffle=True, seed=1, **(request.param or {})), clips(tiny_corpus[held_out])


def small_model():
    keras.utils.set_random_seed(5)
    mfcc = MFCC(n_mfcc=32, n_mels=32)
    return from_waveform(cnn((32, 32)), mfcc, samples=SAMPLES, noise=AWGN(seed=2))


def optimizer(train, **options):
    """With a rate that changes in every step, so that a resumed run has to know its step."""
    schedule = keras.optimizers.schedules.CosineDecay(1e-3, decay_steps=4 * train.steps)
    return keras.optimizers.AdamW(schedule, weight_decay=1e-3, **options)


class StoppedError(Exception):
    """What a killed process is, within one."""


class StopAfter(keras.callbacks.Callback):
    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epochs:
            raise StoppedError


def weights(model):
    return [np.asarray(variable) for variable in model.trainable_variables]


@pytest.mark.slow
def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(parts, tmp_path, monkeypatch):
    train, validation = parts
    options = {"epochs": 4, "patience": 10, "verbose": 0}
    whole = small_model()
    uninterrupted = fit(whole, train, validation, tmp_path / "whole", optimizer=optimizer(train), **options)

    ordinary_fit = keras.Model.fit

    def killed_fit(self, *args, callbacks, **kwargs):
        return ordinary_fit(self, *args, callbacks=[*callbacks, StopAfter(2)], **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(keras.Model, "fit", killed_fit)
        with pytest.raises(StoppedError):
            fit(small_model(), train, validation, tmp_path / "killed", optimizer=optimizer(train), **options)
    assert len(pd.read_csv(tmp_path / "killed" / "log.csv")) == 2

    resumed = small_model()
    log = fit(resumed, train, validation, tmp_path / "killed", optimizer=optimizer(train), **options)
    assert list(log.log["epoch"]) == [1, 2, 3, 4]
    columns = ["loss", "val_loss", "accuracy", "val_accuracy"]
    # Equal but for the order in which two threads add numbers.
    np.testing.assert_allclose(log.log[columns], uninterrupted.log[columns], rtol=2e-3, atol=2e-3)
    for a, b in zip(weights(resumed), weights(whole), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-3)


# 56 clips in batches of 8 are 7 batches an epoch: rounds end within epochs, and steps of 2 batches go across them.
@pytest.mark.slow
@pytest.mark.parametrize("parts", [{"batch_size": 8, "rounds": (4, 2)}], indirect=True)
def test_a_run_in_rounds_goes_on_as_if_it_had_not_been_stopped(parts, tmp_path):
    train, validation = parts

    def trained(folder, rounds):
        model, options = small_model(), {"gradient_accumulation_steps": 2}
        log = fit(
            model,
            train,
            validation,
            folder,
            optimizer=optimizer(train, **options),
            epochs=rounds,
            patience=9,
            verbose=0,
        )
        return model, log.log

    assert train.passes == 4
    _, uninterrupted = trained(tmp_path / "whole", 4)
    trained(tmp_path / "stopped", 2)
    _, resumed = trained(tmp_path / "stopped", 4)
    assert list(resumed["step"]) == list(uninterrupted["step"]) == [2, 4, 6, 7]
    columns = ["loss", "val_loss", "accuracy", "val_accuracy"]
    np.testing.assert_allclose(resumed[columns], uninterrupted[columns], rtol=2e-3, atol=2e-3)


@pytest.mark.slow
def test_an_ended_run_is_not_trained_again(parts, tmp_path, monkeypatch):
    train, validation = parts
    options = {"epochs": 1, "verbose": 0}
    first = small_model()
    fit(first, train, validation, tmp_path, **options)
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("trained again"))
    again = small_model()
    fit(again, train, validation, tmp_path, **options)
    for a, b in zip(weights(again), weights(first), strict=True):
        np.testing.assert_array_equal(a, b)


def drive(run, model, losses):
    """Calls a `RunLog` as Keras does, with the validation losses given; returns how many epochs it let pass."""
    run.set_model(model)
    model.stop_training = False
    run.on_train_begin()
    for epoch, loss in enumerate(losses):
        run.on_epoch_begin(epoch)
        model.bias.assign([float(epoch + 1)])
        run.on_epoch_end(epoch, {"loss": 1.0, "val_loss": loss})
        if model.stop_training:
            break
    return run.finished_epochs


class OneNumber(keras.Model):
    """A model whose one weight tells the epoch it is from."""

    def __init__(self):
        super().__init__()
        self.bias = self.add_weight(shape=(1,), name="bias")

    def call(self, x):
        return x + self.bias


@pytest.mark.parametrize(
    ("losses", "patience", "ended", "best"),
    [
        ([3, 2, 1, 2, 2, 2, 2], 3, 6, 3),  # three epochs without progress after the third
        ([3, 2, 1, 2, 2, 0.5, 2, 2, 2], 3, 9, 6),  # progress in the third of them
        ([1, 1, 1], 2, 3, 1),  # as good is not better
        ([3, 2, 1], 1, 3, 3),
        ([1, 2, 3], None, 3, 3),  # no early stop: the last epoch is the one to keep
    ],
)
def test_stops_after_patience_and_keeps_the_best_epoch(losses, patience, ended, best, tmp_path):
    model = OneNumber()
    model(np.zeros((1, 1)))
    run = RunLog(tmp_path, patience=patience)
    assert drive(run, model, losses) == ended
    assert run.best_epoch == best
    model.load_weights(run.checkpoint(run.best_epoch))
    assert float(model.bias[0]) == best
    kept = {run.checkpoint(best).name, run.checkpoint(ended).name}
    assert {path.name for path in tmp_path.glob("*.h5")} == kept


def test_the_best_epoch_may_be_told_by_accuracy(tmp_path):
    """Paper 004, section 5.2.2, stops by the validation accuracy; here it and the loss disagree."""
    log = pd.DataFrame({"epoch": [1, 2, 3, 4], "val_loss": [3, 1, 2, 2], "val_accuracy": [0.1, 0.5, 0.7, 0.7]})
    log.to_csv(tmp_path / "log.csv", index=False)
    assert RunLog(tmp_path, patience=1).best_epoch == 2
    by_accuracy = RunLog(tmp_path, patience=1, monitor="accuracy")
    assert (by_accuracy.best_epoch, by_accuracy.exhausted) == (3, True)
    assert not RunLog(tmp_path, patience=2, monitor="accuracy").exhausted
    with pytest.raises(ValueError, match=r"`monitor` must be one of loss, accuracy\. Received: monitor='uar'"):
        _ = RunLog(tmp_path, monitor="uar").best_epoch


def test_early_stopping_remembers_what_was_before_it_was_stopped(tmp_path):
    model = OneNumber()
    model(np.zeros((1, 1)))
    drive(RunLog(tmp_path, patience=3), model, [1.0, 2.0, 2.0])
    resumed = RunLog(tmp_path, patience=3)
    assert not resumed.exhausted
    resumed.set_model(model)
    resumed.on_epoch_begin(3)
    resumed.on_epoch_end(3, {"loss": 1.0, "val_loss": 2.0})
    assert resumed.exhausted
    assert resumed.best_epoch == 1


def test_loss_that_is_no_number_ends_in_one_sentence(parts, tmp_path):
    train, validation = parts
    with pytest.raises(
        ValueError, match=r"diverged in epoch 1: .* lower the learning rate\. Received: learning_rate=1e\+30"
    ):
        fit(small_model(), train, validation, tmp_path, optimizer=keras.optimizers.Adam(1e30), epochs=2, verbose=0)


def test_tensorboard_files_are_there(parts, tmp_path):
    train, validation = parts
    fit(small_model(), train, validation, tmp_path, epochs=1, verbose=0)
    assert list((tmp_path / "tensorboard" / "train").glob("events.out.tfevents.*"))
    assert list((tmp_path / "tensorboard" / "validation").glob("events.out.tfevents.*"))
