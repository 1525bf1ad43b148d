"""Recipes on embeddings: a probe on a frozen checkpoint, from training to the served model."""

from pathlib import Path

import numpy as np
import pytest

import sertk
from sertk.audio import read
from sertk.inference import Predictor
from sertk.recipes import embedded

CHECKPOINTS = Path(__file__).parents[1] / "models" / "ssl" / "golden" / "checkpoints"
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


def test_a_run_without_a_speech_encoder_has_no_embeddings(finished_run):
    with pytest.raises(ValueError, match=r"has no speech encoder .* Received: a run of cnn"):
        embedded.embedding_model(finished_run.directory)
