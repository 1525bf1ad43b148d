"""A run from manifest to report: what it leaves, that its figures are right, that it can't be mixed up with another."""

import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics

import sertk
from sertk.audio import read
from sertk.cli import app
from sertk.recipes.prepared import prepare

pytestmark = pytest.mark.usefixtures("eagerly")


def test_the_folder_holds_all_that_is_needed_to_do_it_again(finished_run, tiny_corpus):
    settings = json.loads(finished_run.path("recipe.json").read_text())
    assert settings["recipe"]["training"]["epochs"] == 2
    assert settings["classes"] == sorted(set(tiny_corpus["emotion"]))
    environment = json.loads(finished_run.path("environment.json").read_text())
    assert {"tensorflow", "keras", "numpy"} <= set(environment["packages"])
    split = sertk.corpora.load_manifest(finished_run.path("split.csv"))
    assert sorted(split["path"]) == sorted(tiny_corpus["path"])
    sertk.corpora.check_split(split, "speaker")
    assert finished_run.path("model.keras").is_file()
    assert list(finished_run.log["epoch"]) == [1, 2]


def test_without_patience_all_epochs_are_trained_and_the_last_one_is_kept(tiny_corpus, small, cache, tmp_path):
    """The rate is so high at first that an early stop of one epoch would end it."""
    changes = {
        **small,
        "training.epochs": 4,
        "training.learning_rate": 0.1,
        "training.warmup": 1,
        "model.width": 4,
        "training.members": 1,
    }
    run = sertk.train("attentive-mel", tiny_corpus, tmp_path, changes=changes, cache=cache, verbose=0)
    assert (list(run.log["epoch"]), run.kept_epoch) == ([1, 2, 3, 4], 4)
    assert [path.name for path in run.path("training").glob("*.h5")] == ["epoch-0004.weights.h5"]
    sertk.evaluate(run, cache=cache)
    assert "| kept epoch | 4 |" in run.path("report", "report.md").read_text()


def test_a_run_that_is_judged_every_few_steps(tiny_corpus, small, cache, tmp_path):
    """42 clips, three times, in batches of 8 are 16 batches: 8 steps of two batches, judged after 3, 6 and 8."""
    changes = {
        **small,
        "training.epochs": 3,
        "training.batch_size": 8,
        "training.accumulation": 2,
        "training.evaluate_every": 3,
    }
    run = sertk.train("004-cnn-mfcc", tiny_corpus, tmp_path / "run", changes=changes, cache=cache, verbose=0)
    assert list(run.log["step"]) == [3, 6, 8]
    sertk.evaluate(run, cache=cache)
    report = (tmp_path / "run" / "report" / "report.md").read_text()
    assert "3 at most, judged 3 times" in report
    assert f"step {run.log['step'][run.kept_epoch - 1]}" in report


