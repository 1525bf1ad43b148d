"""Cross-validation: fold after fold, each clip tested on once, mean and standard deviation over the folds."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics

import sertk

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def run(tiny_corpus, small, cache, tmp_path_factory):
    changes = {**small, "split.kind": "speaker-k-fold", "split.k": 3, "split.validation": 1, "training.epochs": 1}
    directory = tmp_path_factory.mktemp("runs") / "folds"
    return sertk.train("004-cnn-mfcc", tiny_corpus, directory, changes=changes, cache=cache, verbose=0)


@pytest.fixture(scope="module")
def metrics(run, cache):
    return sertk.evaluate(run, cache=cache, resamples=50)


def test_each_clip_is_tested_on_once_by_a_model_that_never_heard_its_speaker(run, metrics, tiny_corpus):
    assert [fold.directory.name for fold in run.folds] == ["fold-1", "fold-2", "fold-3"]
    pooled = pd.read_csv(run.path("report", "predictions.csv"))
    assert sorted(pooled["path"]) == sorted(tiny_corpus["path"])
    for fold in run.folds:
        heard = fold.split.loc[fold.split["part"] == "train", "speaker"]
        tested = pooled.loc[pooled["fold"] == fold.directory.name, "speaker"].astype(str)
        assert len(tested) == 28
        assert not set(heard) & set(tested)


def test_mean_and_standard_deviation_are_those_of_the_folds(run, metrics):
    pooled = pd.read_csv(run.path("report", "predictions.csv"))
    uar = [
        sklearn.metrics.balanced_accuracy_score(fold["emotion"], fold["predicted"])
        for _, fold in pooled.groupby("fold")
    ]
    assert metrics["folds"]["uar"]["values"] == pytest.approx(uar)
    assert metrics["folds"]["uar"]["mean"] == pytest.approx(np.mean(uar))
    assert metrics["folds"]["uar"]["sd"] == pytest.approx(np.std(uar, ddof=1))
    assert metrics["accuracy"] == pytest.approx(np.mean(pooled["emotion"] == pooled["predicted"]))


def test_the_report_tells_the_folds_first_and_each_fold_has_one_of_its_own(run, metrics):
    page = run.path("report", "report.md").read_text()
    uar = metrics["folds"]["uar"]
    headline = f"**UAR {100 * uar['mean']:.1f} % ± {100 * uar['sd']:.1f}**"
    assert page.index(headline) < page.index("## Protocol")
    for words in ("| fold-3 |", "| standard deviation |", "speaker-k-fold, k 3, validation 1, seed 0", "| folds | 3 |"):
        assert words in page
    for fold, value in zip(run.folds, uar["values"], strict=True):
        there = json.loads(fold.path("report", "metrics.json").read_text())
        assert there["metrics"]["uar"] == pytest.approx(value)
        assert fold.path("report", "learning_curves.png").is_file()


def test_the_validation_parts_are_measured_too(run, cache):
    metrics = sertk.evaluate(run, "validation", cache=cache, resamples=0)
    assert len(metrics["folds"]["uar"]["values"]) == 3
    assert metrics["clips"] == 3 * 14


def test_a_cross_validation_has_no_model_of_its_own(run, tmp_path):
    for use in (
        run.model,
        lambda: sertk.export_saved_model(run, tmp_path / "out"),
        lambda: sertk.Predictor(run.directory),
    ):
        with pytest.raises(ValueError, match=r"is a cross-validation, which has a model a fold; choose one.*fold-1"):
            use()


def test_folds_that_are_not_trained_are_named(run, cache, tmp_path):
    shutil.copytree(run.directory, tmp_path / "half")
    (tmp_path / "half" / "fold-2" / "model.keras").unlink()
    with pytest.raises(ValueError, match=r"1 of 3 folds .* Received: fold-2"):
        sertk.evaluate(tmp_path / "half", cache=cache)


def test_the_same_call_finds_it_finished_and_another_is_refused(run, tiny_corpus, small, cache):
    changes = {**small, "split.kind": "speaker-k-fold", "split.k": 3, "split.validation": 1, "training.epochs": 1}
    before = [fold.path("model.keras").stat().st_mtime_ns for fold in run.folds]
    options = {"cache": cache, "verbose": 0}
    again = sertk.train("004-cnn-mfcc", tiny_corpus, run.directory, changes=changes, **options)
    assert [fold.path("model.keras").stat().st_mtime_ns for fold in again.folds] == before
    with pytest.raises(ValueError, match="holds a run with other settings"):
        sertk.train("004-cnn-mfcc", tiny_corpus, run.directory, changes={**changes, "split.k": 2}, **options)


def test_a_split_without_validation_trains_all_its_epochs_and_keeps_the_last(tiny_corpus, small, cache, tmp_path):
    changes = {**small, "split.kind": "random", "split.fractions": [0.75, 0.25], "training.patience": 1}
    run = sertk.train("004-cnn-mfcc", tiny_corpus, tmp_path / "run", changes=changes, cache=cache, verbose=0)
    assert list(run.log["epoch"]) == [1, 2]
    assert "val_loss" not in run.log
    assert sertk.evaluate(run, cache=cache, resamples=0)["clips"] == 21
    assert "| validation part | none |" in run.path("report", "report.md").read_text()
    with pytest.raises(ValueError, match="its split has no validation part"):
        sertk.evaluate(run, "validation", cache=cache)


def test_bad_clips_are_an_error_or_are_left_out_on_demand(tiny_corpus, small, cache, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    manifest = tiny_corpus.copy()
    manifest.loc[5, "path"] = str(broken)
    options = {"changes": {**small, "split.kind": "random", "training.epochs": 1}, "cache": cache, "verbose": 0}
    with pytest.raises(ValueError, match=r"broken\.wav"):
        sertk.train("004-cnn-mfcc", manifest, tmp_path / "refused", **options)
    with pytest.warns(UserWarning, match=r"left out 1 clips that can't be decoded, the first .*broken\.wav"):
        run = sertk.train("004-cnn-mfcc", manifest, tmp_path / "run", skip_bad=True, **options)
    assert str(broken) not in set(run.split["path"])
    assert len(run.split) == len(manifest) - 1
    (entry,) = pd.read_csv(run.path("skipped.csv")).to_dict("records")
    assert entry["path"] == str(broken)
