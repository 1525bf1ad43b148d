"""A run on chunks: a clip's chunks stay together, figures a chunk and a clip, the leaking form says that it leaks."""

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics

import sertk
from sertk.audio import chunk_starts, read
from sertk.inference import Predictor

CHUNKS = {
    "chunks.seconds": 0.2,
    "features.n_fft": 256,
    "features.hop_length": 80,
    "training.epochs": 1,
}


@pytest.fixture(scope="module")
def run(tiny_corpus, cache, small, tmp_path_factory):
    """A network on chunks of 200 ms, 41 frames at a hop of 5 ms."""
    changes = {**small, **CHUNKS, "chunks.counts": [70, 21, 21]}
    directory = tmp_path_factory.mktemp("chunked") / "run"
    return sertk.train("004-cnn-mfcc", tiny_corpus, directory, changes=changes, cache=cache, verbose=0)


def test_chunks_stay_with_their_clip_and_are_drawn(run):
    split = run.split
    assert split["part"].value_counts().to_dict() == {"train": 70, "validation": 21, "test": 21}
    assert (split.groupby("path")["part"].nunique() == 1).all()
    assert sertk.corpora.speakers_apart(split)
    each = split.groupby("part")["emotion"].value_counts()
    assert {part: set(each[part]) for part in ("train", "validation", "test")} == {
        "train": {10},
        "validation": {3},
        "test": {3},
    }


def test_figures_of_chunks_and_of_clips_are_scikit_learns(run, cache):
    metrics = sertk.evaluate(run, cache=cache)
    table = pd.read_csv(run.path("report", "predictions.csv"))
    assert (metrics["clips"], metrics["by_clip"]["clips"]) == (21, table["path"].nunique())
    assert metrics["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(table["emotion"], table["predicted"]))
    truth = table.groupby("path")["emotion"].first()
    mean = table.groupby("path")[[f"p_{name}" for name in run.classes]].mean()
    said = mean.idxmax(axis=1).str.removeprefix("p_")
    assert metrics["by_clip"]["uar"] == pytest.approx(sklearn.metrics.balanced_accuracy_score(truth, said))
    report = run.path("report", "report.md").read_text()
    assert f"on {len(truth)} test clips. What follows is over chunks." in report
    assert "200 ms of the voiced parts (-30 dB), 70/21/21 drawn, those of a clip in one part" in report
    assert "LEAKS" not in report


def test_asked_about_a_recording_it_averages_over_the_voiced_chunks(run, tiny_corpus):
    path = tiny_corpus["path"][0]
    waveform = read(path)
    starts = chunk_starts(waveform, seconds=0.2)
    assert len(starts) > 1
    alone = [np.asarray(run.model()(waveform[None, start : start + 3_200]))[0] for start in starts]
    np.testing.assert_allclose(Predictor(run.directory).probabilities(waveform), np.mean(alone, axis=0), atol=1e-6)
    # Where nothing is voiced there is still an answer.
    assert Predictor(run.directory).probabilities(np.zeros(16_000)).sum() == pytest.approx(1, abs=1e-5)


def test_the_same_call_goes_on_with_it_and_another_draw_is_another_run(run, tiny_corpus, cache, small):
    changes = {**small, **CHUNKS, "chunks.counts": [70, 21, 21]}
    again = sertk.train("004-cnn-mfcc", tiny_corpus, run.directory, changes=changes, cache=cache, verbose=0)
    assert again.finished
    changes["chunks.counts"] = [63, 21, 21]
    with pytest.raises(ValueError, match="holds a run with other settings"):
        sertk.train("004-cnn-mfcc", tiny_corpus, run.directory, changes=changes, cache=cache, verbose=0)


def test_scattered_chunks_say_that_they_leak(tiny_corpus, cache, small, tmp_path):
    changes = {**small, **CHUNKS, "chunks.together": False, "chunks.counts": [70, 21, 21]}
    run = sertk.train("004-cnn-mfcc", tiny_corpus, tmp_path, changes=changes, cache=cache, verbose=0)
    sertk.evaluate(run, cache=cache)
    report = run.path("report", "report.md").read_text()
    assert "**Note:** THIS SPLIT LEAKS: chunks of one clip are in several parts" in report
    assert "those of a clip in all parts" in report
    del changes["chunks.counts"]
    with pytest.raises(ValueError, match=r"`chunks\.counts` must say how many chunks each part has"):
        sertk.train("004-cnn-mfcc", tiny_corpus, tmp_path / "b", changes=changes, cache=cache, verbose=0)