@pytest.mark.slow
def test_members_are_trained_apart_and_averaged(tiny_corpus, small, cache, tmp_path, monkeypatch):
    """Each has seeds and a folder of its own; killed after the first, the run goes on with the second."""
    changes = {**small, "training.members": 2, "training.epochs": 1, "model.width": 4, "training.warmup": 0}
    arguments = {"changes": changes, "cache": cache, "verbose": 0}
    ordinary, calls = keras.Model.fit, []

    def killed_in_the_second(self, *args, **kwargs):
        calls.append(self)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return ordinary(self, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(keras.Model, "fit", killed_in_the_second)
        with pytest.raises(KeyboardInterrupt):
            sertk.train("attentive-mel", tiny_corpus, tmp_path / "run", **arguments)
    first = (tmp_path / "run" / "training" / "log.csv").read_bytes()
    run = sertk.train("attentive-mel", tiny_corpus, tmp_path / "run", **arguments)
    assert run.path("training", "log.csv").read_bytes() == first
    assert run.path("training-2", "epoch-0001.weights.h5").is_file()

    together = run.model().get_layer("ensemble")
    one, two = (together.get_layer(f"attentive_cnn_{member}") for member in (1, 2))
    features = np.random.default_rng(0).standard_normal((4, *together.input_shape[1:])).astype("float32")
    assert not np.allclose(one(features), two(features))
    np.testing.assert_allclose(
        together(features), (np.asarray(one(features)) + np.asarray(two(features))) / 2, atol=1e-6
    )
    sertk.evaluate(run, cache=cache)
    assert "| members | 2; epochs are the first one's |" in run.path("report", "report.md").read_text()
    alone = sertk.train(
        "attentive-mel",
        tiny_corpus,
        tmp_path / "alone",
        changes={**changes, "training.members": 1},
        cache=cache,
        verbose=0,
    )
    np.testing.assert_allclose(alone.log["loss"], run.log["loss"], rtol=1e-3)


def test_a_run_of_an_older_version_goes_on(finished_run, tiny_corpus, small, cache, tmp_path):
    """Its recipe lacks settings that came later, which have their defaults here; its title may have been reworded."""
    shutil.copytree(finished_run.directory, tmp_path / "old")
    settings = json.loads((tmp_path / "old" / "recipe.json").read_text())
    del settings["recipe"]["chunks"]
    for name in ("members", "monitor", "schedule", "optimizer"):
        del settings["recipe"]["training"][name]
    settings["recipe"]["title"] = "Another title"
    (tmp_path / "old" / "recipe.json").write_text(json.dumps(settings))
    arguments = {"cache": cache, "verbose": 0}
    again = sertk.train("004-cnn-mfcc", tiny_corpus, tmp_path / "old", changes=small, **arguments)
    assert again.finished
    with pytest.raises(ValueError, match="holds a run with other settings"):
        sertk.train("004-cnn-mfcc", tiny_corpus, tmp_path / "old", changes={**small, "training.epochs": 3}, **arguments)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training.retrain": True, "training.patience": None}, r"`training\.retrain` trains anew for the best number"),
        ({"training.members": 0}, r"`training\.members` must be at least 1"),
        ({"training.schedule": "step"}, r"`training\.schedule` must be one of"),
        ({"features.kind": "plp"}, r"`features\.kind` must be one of"),
        (
            {"features.kind": "waveform"},
            r"`features\.kind` must be what the network takes, for cnn mfcc, log_mel or an",
        ),
        ({"model.builder": "ssl_classifier"}, r"must be what the network takes, for ssl_classifier waveform"),
        ({"audio.seconds": None}, r"`audio\.seconds` may be None only where .*; set audio\.pad=batch too"),
        ({"audio.pad": "batch"}, r"`audio\.pad` can be batch only .*; change features\.kind or audio\.pad"),
    ],
    ids=str,
)
def test_slips_are_told_before_a_clip_is_looked_at(changes, message, tiny_corpus, tmp_path):
    nowhere = tiny_corpus.assign(path="nowhere.wav")
    with pytest.raises(ValueError, match=message):
        sertk.train("004-cnn-mfcc", nowhere, tmp_path / "run", changes=changes, verbose=0)
    assert not (tmp_path / "run").exists()


