"""Runs that are killed with SIGKILL, or by a full disk, and called again: nothing lost, nothing done twice."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sertk

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
def call(corpus, changes, cache):
    """Calls the training of a folder in a process of its own; returns how it ended."""

    def begin(directory, moment="never"):
        return subprocess.run(
            [sys.executable, str(SCRIPT), str(corpus), str(directory), json.dumps(changes), moment],
            env={**os.environ, "SERTK_CACHE": str(cache), "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return begin


@pytest.fixture(scope="module")
def uninterrupted(corpus, changes, cache, tmp_path_factory):
    directory = tmp_path_factory.mktemp("runs") / "whole"
    return sertk.train(
        "004-cnn-mfcc", sertk.corpora.load("synthetic", corpus), directory, changes=changes, cache=cache, verbose=0
    )


def rows(run):
    """How many rows the logs of the folds hold, as far as there are any."""
    return [
        len(pd.read_csv(path)) if (path := run / name / "training" / "log.csv").exists() else 0
        for name in ("fold-1", "fold-2")
    ]


def test_killed_at_any_moment_the_same_call_goes_on_at_the_last_finished_epoch(call, uninterrupted, tmp_path):
    run, before = tmp_path / "run", [0, 0]
    for moment in MOMENTS:
        ended = call(run, moment)
        assert ended.returncode == -signal.SIGKILL, f"{moment}: {ended.stderr[-2000:]}"
        after = rows(run)
        assert all(now >= then for now, then in zip(after, before, strict=True)), moment
        before = after
    assert before == [2, 1]
    ended = call(run)
    assert ended.stdout.splitlines()[-1] == "finished [2, 2]", ended.stderr[-2000:]

    for fold, expected in zip(sertk.Run.open(run).folds, uninterrupted.folds, strict=True):
        assert list(fold.log["epoch"]) == list(expected.log["epoch"]) == [1, 2]
        # Equal but for the order in which two threads add numbers.
        np.testing.assert_allclose(fold.log[FIGURES], expected.log[FIGURES], rtol=5e-3, atol=5e-3)
        pd.testing.assert_frame_equal(fold.split[["part"]], expected.split[["part"]])
    left = [path.name for path in run.rglob(".*") if path.name != ".lock"]
    assert left == []


def test_a_second_run_into_the_folder_is_refused_while_the_first_one_lives(corpus, changes, cache, tmp_path):
    arguments = [sys.executable, str(SCRIPT), str(corpus), str(tmp_path / "run"), json.dumps(changes), "never"]
    environment = {**os.environ, "SERTK_CACHE": str(cache)}
    with subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
        while not (tmp_path / "run" / "recipe.json").exists():
            assert first.poll() is None
        manifest = sertk.corpora.load("synthetic", corpus)
        with pytest.raises(ValueError, match="another process is writing to this folder"):
            sertk.train("004-cnn-mfcc", manifest, tmp_path / "run", changes=changes, cache=cache, verbose=0)
        first.kill()


@pytest.fixture
def small_disk(tmp_path):
    """A function that mounts a disk of some kilobytes, or makes it larger; skips where that is not allowed."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def resize(kilobytes):
        options = f"size={kilobytes}k" + (",remount" if disk.is_mount() else "")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], capture_output=True)
        if mounted.returncode:
            pytest.skip("mounting a small disk needs more rights")
        return disk

    yield resize
    if disk.is_mount():
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_ends_in_one_line_and_loses_nothing(small_disk, corpus, changes, cache):
    """A checkpoint takes about 350 kB: no room for the first one, room for one but not for two, room for all."""
    arguments = ["train", "004-cnn-mfcc", "--corpus", f"synthetic={corpus}", "--cache", str(cache)]
    arguments += [word for key, value in changes.items() for word in ("--set", f"{key}={json.dumps(value)}")]
    epochs = []
    for kilobytes in (20, 120, 480, 20_000):
        disk = small_disk(kilobytes)
        ended = subprocess.run(
            [sys.executable, "-m", "sertk.cli", *arguments, "-o", str(disk / "run")],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        epochs.append(rows(disk / "run"))
        if kilobytes < 20_000:
            assert ended.returncode == 1, ended.stderr
            line = ended.stderr.strip().splitlines()[-1]
            assert line.startswith(f"sertk: {disk}")
            assert line.endswith("Received: No space left on device")
            assert "Traceback" not in ended.stderr
        else:
            assert ended.returncode == 0, ended.stderr
    assert epochs == [[0, 0], [0, 0], [1, 0], [2, 2]]
