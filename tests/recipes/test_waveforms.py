"""Networks on waveforms of any length: padded batches in training, one clip or a padded batch when served."""

import numpy as np
import pytest
import soundfile
import tensorflow as tf

import sertk
from sertk.audio import read
from sertk.inference import Predictor

# The convolutions of wav2vec 2.0, narrow, under two small transformer layers.
TINY = {
    "model_type": "wav2vec2",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
}
CHANGES = {
    "labels": None,
    "split.kind": "speaker",
    "split.fractions": [4, 1, 1],
    "model.backbone": TINY,
    "model.weights": None,
    "training.epochs": 1,
    "training.learning_rate": 1e-3,
}


@pytest.fixture(scope="module")
def run(tiny_corpus, cache, tmp_path_factory):
    directory = tmp_path_factory.mktemp("waveforms") / "run"
    return sertk.train("003-upstream", tiny_corpus, directory, changes=CHANGES, cache=cache, verbose=0)


def test_figures_are_those_of_each_clip_alone(run, cache):
    """The report's come from padded batches; what a clip is told must not depend on those beside it."""
    metrics = sertk.evaluate(run, cache=cache)
    predictor, test = Predictor(run.directory), run.split[run.split["part"] == "test"]
    assert predictor.samples is None
    alone = np.array([predictor.probabilities(read(path, 16_000)) for path in test["path"]])
    truth = [run.classes.index(emotion) for emotion in test["emotion"]]
    assert metrics["accuracy"] == pytest.approx((alone.argmax(axis=1) == truth).mean())
    assert "whole, padded to the longest of their batch" in (run.directory / "report" / "report.md").read_text()


def test_served_alone_and_in_a_padded_batch(run, tmp_path):
    clips = [read(path, 16_000) for path in run.split["path"][:3]]
    expected = np.array([Predictor(run.directory).probabilities(clip) for clip in clips])
    sertk.export_saved_model(run, tmp_path / "1")
    np.testing.assert_allclose([Predictor(tmp_path / "1").probabilities(clip) for clip in clips], expected, atol=1e-5)

    served = tf.saved_model.load(str(tmp_path / "1")).signatures["padded"]
    lengths = np.array([len(clip) for clip in clips], "int32")
    batch = np.stack([np.pad(clip, (0, lengths.max() - len(clip))) for clip in clips])
    answer = served(waveform=tf.constant(batch), lengths=tf.constant(lengths))
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)
    for wrong in ([0, 1000, 1000], [1, 2], [10**9, 1000, 1000]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="`lengths` must"):
            served(waveform=tf.constant(batch), lengths=tf.constant(wrong, tf.int32))


def test_a_slip_is_told_before_there_is_a_run(tiny_corpus, cache, tmp_path):
    for changes, message in (
        ({"model.head": "none"}, "`head` must be one of"),
        ({"model.weights": str(tmp_path / "nowhere")}, "there is no such folder"),
        ({"model.backbone": {**TINY, "model_type": "bert"}}, "bert"),
    ):
        with pytest.raises((ValueError, FileNotFoundError), match=message):
            sertk.train("003-upstream", tiny_corpus, tmp_path / "run", changes={**CHANGES, **changes}, cache=cache)
        assert not (tmp_path / "run" / "recipe.json").exists()


def test_a_clip_that_is_too_short_is_named(run, tiny_corpus, cache, tmp_path):
    """399 samples are one less than the convolutions hear: in training, from the run and from the SavedModel."""
    soundfile.write(tmp_path / "short.wav", np.full(399, 0.1), 16_000)
    manifest = tiny_corpus.assign(path=[str(tmp_path / "short.wav"), *tiny_corpus["path"][1:]])
    with pytest.raises(ValueError, match=r"short\.wav: is too short for the network.* Received: 399 samples"):
        sertk.train("003-upstream", manifest, tmp_path / "run", changes=CHANGES, cache=cache, verbose=0)
    sertk.export_saved_model(run, tmp_path / "1")
    for model in (run.directory, tmp_path / "1"):
        with pytest.raises(ValueError, match=r"short\.wav: must have at least 400 samples, 0\.025 s\. Received: 399"):
            sertk.predict(model, [tmp_path / "short.wav"])
        with pytest.raises(ValueError, match="`waveform` must have at least 400 samples"):
            Predictor(model).probabilities(np.zeros(399))
        table = sertk.predict(model, [tmp_path / "short.wav", tiny_corpus["path"][1]], skip_bad=True)
        assert len(table) == 1
