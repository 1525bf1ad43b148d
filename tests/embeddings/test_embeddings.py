"""Embeddings: those of each clip alone, computed once, kept whole, found again by clip and by network."""

import keras
import numpy as np
import pytest
import soundfile

from sertk.audio import MaximumLength, WaveformCache, read
from sertk.embeddings import EmbeddingStore, embed, embedder
from sertk.models import ssl_classifier, ssl_encoder, until, with_hidden_states


@pytest.fixture(scope="module", params=["group", "layer"])
def network(request, tiny_encoder):
    keras.utils.set_random_seed(3)
    norm = {"feat_extract_norm": request.param, "do_stable_layer_norm": request.param == "layer"}
    return ssl_encoder(tiny_encoder | norm)


@pytest.fixture(scope="module")
def encoder(tiny_encoder):
    return ssl_encoder(tiny_encoder)


@pytest.fixture(scope="module")
def model(encoder):
    return embedder(encoder)


@pytest.fixture(scope="module")
def clips(tiny_corpus):
    return tiny_corpus.iloc[:9].reset_index(drop=True)


@pytest.fixture(scope="module")
def alone(network, clips):
    """The hidden states of each clip by itself, arrays `(layers + 1, frames, channels)`."""
    states = with_hidden_states(network)
    return [np.concatenate(states(read(path, 16_000)[None])) for path in clips["path"]]


@pytest.mark.parametrize("layer", [-1, 0, 1, "mean"])
def test_each_clip_has_the_embedding_that_it_has_alone(layer, network, alone, clips, cache, tmp_path):
    model = embedder(network, layer)
    found = embed(clips, model, EmbeddingStore(tmp_path, model), WaveformCache(cache), batch_size=4, progress=False)
    for states, vector in zip(alone, found, strict=True):
        expected = states.mean(axis=0) if layer == "mean" else states[layer]
        np.testing.assert_allclose(vector, expected.mean(axis=0), atol=2e-5)


def test_unpooled_states_have_a_clips_own_frames(network, alone, clips, cache, tmp_path):
    model = embedder(network, pooling="none")
    found = embed(clips, model, EmbeddingStore(tmp_path, model), WaveformCache(cache), batch_size=4, progress=False)
    for path, expected, states in zip(clips["path"], alone, found, strict=True):
        assert states.shape == ((len(read(path, 16_000)) - 80) // 320, 16)
        np.testing.assert_allclose(states, expected[-1], atol=2e-5)


def test_a_classifiers_own_vector(tiny_encoder, clips, cache, tmp_path):
    classifier = ssl_classifier(num_classes=3, backbone=tiny_encoder, head="two_layer", units=5)
    model = embedder(classifier, "embedding")
    found = embed(clips[:2], model, EmbeddingStore(tmp_path, model), WaveformCache(cache), progress=False)
    expected = until(classifier, "embedding")(read(clips["path"][1], 16_000)[None])[0]
    assert found[1].shape == (5,)
    np.testing.assert_allclose(found[1], expected, atol=1e-5)


def test_long_clips_are_cropped(network, clips, cache, tmp_path):
    model = embedder(network)
    crop = MaximumLength(4_000, "start")
    (found,) = embed(
        clips[:1], model, EmbeddingStore(tmp_path, model), WaveformCache(cache), maximum_length=crop, progress=False
    )
    expected = np.asarray(network(read(clips["path"][0], 16_000)[None, :4_000]))[0].mean(axis=0)
    np.testing.assert_allclose(found, expected, atol=2e-5)


class Counting:
    """A model that is stopped after some clips, and counts those it was asked about."""

    def __init__(self, model, stop_after=10**9):
        self.model, self.stop_after, self.asked = model, stop_after, 0

    @property
    def layers(self):
        return self.model.layers

    def __call__(self, inputs, training=False):
        if self.asked >= self.stop_after:
            raise KeyboardInterrupt
        self.asked += len(inputs[0])
        return self.model(inputs, training=training)


def test_what_was_computed_before_an_interruption_is_kept(model, clips, cache, tmp_path):
    store, waveforms = EmbeddingStore(tmp_path, model), WaveformCache(cache)
    killed = Counting(model, stop_after=4)
    with pytest.raises(KeyboardInterrupt):
        embed(clips, killed, store, waveforms, batch_size=2, progress=False)
    going_on = Counting(model)
    found = embed(clips, going_on, store, waveforms, batch_size=2, progress=False)
    assert (killed.asked, going_on.asked) == (4, 5)
    again = Counting(model)
    for one, other in zip(found, embed(clips, again, store, waveforms, progress=False), strict=True):
        np.testing.assert_array_equal(one, other)
    assert again.asked == 0


def test_a_damaged_array_is_computed_anew(model, clips, cache, tmp_path):
    store, waveforms = EmbeddingStore(tmp_path, model), WaveformCache(cache)
    embed(clips, model, store, waveforms, progress=False)
    paths = sorted(store.directory.rglob("*.npy"))
    paths[0].write_bytes(paths[0].read_bytes()[:50])
    paths[1].write_bytes(b"")
    counting = Counting(model)
    embed(clips, counting, store, waveforms, progress=False)
    assert counting.asked == 2


def test_other_weights_and_other_settings_have_a_folder_of_their_own(tiny_encoder, tmp_path):
    keras.utils.set_random_seed(1)
    first, second = embedder(ssl_encoder(tiny_encoder)), embedder(ssl_encoder(tiny_encoder))
    folder = EmbeddingStore(tmp_path, first).directory
    assert EmbeddingStore(tmp_path, second).directory != folder
    assert EmbeddingStore(tmp_path, first, {"samples": 48_000}).directory != folder
    second.set_weights(first.get_weights())
    assert EmbeddingStore(tmp_path, second).directory == folder


def test_a_file_that_is_too_short_is_named(model, clips, cache, tmp_path):
    soundfile.write(tmp_path / "short.wav", np.full(399, 0.1), 16_000)
    manifest = clips.assign(path=[str(tmp_path / "short.wav"), *clips["path"][1:]])
    with pytest.raises(ValueError, match=r"short\.wav: is too short .* Received: 399 samples, .* hears 400"):
        embed(manifest, model, EmbeddingStore(tmp_path, model), WaveformCache(cache), progress=False)


def test_weights_that_overflow_are_told(tiny_encoder, clips, cache, tmp_path):
    network = ssl_encoder(tiny_encoder)
    network.get_layer("feature_projection").set_weights(
        [np.full_like(weight, np.inf) for weight in network.get_layer("feature_projection").get_weights()]
    )
    model = embedder(network)
    with pytest.raises(ValueError, match=r"has an embedding with infinity or NaN"):
        embed(clips[:1], model, EmbeddingStore(tmp_path, model), WaveformCache(cache), progress=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layer": 3}, r"`layer` must be an integer from 0 to 2.*Received: layer=3"),
        ({"layer": "last"}, r"`layer` must be an integer.*Received: layer='last'"),
        ({"layer": "embedding"}, r"`layer` must be one of .*Received: layer='embedding'"),
        ({"pooling": "median"}, r"`pooling` must be one of mean, sum, max, none"),
    ],
)
def test_wrong_arguments(arguments, message, encoder):
    with pytest.raises(ValueError, match=message):
        embedder(encoder, **arguments)
