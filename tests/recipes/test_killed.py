"""Runs that are killed with SIGKILL and called again: nothing lost, nothing done twice."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

import sertk

pytestmark = pytest.mark.usefixtures("eagerly")

SCRIPT = Path(__file__).with_name("train_and_die.py")
FIGURES = ["loss", "accuracy", "val_loss", "val_accuracy"]
# One after the other in one run of two folds: as it begins, in an epoch, in the middle of a checkpoint, between
# checkpoint and log, in the middle of the log, in the middle of the model, between the folds, in the second fold.
MOMENTS = [
    "environment.json:1:after",
    "step:2",
    "epoch-0001.weights.h5:1:before",
    "epoch-0001.weights.h5:1:after",
    "log.csv:2:before",
    "model.keras:1:before",
    "model.keras:1:after",
    "log.csv:1:after",
]


@pytest.fixture(scope="module")
def corpus(tiny_corpus):
    return Path(tiny_corpus["path"].iloc[0]).parents[1]


@pytest.fixture(scope="module")
def changes(small):
    return {**small, "split.kind": "speaker-k-fold", "split.k": 2, "split.validation": 1, "training.batch_size": 16}


@pytest.fixture(scope="module")
def uninterrupted(corpus, changes, cache, tmp_path_factory):
    directory = tmp_path_factory.mktemp("runs") / "whole"
    return sertk.train(
        "004-cnn-mfcc", sertk.corpora.load("synthetic", corpus), directory, changes=changes, cache=cache, verbose=0
    )


@pytest.mark.slow
def test_killed_at_any_moment_the_same_call_goes_on_at_the_last_finished_epoch(
    corpus, changes, uninterrupted, cache, tmp_path
):
    run, before = tmp_path / "run", [0, 0]
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), str(corpus), str(run), json.dumps(changes), *MOMENTS, "never"],
        env={**os.environ, "SERTK_CACHE": str(cache), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [moment for moment, _, _ in told] == [*MOMENTS, "never"], ended.stderr[-2000:]
    for moment, status, after in told[:-1]:
        assert status == -signal.SIGKILL, f"{moment}: {ended.stderr[-2000:]}"
        assert all(now >= then for now, then in zip(after, before, strict=True)), moment
        before = after
    assert before == [2, 1]
    assert told[-1] == ["never", 0, [2, 2]], ended.stderr[-2000:]

    for fold, expected in zip(sertk.Run.open(run).folds, uninterrupted.folds, strict=True):
        assert list(fold.log["epoch"]) == list(expected.log["epoch"]) == [1, 2]
        # Equal but for the order in which two threads add numbers.
        np.testing.assert_allclose(fold.log[FIGURES], expected.log[FIGURES], rtol=5e-3, atol=5e-3)
        pd.testing.assert_frame_equal(fold.split[["part"]], expected.split[["part"]])
    left = [path.name for path in run.rglob(".*") if path.name != ".lock"]
    assert left == []


def test_a_second_run_into_the_folder_is_refused_while_the_first_one_trains(
    corpus, changes, cache, tmp_path, monkeypatch
):
    """That another process is refused as another call is: tests/test_lock.py."""
    manifest = sertk.corpora.load("synthetic", corpus)
    arguments = ("004-cnn-mfcc", manifest, tmp_path / "run")

    def fit(*_, **__):
        with pytest.raises(ValueError, match="another process is writing to this folder"):
            sertk.train(*arguments, changes=changes, cache=cache, verbose=0)
        raise KeyboardInterrupt

    monkeypatch.setattr(keras.Model, "fit", fit)
    with pytest.raises(KeyboardInterrupt):
        sertk.train(*arguments, changes=changes, cache=cache, verbose=0)
