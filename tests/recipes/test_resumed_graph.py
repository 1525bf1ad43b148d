"""A run with a graph that is killed between its epochs and goes on: the log and the weights of the whole run."""

import itertools
import shutil

import h5py
import numpy as np
import pandas as pd
import pytest

import sertk
from sertk.learning import RunLog

pytestmark = pytest.mark.usefixtures("eagerly")


def weights(run):
    """All that the last checkpoint holds by name, the optimiser's moments too."""
    found = {}
    with h5py.File(run.path("training", "epoch-0002.weights.h5")) as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def test_a_run_with_a_graph_goes_on_as_if_it_had_not_been_killed(tiny_corpus, cache, tmp_path, monkeypatch):
    """What lies in the folder when the second epoch begins is what a process leaves that is killed there."""
    paths = tiny_corpus["path"]
    graph = tmp_path / "graph.tsv"
    graph.write_text("".join(f"{one}\t{other}\t0.9\n" for one, other in itertools.pairwise(paths)))
    changes = {
        "split.fractions": [4, 1, 1],
        "audio.seconds": 0.5,
        "graph.file": str(graph),
        "graph.multiplier": 0.5,
        "training.epochs": 2,
        "model.units": 16,
    }
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    begin = RunLog.on_epoch_begin

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            shutil.copytree(whole, killed)
        begin(self, epoch, logs)

    with monkeypatch.context() as during:
        during.setattr(RunLog, "on_epoch_begin", on_epoch_begin)
        expected = sertk.train("003-resnet9-nsl-3", tiny_corpus, whole, changes=changes, cache=cache, verbose=0)
    assert len(pd.read_csv(killed / "training" / "log.csv")) == 1

    resumed = sertk.train("003-resnet9-nsl-3", tiny_corpus, killed, changes=changes, cache=cache, verbose=0)
    assert list(resumed.log["epoch"]) == [1, 2]
    figures = [name for name in expected.log if name != "seconds"]
    assert "graph_loss" in figures
    # Equal but for the order in which threads add numbers.
    np.testing.assert_allclose(resumed.log[figures], expected.log[figures], rtol=1e-3, atol=1e-3)
    ours, theirs = weights(resumed), weights(expected)
    assert set(ours) == set(theirs)
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-3, atol=5e-4, err_msg=name)