def test_the_path_of_weights_is_good_in_any_folder(tiny_corpus, cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe, _, _ = prepare("004-vgg16-1", tiny_corpus, {"model.weights": Path("w.h5")}, cache=cache, progress=False)
    assert recipe.model.options["weights"] == str(tmp_path / "w.h5")


def test_figures_are_scikit_learns_on_what_the_saved_model_says(finished_run, cache):
    metrics = sertk.evaluate(finished_run, cache=cache)
    table = pd.read_csv(finished_run.path("report", "predictions.csv"))
    assert metrics["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(table["emotion"], table["predicted"]))
    uar = sklearn.metrics.balanced_accuracy_score(table["emotion"], table["predicted"])
    assert metrics["uar"] == pytest.approx(uar)
    split = finished_run.split
    assert sorted(table["path"]) == sorted(split.loc[split["part"] == "test", "path"])

    model = finished_run.model()  # takes whole files, where the evaluation took cut clips
    for row in table.iloc[::9].to_dict("records"):
        alone = np.asarray(model(read(row["path"])[None]))[0]
        expected = [row[f"p_{name}"] for name in finished_run.classes]
        np.testing.assert_allclose(alone, expected, atol=1e-5)


def test_report_says_what_was_measured_and_warns(finished_run, cache):
    sertk.evaluate(finished_run, cache=cache)
    report = finished_run.path("report", "report.md").read_text()
    for words in ("synthetic", "speaker, 0.5/0.25/0.25, seed 0", "sertk.train('004-cnn-mfcc'", "confusion.png"):
        assert words in report
    assert json.loads(finished_run.path("report", "metrics.json").read_text())["metrics"]["clips"] > 0


def test_validation_part_has_its_own_report(finished_run, cache):
    metrics = sertk.evaluate(finished_run, "validation", cache=cache)
    assert metrics["clips"] == (finished_run.split["part"] == "validation").sum()
    assert finished_run.path("report-validation", "report.md").is_file()
    with pytest.raises(ValueError, match='`part` must be "test" or "validation"'):
        sertk.evaluate(finished_run, "train")


def test_the_same_call_finds_the_run_finished(finished_run, tiny_corpus, small, cache):
    before = finished_run.path("model.keras").stat().st_mtime_ns
    shuffled = tiny_corpus.sample(frac=1, random_state=0)
    again = sertk.train("004-cnn-mfcc", shuffled, finished_run.directory, changes=small, cache=cache, verbose=0)
    assert again.path("model.keras").stat().st_mtime_ns == before


def test_another_run_is_not_let_into_the_folder(finished_run, tiny_corpus, small, cache):
    options = {"cache": cache, "verbose": 0}
    with pytest.raises(ValueError, match="holds a run with other settings"):
        sertk.train("004-cnn-mfcc", tiny_corpus, finished_run.directory, changes={**small, "dropout": 0.1}, **options)
    fewer = tiny_corpus.drop(index=tiny_corpus.index[0])
    with pytest.raises(ValueError, match="holds a run with other clips"):
        sertk.train("004-cnn-mfcc", fewer, finished_run.directory, changes=small, **options)


def test_a_folder_with_something_else_in_it_is_left_alone(tiny_corpus, small, cache, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="neither empty nor a run's folder"):
        sertk.train("004-cnn-mfcc", tiny_corpus, tmp_path, changes=small, cache=cache, verbose=0)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_retraining_goes_on_for_the_best_number_of_epochs(tiny_corpus, small, cache, tmp_path):
    changes = {**small, "training.retrain": True, "training.epochs": 3}
    run = sertk.train("004-cnn-mfcc", tiny_corpus, tmp_path / "run", changes=changes, cache=cache, verbose=0)
    best = int(run.log["epoch"][run.log["val_loss"].idxmin()])
    assert len(pd.read_csv(run.path("retraining", "log.csv"))) == best


def test_skipped_files_are_kept_with_the_run(tiny_corpus, small, cache, tmp_path):
    manifest = tiny_corpus.copy()
    manifest.attrs["skipped"] = [{"path": "noise.wav", "reason": "its name says nothing"}]
    changes = {**small, "training.epochs": 1}
    run = sertk.train("004-cnn-mfcc", manifest, tmp_path / "run", changes=changes, cache=cache, verbose=0)
    assert pd.read_csv(run.path("skipped.csv")).to_dict("records") == manifest.attrs["skipped"]


def test_normalisation_is_fitted_on_the_training_part(finished_run):
    """Mean 0 and variance 1 in every band, over the training clips and over nothing else."""
    model = finished_run.model()
    mfcc, normalization, cut = (model.get_layer(name) for name in ("mfcc", "normalization", "fixed_length"))
    split = finished_run.split

    def features(part):
        clips = [read(path) for path in split.loc[split["part"] == part, "path"]]
        return np.concatenate([np.asarray(normalization(mfcc(cut(clip[None]))))[0] for clip in clips])

    train = features("train")
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(train.std(axis=0), 1, atol=1e-3)
    assert np.abs(features("test").mean(axis=0)).max() > 0.02


def test_normalisation_is_that_of_the_whole_part_where_a_round_is_a_few_batches(tiny_corpus, small, cache, tmp_path):
    """42 clips in batches of 8, judged after each: a round sees 8 of them."""
    changes = {**small, "training.epochs": 1, "training.batch_size": 8, "training.evaluate_every": 1}
    run = sertk.train("004-cnn-mfcc", tiny_corpus, tmp_path / "run", changes=changes, cache=cache, verbose=0)
    mfcc, normalization, cut = (run.model().get_layer(name) for name in ("mfcc", "normalization", "fixed_length"))
    paths = run.split.loc[run.split["part"] == "train", "path"]
    assert (len(paths), len(run.log)) == (42, 6)
    train = np.concatenate([np.asarray(mfcc(cut(read(path)[None])))[0] for path in paths])
    np.testing.assert_allclose(np.ravel(normalization.mean), train.mean(axis=0), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(np.ravel(normalization.variance), train.var(axis=0), rtol=1e-3)


@pytest.mark.parametrize(
    ("joined", "parts", "said"),
    [
        (True, ("test", "validation"), "3 epochs; the validation part trained too."),
        (True, ("test",), "3 epochs; the split has no validation part."),
        (False, ("test",), "3 epochs; the split has no validation part."),
    ],
)
@pytest.mark.parametrize("folds", [(), ("fold-1", "fold-2")])
def test_without_validation_figures_it_is_said_why(joined, parts, said, folds, write_run, tmp_path):
    changes = {"training.join_validation": joined}
    run = sertk.Run(write_run(tmp_path / "run", [0, 0] if folds else 0, changes, folds=folds, parts=parts))
    for one in run.folds or [run]:
        one.path("training").mkdir()
        one.path("training", "log.csv").write_text("epoch,loss\n1,3\n2,2\n3,1\n")
    assert app._training(run) == said


@pytest.mark.parametrize("directory", ["nowhere", "empty"])
def test_what_is_no_run_is_refused(directory, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises((ValueError, FileNotFoundError), match=r"no such run folder|holds no run"):
        sertk.Run.open(tmp_path / directory)


def test_a_run_goes_on_though_the_corpus_is_named_from_another_place(tiny_corpus, small, cache, tmp_path, monkeypatch):
    """Relative, with "..", or by a link: the same files."""
    changes = {**small, "training.epochs": 1}
    options = {"changes": changes, "cache": cache, "verbose": 0}
    root = Path(tiny_corpus["path"].iloc[0]).parents[1]
    (tmp_path / "link").symlink_to(root)
    monkeypatch.chdir(tmp_path)

    def renamed(place):
        paths = [str(place / Path(path).relative_to(root)) for path in tiny_corpus["path"]]
        return tiny_corpus.assign(path=pd.array(paths, dtype="string"))

    run = sertk.train("004-cnn-mfcc", renamed(Path("link")), "run", **options)
    assert all(Path(path).is_absolute() for path in run.split["path"])
    before = run.path("model.keras").stat().st_mtime_ns
    for place in (root, tmp_path / "link", tmp_path / "link" / ".." / root.name):
        again = sertk.train("004-cnn-mfcc", renamed(place), "run", **options)
        assert again.path("model.keras").stat().st_mtime_ns == before


@pytest.mark.parametrize("column", ["emotion", "speaker"])
def test_clips_that_mean_something_else_now_are_other_clips(column, finished_run, tiny_corpus, small, cache):
    other = tiny_corpus.copy()
    other[column] = other[column].replace(dict(zip(other[column].unique(), other[column].unique()[::-1], strict=True)))
    with pytest.raises(ValueError, match="holds a run with other clips"):
        sertk.train("004-cnn-mfcc", other, finished_run.directory, changes=small, cache=cache, verbose=0)


def test_settings_that_do_not_fit_leave_no_run_behind(tiny_corpus, small, cache, tmp_path):
    options = {"cache": cache, "verbose": 0}
    for slip in ({"features.n_mfcc": 16}, {"model.dropout": 2}, {"features.kind": "mel"}, {"noise.snr": [1.0]}):
        changes = {**small, "noise.fresh": True, **slip}
        with pytest.raises(ValueError, match="Received"):
            sertk.train("004-cnn-mfcc", tiny_corpus, tmp_path / "run", changes=changes, **options)
        assert not (tmp_path / "run" / "recipe.json").exists()


def test_a_file_is_no_folder_for_a_run(tiny_corpus, small, cache, tmp_path):
    (tmp_path / "run").write_text("years of work")
    for place in ("run", "run/below"):
        with pytest.raises(ValueError, match=rf"{tmp_path}/{place}: (is a file|can't be written to); choose"):
            sertk.train("004-cnn-mfcc", tiny_corpus, tmp_path / place, changes=small, cache=cache, verbose=0)


def test_a_corpus_with_bad_clips_is_refused_at_the_door(tiny_corpus, small, cache, tmp_path):
    """What the reader found bad already, from the header; with `skip_bad` it is listed and left out."""
    manifest = tiny_corpus.copy()
    manifest.attrs["skipped"] = [{"path": "cut.wav", "reason": "is empty", "kind": "bad"}]
    options = {"changes": {**small, "training.epochs": 1}, "cache": cache, "verbose": 0}
    with pytest.raises(ValueError, match=r"--skip-bad.* Received: 1 of them: cut\.wav: is empty"):
        sertk.train("004-cnn-mfcc", manifest, tmp_path / "run", **options)
    run = sertk.train("004-cnn-mfcc", manifest, tmp_path / "run", skip_bad=True, **options)
    assert list(pd.read_csv(run.path("skipped.csv"))["path"]) == ["cut.wav"]


def test_a_clip_without_a_corpus_is_refused_by_name(tiny_corpus, small, cache, tmp_path):
    manifest = tiny_corpus.copy()
    manifest.loc[3, "corpus"] = pd.NA
    with pytest.raises(ValueError, match=r"`corpus` must be known .* Received: 1 clips without a corpus"):
        sertk.train("004-cnn-mfcc", manifest, tmp_path / "run", changes=small, cache=cache, verbose=0)
