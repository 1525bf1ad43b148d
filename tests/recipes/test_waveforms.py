"""Networks on waveforms of any length: padded batches in training, one clip or a padded batch when served."""

import numpy as np
import pytest
import soundfile
import tensorflow as tf

import sertk
from sertk.audio import read
from sertk.inference import Predictor
from sertk.recipes.transfer import embedded


@pytest.fixture(scope="module")
def changes(tiny_encoder):
    return {
        "labels": None,
        "split.kind": "speaker",
        "split.fractions": [4, 1, 1],
        "model.backbone": tiny_encoder,
        "model.weights": None,
        "training.epochs": 1,
        "training.learning_rate": 1e-3,
    }


@pytest.fixture(scope="module")
def run(changes, tiny_corpus, cache, tmp_path_factory):
    directory = tmp_path_factory.mktemp("waveforms") / "run"
    return sertk.train("003-upstream", tiny_corpus, directory, changes=changes, cache=cache, verbose=0)


@pytest.fixture(scope="module")
def trained(run):
    return Predictor(run.directory)


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    """The folder of the SavedModel."""
    return sertk.export_saved_model(run, tmp_path_factory.mktemp("served") / "1")


@pytest.fixture(scope="module")
def served(exported):
    return Predictor(exported)


def test_figures_are_those_of_each_clip_alone(run, trained, cache):
    """The report's come from padded batches; what a clip is told must not depend on those beside it."""
    metrics = sertk.evaluate(run, cache=cache)
    test = run.split[run.split["part"] == "test"]
    assert trained.samples is None
    alone = np.array([trained.probabilities(read(path, 16_000)) for path in test["path"]])
    truth = [run.classes.index(emotion) for emotion in test["emotion"]]
    assert metrics["accuracy"] == pytest.approx((alone.argmax(axis=1) == truth).mean())
    assert "whole, padded to the longest of their batch" in (run.directory / "report" / "report.md").read_text()


def test_served_alone_and_in_a_padded_batch(run, trained, exported, served):
    clips = [read(path, 16_000) for path in run.split["path"][:3]]
    expected = np.array([trained.probabilities(clip) for clip in clips])
    np.testing.assert_allclose([served.probabilities(clip) for clip in clips], expected, atol=1e-5)

    padded = tf.saved_model.load(str(exported)).signatures["padded"]
    lengths = np.array([len(clip) for clip in clips], "int32")
    batch = np.stack([np.pad(clip, (0, lengths.max() - len(clip))) for clip in clips])
    answer = padded(waveform=tf.constant(batch), lengths=tf.constant(lengths))
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)
    for wrong in ([0, 1000, 1000], [1, 2], [10**9, 1000, 1000]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="`lengths` must"):
            padded(waveform=tf.constant(batch), lengths=tf.constant(wrong, tf.int32))


def test_a_slip_is_told_before_there_is_a_run(changes, tiny_encoder, tiny_corpus, cache, tmp_path):
    for slip, message in (
        ({"model.head": "none"}, "`head` must be one of"),
        ({"model.weights": str(tmp_path / "nowhere")}, "there is no such folder"),
        ({"model.backbone": {**tiny_encoder, "model_type": "bert"}}, "bert"),
    ):
        with pytest.raises((ValueError, FileNotFoundError), match=message):
            sertk.train("003-upstream", tiny_corpus, tmp_path / "run", changes={**changes, **slip}, cache=cache)
        assert not (tmp_path / "run" / "recipe.json").exists()


def test_a_clip_that_is_too_short_is_named(trained, served, changes, tiny_corpus, cache, tmp_path):
    """399 samples are one less than the convolutions hear: in training, from the run and from the SavedModel."""
    soundfile.write(tmp_path / "short.wav", np.full(399, 0.1), 16_000)
    manifest = tiny_corpus.assign(path=[str(tmp_path / "short.wav"), *tiny_corpus["path"][1:]])
    with pytest.raises(ValueError, match=r"short\.wav: is too short for the network.* Received: 399 samples"):
        sertk.train("003-upstream", manifest, tmp_path / "run", changes=changes, cache=cache, verbose=0)
    for model in (trained, served):
        with pytest.raises(ValueError, match=r"short\.wav: must have at least 400 samples, 0\.025 s\. Received: 399"):
            sertk.predict(model, [tmp_path / "short.wav"])
        with pytest.raises(ValueError, match="`waveform` must have at least 400 samples"):
            model.probabilities(np.zeros(399))
        table = sertk.predict(model, [tmp_path / "short.wav", tiny_corpus["path"][1]], skip_bad=True)
        assert len(table) == 1


def test_the_embedding_of_a_run_is_the_vector_before_its_last_layer(run, trained, tiny_corpus):
    """A fine-tuned classifier's own vector, of 256 units, which is what paper 003 builds its graph from."""
    model = embedded.embedding_model(run.directory)
    assert model.output_shape == (None, 256)
    waveform = read(tiny_corpus["path"][0], 16_000)
    vector = np.asarray(model([waveform[None], np.array([len(waveform)])]))[0]
    logits = run.model().get_layer("ssl_classifier").get_layer("logits")
    scores = np.exp(vector @ np.asarray(logits.kernel) + np.asarray(logits.bias))
    np.testing.assert_allclose(scores / scores.sum(), trained.probabilities(waveform), atol=1e-5)
