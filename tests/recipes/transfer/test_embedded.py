"""Recipes on embeddings: a probe on a frozen checkpoint, from training to the served model."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import sertk
from sertk.audio import read
from sertk.inference import Predictor
from sertk.recipes.transfer import embedded

CHECKPOINTS = Path(__file__).parents[2] / "models" / "ssl" / "golden" / "checkpoints"
CHANGES = {
    "split.fractions": [4, 1, 1],
    "features.source": str(CHECKPOINTS / "hubert-ctc-without-masks"),
    "training.epochs": 5,
}


@pytest.fixture(scope="module")
def run(tiny_corpus, cache, tmp_path_factory):
    directory = tmp_path_factory.mktemp("probes") / "run"
    return sertk.train("ssl-mlp", tiny_corpus, directory, changes=CHANGES, cache=cache, verbose=0)


def test_the_served_model_says_of_a_file_what_the_report_says_of_the_clip(run, cache, tmp_path):
    metrics = sertk.evaluate(run, cache=cache)
    test = run.split[run.split["part"] == "test"]
    sertk.export_saved_model(run, tmp_path / "1")
    truth = [run.classes.index(emotion) for emotion in test["emotion"]]
    for directory in (run.directory, tmp_path / "1"):
        predictor = Predictor(directory)
        said = np.array([predictor.probabilities(read(path, 16_000)) for path in test["path"]])
        assert metrics["accuracy"] == pytest.approx((said.argmax(axis=1) == truth).mean())
    assert "embeddings of" in (run.directory / "report" / "report.md").read_text()


def test_no_clip_goes_through_the_network_twice(run, tiny_corpus, cache, tmp_path, monkeypatch):
    """Neither in a second run with another probe and split, nor when it is measured."""
    sertk.evaluate(run, cache=cache)
    monkeypatch.setattr("sertk.embeddings.store.EmbeddingStore.write", lambda *_: pytest.fail("computed again"))
    changes = {**CHANGES, "split.seed": 1}
    other = sertk.train("ssl-linear", tiny_corpus, tmp_path / "run", changes=changes, cache=cache, verbose=0)
    sertk.evaluate(other, cache=cache)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features.source": None}, "`features.source` must be the name or the folder"),
        ({"features.layer": 9}, "`layer` must be an integer from 0 to"),
        ({"features.layer": "embedding"}, "only of a trained classifier"),
        ({"features.pooling": "none"}, "`features.pooling` must be mean, sum or max"),
        ({"audio.pad": "zero", "audio.seconds": 3.0}, '`audio.pad` must be "batch" for embeddings'),
        ({"noise.copies": 1}, "change noise.copies"),
        ({"model.builder": "cnn"}, "`features.kind` must be what the network takes, for cnn"),
        ({"features.kind": "mfcc"}, "`features.kind` must be what the network takes, for probe embedding"),
    ],
    ids=str,
)
def test_settings_that_do_not_fit_are_told_before_there_is_a_run(changes, message, tiny_corpus, cache, tmp_path):
    with pytest.raises(ValueError, match=message):
        sertk.train("ssl-linear", tiny_corpus, tmp_path / "run", changes={**CHANGES, **changes}, cache=cache)
    assert not (tmp_path / "run" / "recipe.json").exists()


def test_embeddings_of_any_run_are_those_before_its_last_layer(finished_run, tiny_corpus, cache, tmp_path):
    """Of clips of 0.8 to 1.2 s it hears the middle second, which what stands behind a clip must not move."""
    manifest, arrays = embedded.embed_corpus(
        finished_run.directory, tiny_corpus.iloc[:12], tmp_path / "out", cache=cache, batch_size=4, progress=False
    )
    logits = finished_run.model().get_layer("cnn").get_layer("logits")
    predictor = Predictor(finished_run.directory)
    for path, vector in zip(manifest["path"], arrays, strict=True):
        scores = np.exp(vector @ np.asarray(logits.kernel) + np.asarray(logits.bias))
        expected = predictor.probabilities(read(path, 16_000))
        np.testing.assert_allclose(scores / scores.sum(), expected, atol=1e-5)


def as_if(run, directory, group, **settings):
    """A copy of a run whose recipe says something else."""
    shutil.copytree(run.directory, directory)
    about = json.loads((directory / "recipe.json").read_text())
    about["recipe"][group] |= settings
    (directory / "recipe.json").write_text(json.dumps(about))
    return directory


def test_a_runs_own_sample_rate_is_what_its_embeddings_hear(finished_run, tiny_corpus, cache, tmp_path):
    run = as_if(finished_run, tmp_path / "run", "audio", sample_rate=8_000)
    manifest, arrays = embedded.embed_corpus(
        run, tiny_corpus.iloc[:3], tmp_path / "out", layer="logits", cache=cache, progress=False
    )
    predictor = Predictor(run)
    for path, vector in zip(manifest["path"], arrays, strict=True):
        scores = np.exp(vector)
        np.testing.assert_allclose(scores / scores.sum(), predictor.probabilities(read(path, 8_000)), atol=1e-5)
    changes = {**CHANGES, "features.source": str(run), "features.layer": None}
    with pytest.raises(ValueError, match=r"`audio.sample_rate` must be what .* hears, 8000 Hz. Received: .*=16000"):
        sertk.train("ssl-linear", tiny_corpus, tmp_path / "probe", changes=changes, cache=cache)


def test_embeddings_of_a_probes_run_are_what_its_last_layer_takes(run, tiny_corpus, cache):
    """Behind the frozen network and the hidden layer."""
    model = embedded.embedding_model(run.directory)
    waveform = read(tiny_corpus["path"][0], 16_000)
    vector = np.asarray(model([waveform[None], np.array([len(waveform)])]))[0]
    logits = run.model().layers[-1].get_layer("logits")
    scores = np.exp(vector @ np.asarray(logits.kernel) + np.asarray(logits.bias))
    np.testing.assert_allclose(scores / scores.sum(), Predictor(run.directory).probabilities(waveform), atol=1e-5)


def test_an_ensembles_run_has_no_embeddings(finished_run, tmp_path):
    run = as_if(finished_run, tmp_path / "run", "training", members=2)
    with pytest.raises(
        ValueError, match=r"must be a run of one network.*`training\.members=1`.*Received: an ensemble of 2"
    ):
        embedded.embedding_model(run)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("fc1", "`layer` must name one layer, of these: .*logits, probabilities. Received: layer='fc1'"),
        (-1, "`layer` must name one layer, of these"),
        ("mfcc", r"`layer` must be one that gives a vector a clip.*layer='mfcc', which gives \(None, "),
    ],
)
def test_layers_that_a_run_does_not_have_are_told(finished_run, layer, message):
    with pytest.raises(ValueError, match=message):
        embedded.embedding_model(finished_run.directory, layer)
