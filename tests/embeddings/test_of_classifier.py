"""Embeddings of any classifier: the vector that enters its last layer, of each clip alone."""

import keras
import numpy as np
import pytest

from sertk.audio import FixedLength, MaximumLength, WaveformCache, read
from sertk.embeddings import EmbeddingStore, classifier_embedder, embed, embedder
from sertk.features import LogMelSpectrogram
from sertk.models import cnn, from_padded, from_waveform, probe, ssl_encoder

TINY = {
    "model_type": "wav2vec2",
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
}


def served(**length):
    """A network that hears a second of each clip, as runs keep them."""
    keras.utils.set_random_seed(5)
    log_mel = LogMelSpectrogram(n_mels=32, name="log_mel")
    network = cnn(log_mel.compute_output_shape((None, 16_000))[1:], name="network")
    return from_waveform(network, log_mel, fixed_length=FixedLength(16_000, name="fixed_length", **length))


def asked(model, waveform):
    return np.asarray(model([waveform[None], np.array([len(waveform)])]))[0]


def before_softmax(logits, vector):
    return np.asarray(vector) @ np.asarray(logits.kernel) + np.asarray(logits.bias)


@pytest.mark.parametrize(
    "length", [{}, {"pad": "repeat"}, {"crop": "start"}, {"trim_top_db": 30.0}], ids=["zero", "repeat", "start", "trim"]
)
def test_an_embedding_does_not_depend_on_what_is_computed_beside_it(length, tiny_corpus, cache, tmp_path):
    clips = tiny_corpus.iloc[:8].reset_index(drop=True)
    seconds = [len(read(path, 16_000)) / 16_000 for path in clips["path"]]
    assert min(seconds) < 1 < max(seconds)
    classifier = served(**length)
    model = classifier_embedder(classifier)
    found = embed(clips, model, EmbeddingStore(tmp_path, model), WaveformCache(cache), batch_size=8, progress=False)
    logits = classifier.get_layer("network").get_layer("logits")
    for path, vector in zip(clips["path"], found, strict=True):
        scores = np.exp(before_softmax(logits, vector))
        probabilities = np.asarray(classifier(read(path, 16_000)[None]))[0]
        np.testing.assert_allclose(scores / scores.sum(), probabilities, atol=1e-5)


def test_clips_of_one_length_share_a_batch(tiny_corpus, cache, tmp_path, monkeypatch):
    sizes = []

    class Telling:
        def __init__(self, model):
            self.model, self.layers = model, model.layers

        def __call__(self, inputs, training=False):
            sizes.append(len(inputs[0]))
            return self.model(inputs, training=training)

    model = classifier_embedder(served())
    crop = MaximumLength(8_000)  # below the shortest clip
    store = EmbeddingStore(tmp_path, model)
    embed(
        tiny_corpus[:8], Telling(model), store, WaveformCache(cache), maximum_length=crop, batch_size=4, progress=False
    )
    assert sizes == [4, 4]


def test_a_named_layer_gives_what_leaves_it():
    classifier = served()
    waveform = np.random.default_rng(0).standard_normal(16_000).astype("float32")
    scores = asked(classifier_embedder(classifier, "logits"), waveform)
    vector = asked(classifier_embedder(classifier, "embedding"), waveform)
    logits = classifier.get_layer("network").get_layer("logits")
    np.testing.assert_allclose(scores, before_softmax(logits, vector), atol=1e-5)
    np.testing.assert_allclose(asked(classifier_embedder(classifier), waveform), vector)


def test_weights_are_shared_and_the_classifier_stays_as_it_was():
    classifier = served()
    before = classifier.get_config()
    waveform = np.ones((1, 16_000), "float32")
    probabilities = np.asarray(classifier(waveform))
    model = classifier_embedder(classifier)
    assert {id(weight) for weight in model.weights} < {id(weight) for weight in classifier.weights}
    assert classifier.get_config() == before
    np.testing.assert_array_equal(classifier(waveform), probabilities)


def test_a_probe_without_a_hidden_layer_takes_the_embedding_itself():
    frozen = embedder(ssl_encoder(TINY))
    classifier = from_padded(probe((16,), 3), MaximumLength(name="maximum_length"), embedder=frozen)
    waveforms = np.random.default_rng(0).standard_normal((2, 8_000)).astype("float32")
    lengths = np.array([8_000, 5_000])
    waveforms[1, 5_000:] = 0
    np.testing.assert_allclose(
        classifier_embedder(classifier)([waveforms, lengths]), frozen([waveforms, lengths]), atol=1e-6
    )


def test_it_can_be_saved_beside_a_downstream_network(tmp_path):
    model = classifier_embedder(served())
    model.save(tmp_path / "embedder.keras")
    loaded = keras.saving.load_model(tmp_path / "embedder.keras", safe_mode=True)
    waveform = np.random.default_rng(0).standard_normal(12_000).astype("float32")
    np.testing.assert_allclose(asked(loaded, waveform), asked(model, waveform), atol=1e-6)


def test_layers_that_do_not_fit_are_told():
    with pytest.raises(
        ValueError, match=r"`layer` must name one layer, of these: fixed_length, log_mel, .*layer='fc9'"
    ):
        classifier_embedder(served(), "fc9")
    with pytest.raises(ValueError, match=r"`layer` must be one that gives a vector a clip.*gives \(None, 32, 32\)"):
        classifier_embedder(served(), "log_mel")
    waveform = keras.Input((None,), name="waveform")
    with pytest.raises(ValueError, match="`model` must have a dense layer, or `layer` name another"):
        classifier_embedder(keras.Model(waveform, FixedLength(9)(waveform)))
