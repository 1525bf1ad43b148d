"""A run on chunks: a clip's chunks stay together, figures a chunk and a clip, the leaking form says that it leaks."""

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics

import sertk
from sertk.audio import chunk_starts, read
from sertk.inference import Predictor
from sertk.recipes import draw

pytestmark = pytest.mark.usefixtures("eagerly")

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
    assert f"on {len(truth)} test clips." in report
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


@pytest.mark.slow
def test_folds_of_chunks(tiny_corpus, cache, small, tmp_path):
    """Each fold measures other speakers; a clip's figure is by the model of its fold."""
    kind = {"split.kind": "speaker-k-fold", "split.k": 3, "split.validation": 0}
    changes = {**{key: value for key, value in small.items() if not key.startswith("split")}, **CHUNKS, **kind}
    run = sertk.train("004-cnn-mfcc", tiny_corpus, tmp_path, changes=changes, cache=cache, verbose=0)
    for fold in run.folds:
        assert (fold.split.groupby("path")["part"].nunique() == 1).all()
    metrics = sertk.evaluate(run, cache=cache)
    assert metrics["by_clip"]["clips"] == len(tiny_corpus)
    assert metrics["clips"] > len(tiny_corpus)
    truth, said = [], []
    for fold in run.folds:
        table = pd.read_csv(fold.path("report", "predictions.csv"))
        mean = table.groupby("path")[[f"p_{name}" for name in run.classes]].mean()
        truth.append(table.groupby("path")["emotion"].first())
        said.append(mean.idxmax(axis=1).str.removeprefix("p_"))
    uars = [sklearn.metrics.balanced_accuracy_score(*pair) for pair in zip(truth, said, strict=True)]
    assert metrics["by_clip"]["folds"]["uar"]["values"] == pytest.approx(uars)
    report = run.path("report", "report.md").read_text()
    assert "each chunk counts once" in report
    assert f"UAR {100 * np.mean(uars):.1f} % ± {100 * np.std(uars, ddof=1):.1f}" in report


def test_what_is_exported_says_that_it_hears_chunks(run, tmp_path):
    sertk.export_saved_model(run, tmp_path / "1")
    waveform = 0.1 * np.random.default_rng(0).standard_normal(3_200).astype("float32")
    served, kept = Predictor(tmp_path / "1"), Predictor(run.directory)
    assert (served.chunks_top_db, served.samples) == (30.0, 3_200)
    np.testing.assert_allclose(served.probabilities(waveform), kept.probabilities(waveform), atol=1e-5)


def test_images_of_folds_are_those_of_all_chunks(tiny_corpus, cache, tmp_path):
    changes = {"split.kind": "speaker-k-fold", "chunks.counts": None, "labels": "seven"}
    changes |= {"features.height": 16, "features.width": 16, "chunks.seconds": 0.2}
    table = draw("001-squeezenet", tiny_corpus, tmp_path / "images", changes=changes, cache=cache, progress=False)
    assert len(table) == sum(len(chunk_starts(read(path), seconds=0.2)) for path in tiny_corpus["path"])
    assert "chunk_start" in table


def test_a_column_of_ones_own_does_not_make_chunks(tiny_corpus, cache, small, tmp_path):
    corpus = tiny_corpus.assign(start=0.5, chunk_start=3)
    run = sertk.train("004-cnn-mfcc", corpus, tmp_path, changes={**small, "training.epochs": 1}, cache=cache, verbose=0)
    assert "chunk_start" not in run.split
    assert "by_clip" not in sertk.evaluate(run, cache=cache)


def test_scattered_chunks_say_that_they_leak(tiny_corpus, cache, small, tmp_path):
    changes = {**small, **CHUNKS, "split.kind": "random", "chunks.together": False, "chunks.counts": [70, 21, 21]}
    run = sertk.train("004-cnn-mfcc", tiny_corpus, tmp_path, changes=changes, cache=cache, verbose=0)
    sertk.evaluate(run, cache=cache)
    report = run.path("report", "report.md").read_text()
    assert "**Note:** THIS SPLIT LEAKS: chunks of one clip are in several parts" in report
    assert "those of a clip in all parts" in report
    assert "| split | chunks scattered over all parts, seed 0 |" in report
    for wrong in ({"chunks.counts": None}, {"split.kind": "speaker"}):
        with pytest.raises(ValueError, match=r"`chunks\.together=false` scatters the chunks over all parts at random"):
            sertk.train("004-cnn-mfcc", tiny_corpus, tmp_path / "b", changes={**changes, **wrong}, cache=cache)
