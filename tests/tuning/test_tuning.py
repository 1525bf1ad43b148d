"""A search carried out: trials that are runs, what is left of them, and what happens when something goes wrong."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import sertk
from sertk.learning import RunLog
from sertk.recipes import Run
from sertk.tuning import Search, SearchSpace, tune, tuner

pytestmark = pytest.mark.usefixtures("eagerly")

FIGURES = ["loss", "accuracy", "val_loss", "val_accuracy"]
RATE = "training.learning_rate"


def space(*rates):
    return SearchSpace(
        "rates", "some rates", "nowhere", ("004-cnn-mfcc",), lambda hp: {RATE: hp.Choice(RATE, list(rates))}
    )


@pytest.fixture(scope="module")
def changes(small):
    return {name: value for name, value in small.items() if name != RATE}


@pytest.fixture
def search(tiny_corpus, changes, cache, tmp_path):
    """A function that searches a grid of learning rates in a folder."""

    def search(*rates, folder=tmp_path / "search", corpus=tiny_corpus, own=None, **options):
        options = {"method": "grid", "cache": cache, "verbose": 0, **options}
        return tune(space(*rates), corpus, folder, changes={**changes, **(own or {})}, **options)

    return search


@pytest.fixture
def epochs(monkeypatch):
    """A list that grows with each epoch that begins: the folder and the epoch."""
    begun, begin = [], RunLog.on_epoch_begin

    def count(self, epoch, logs=None):
        begun.append((self.directory.parents[1].name, epoch + 1))
        begin(self, epoch, logs)

    monkeypatch.setattr(RunLog, "on_epoch_begin", count)
    return begun


def test_a_trial_is_what_train_would_have_trained(search, tiny_corpus, cache, tmp_path):
    """And the best settings, given to `train`, are the best trial again, test part and all."""
    found = search(1e-4, 1e-2)
    table = found.results
    assert list(table["trial"]) == ["0000", "0001"]
    assert list(table["status"]) == ["completed"] * 2
    assert list(table[RATE]) == [1e-4, 1e-2]
    assert list(table["score"]) == list(table["val_accuracy"])
    best = table.loc[table["score"].idxmax()]
    assert found.best[RATE] == best[RATE]
    run = sertk.train("004-cnn-mfcc", tiny_corpus, tmp_path / "run", changes=found.best, cache=cache, verbose=0)
    kept = run.log[run.log["epoch"] == run.kept_epoch].iloc[0]
    np.testing.assert_allclose(best[FIGURES].astype(float), kept[FIGURES], rtol=1e-4)
    assert best["kept_epoch"] == run.kept_epoch
    trial = Run(found.path(f"trial_{best['trial']}", "run"))
    pd.testing.assert_frame_equal(
        trial.split, run.split[run.split["part"] != "test"].reset_index(drop=True), check_like=True
    )
    assert trial.recipe == run.recipe
    assert sertk.evaluate(run, resamples=10)["clips"] > 0


def test_the_search_never_sees_the_test_part(search, tiny_corpus, changes, tmp_path):
    """The files of the test part are gone before it begins: it finds the same, and decodes none of them."""
    whole = search(1e-4, 1e-2)
    folder = tmp_path / "copy"
    shutil.copytree(tiny_corpus["path"].iloc[0].rsplit("/", 2)[0], folder)
    corpus = sertk.corpora.load("synthetic", folder)
    parts = sertk.corpora.divide(corpus, "speaker", fractions=(0.5, 0.25, 0.25))[0][1]
    tested = parts[parts["part"] == "test"]
    assert len(tested)
    for path in tested["path"]:
        (folder / path).unlink()
    blind = search(1e-4, 1e-2, folder=tmp_path / "blind", corpus=corpus, cache=tmp_path / "empty")
    pd.testing.assert_frame_equal(blind.results.drop(columns="seconds"), whole.results.drop(columns="seconds"))
    assert set(sertk.corpora.load_manifest(blind.path("split.csv"))["part"]) == {"train", "validation"}
    decoded = [path for path in (tmp_path / "empty").rglob("*") if path.stat().st_size > 10_000 and path.is_file()]
    assert len(decoded) == len(corpus) - len(tested)


@pytest.mark.slow
def test_a_promoted_trial_goes_on_from_its_checkpoint(search, tiny_corpus, changes, cache, epochs, tmp_path):
    """Three trials of one epoch, the best of them two more: as one training of three epochs, in two folders."""
    found = search(1e-4, 1e-3, 1e-2, 3e-2, 3e-3, method="hyperband", max_epochs=3)
    table = found.results.set_index("trial")
    assert list(table["epochs"][:4]) == [1, 1, 1, 3]
    source = table["goes_on_from"]["0003"]
    assert table["score"][source] == table["score"][:3].max()
    assert [epoch for folder, epoch in epochs if folder == "trial_0003"] == [2, 3]
    own = {**changes, RATE: float(table[RATE]["0003"]), "training.epochs": 3}
    whole = sertk.train("004-cnn-mfcc", tiny_corpus, tmp_path / "whole", changes=own, cache=cache, verbose=0)
    halves = Run(found.path("trial_0003", "run"))
    assert list(halves.log["epoch"]) == [1, 2, 3]
    np.testing.assert_allclose(halves.log[FIGURES], whole.log[FIGURES], rtol=1e-4)
    assert not list(found.directory.rglob("*.h5"))
    assert not list(found.directory.rglob("*.keras"))


@pytest.mark.slow
def test_a_falling_rate_begins_anew_in_a_longer_trial(search, tiny_corpus, changes, cache, epochs, tmp_path):
    """A cosine over one epoch is no part of a cosine over three."""
    own = {"training.schedule": "cosine"}
    found = search(1e-3, 1e-2, 3e-3, 1e-4, 3e-2, method="hyperband", max_epochs=3, trials=4, own=own)
    assert [epoch for folder, epoch in epochs if folder == "trial_0003"] == [1, 2, 3]
    own = {**changes, **own, RATE: float(found.results[RATE][3]), "training.epochs": 3}
    whole = sertk.train("004-cnn-mfcc", tiny_corpus, tmp_path / "whole", changes=own, cache=cache, verbose=0)
    np.testing.assert_allclose(Run(found.path("trial_0003", "run")).log[FIGURES], whole.log[FIGURES], rtol=1e-4)


@pytest.mark.slow
def test_a_killed_search_goes_on_after_the_last_finished_epoch(search, epochs, monkeypatch):
    begin = RunLog.on_epoch_begin

    def die(self, epoch, logs=None):
        if "trial_0001" in str(self.directory) and epoch == 1:
            raise KeyboardInterrupt
        begin(self, epoch, logs)

    with monkeypatch.context() as patched:
        patched.setattr(RunLog, "on_epoch_begin", die)
        with pytest.raises(KeyboardInterrupt):
            search(1e-4, 1e-3, 1e-2)
    found = search(1e-4, 1e-3, 1e-2)
    assert epochs == [(f"trial_000{trial}", epoch) for trial in range(3) for epoch in (1, 2)]
    assert list(found.results["status"]) == ["completed"] * 3
    search(1e-4, 1e-3, 1e-2)  # which has ended
    assert len(epochs) == 6


def test_a_failing_trial_is_reported_and_the_search_goes_on(search, capsys):
    """A learning rate beyond reason makes weights infinite."""
    found = search(1e30, 1e-3, verbose=1)
    table = found.results
    assert list(table["status"]) == ["failed", "completed"]
    assert table["reason"][0].startswith("Training diverged in epoch 1")
    assert np.isnan(table["score"][0])
    assert found.best[RATE] == 1e-3
    out = capsys.readouterr().out
    assert "trial 0000: failed, and the search goes on. Training diverged in epoch 1" in out
    assert "trial 0001: validation accuracy" in out
    assert (found.path("trial_0000", "failed.txt")).read_text().startswith("Training diverged")


def raised(error, times):
    """A function that raises an error some times and then does what it is to do."""
    left = [times]

    def replace(patched):
        ordinary = tuner.train_trial

        def train(*arguments):
            left[0] -= 1
            if left[0] >= 0:
                raise error
            return ordinary(*arguments)

        patched.setattr(tuner, "train_trial", train)

    return replace


@pytest.mark.parametrize(
    "error",
    [
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"),
        MemoryError("no memory"),
        RuntimeError("odd"),
    ],
)
def test_a_trial_for_which_the_memory_does_not_do_fails_alone(search, monkeypatch, error):
    raised(error, 1)(monkeypatch)
    table = search(1e-3, 1e-2).results
    assert list(table["status"]) == ["failed", "completed"]
    assert type(error).__name__ in table["reason"][0]


def test_a_full_disk_ends_the_search_which_goes_on_later(search, monkeypatch, tmp_path):
    with monkeypatch.context() as patched:
        raised(OSError(28, "No space left on device"), 1)(patched)
        with pytest.raises(OSError, match="No space left"):
            search(1e-3, 1e-2)
    assert list(search(1e-3, 1e-2).results["status"]) == ["completed"] * 2


def test_where_nothing_works_the_search_says_so(search, monkeypatch, tmp_path):
    raised(ValueError("`x` must be y. Received: z"), 99)(monkeypatch)
    with pytest.raises(ValueError, match=r"the first 5 trials have failed.*Received: `x` must be y"):
        search(*(10.0**-power for power in range(1, 8)))
    assert list(Search.open(tmp_path / "search").results["status"]) == ["failed"] * 5


def test_more_trials_may_be_asked_for_later(search, epochs):
    assert len(search(1e-4, 1e-3, 1e-2, trials=1).results) == 1
    assert len(search(1e-4, 1e-3, 1e-2, trials=2).results) == 2
    assert len(epochs) == 4


def test_a_folder_with_something_else_is_left_alone(search, tiny_corpus, tmp_path):
    found = search(1e-3, trials=1)
    for options, said in (
        ({"method": "random"}, "holds another search.*another method"),
        ({"max_epochs": 1}, "another max_epochs"),
        ({"own": {"training.batch_size": 8}}, "another recipe"),
        ({"corpus": tiny_corpus[1:]}, "holds a search on other clips"),
    ):
        with pytest.raises(ValueError, match=said):
            search(1e-3, **options)
    assert len(found.results) == 1
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"neither empty nor a search's folder.*notes\.txt"):
        search(1e-3, folder=tmp_path / "other")
    with pytest.raises(ValueError, match="is a file; choose a folder"):
        search(1e-3, folder=tmp_path / "other" / "notes.txt")
    with pytest.raises(ValueError, match="holds no search"):
        Search.open(tmp_path / "other")
    with pytest.raises(FileNotFoundError, match="there is no such search folder"):
        Search.open(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "hyper"}, "`method` must be one of hyperband, bayesian, random, grid. Received: method='hyper'"),
        ({"max_epochs": 0}, "`max_epochs` must be a whole number, at least 1. Received: max_epochs=0"),
        ({"trials": 0}, "`trials` must be a whole number, at least 1"),
        ({"points": 1.5}, "`points` must be a whole number"),
        ({"seed": -1}, "`seed` must be"),
        ({"recipe": "004-vgg16-1"}, "`recipe` must be one that the space rates is made for: 004-cnn-mfcc"),
        ({"own": {"learning_rate": 1e-3}}, "`learning_rate` is what the space rates searches"),
        ({"own": {"split.fractions": [0.8, 0.2]}}, "`split` must have a validation part.*Received: speaker without"),
        ({"own": {"training.join_validation": True}}, "set training.join_validation=false"),
        ({"own": {"split.kind": "speaker-k-fold", "split.k": 3}}, "must give one split.*Received: speaker-k-fold, 3"),
        ({"own": {"training.batch_sizes": 3}}, "There is no setting `training.batch_sizes`"),
        (
            {"own": {"training.warmup": 1.0}, "max_epochs": 9, "method": "hyperband"},
            "`training.warmup` must be .* less than the 1 epochs",
        ),
    ],
)
def test_slips_are_told_before_anything_is_written(search, options, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        search(1e-4, 1e-3, **options)
    assert not (tmp_path / "search" / "search.json").exists()


def test_tensorboard_finds_settings_and_figures(search):
    from tensorboard.plugins.hparams import metadata

    found = search(1e-4, 1e-2)

    def events(folder):
        for path in sorted(folder.glob("events*")):
            for event in tf.compat.v1.train.summary_iterator(str(path)):
                yield from event.summary.value

    (experiment,) = [
        metadata.parse_experiment_plugin_data(value.metadata.plugin_data.content)
        for value in events(found.path("hparams"))
    ]
    (parameter,) = experiment.hparam_infos
    assert (parameter.name, [one.number_value for one in parameter.domain_discrete.values]) == (RATE, [1e-4, 1e-2])
    assert {"val_accuracy", "loss"} <= {info.name.tag for info in experiment.metric_infos}
    row = found.results.iloc[1]
    values = list(events(found.path("trial_0001", "hparams")))
    (session,) = [
        metadata.parse_session_start_info_plugin_data(value.metadata.plugin_data.content)
        for value in values
        if value.tag == metadata.SESSION_START_INFO_TAG
    ]
    assert session.hparams[RATE].number_value == 1e-2
    scalars = {value.tag: float(tf.make_ndarray(value.tensor)) for value in values if not value.tag.startswith("_")}
    assert scalars["val_accuracy"] == pytest.approx(row["val_accuracy"])


def test_a_search_says_what_it_is(search):
    settings = search(1e-3, trials=1).settings
    assert (settings["space"], settings["method"], settings["max_epochs"]) == ("rates", "grid", 2)
    assert settings["recipe"]["name"] == "004-cnn-mfcc"
    assert json.loads(json.dumps(settings["classes"])) == sorted(settings["classes"])
