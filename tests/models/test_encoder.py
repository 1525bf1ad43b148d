"""The encoder of each network: its vector is what the dense layers turn into the network's probabilities."""

import keras
import numpy as np
import pytest
from keras import layers

from sertk.features import LogMelSpectrogram
from sertk.models import (
    attentive_cnn,
    cnn,
    cnn6,
    cnn_transformer,
    from_features,
    from_waveform,
    load,
    probe,
    resnet9,
    transfer_head,
    two_cnn,
    vgg15,
)
from sertk.models.encoder import encoder
from sertk.models.speech_simclr import speech_simclr

SPEECH = {"channels": 12, "encoder_layers": 1, "heads": 2, "feed_forward": 8}
# Each network and the channels of its vector: 512 feature maps; 64 maps of 2 frames and 1 band flattened, of any length
# averaged; for the attentive one mean and deviation of 4 x 4 values by each of 4 heads.
NETWORKS = {
    "cnn6": (lambda: cnn6((64, 32), 3), 512),
    "resnet9": (lambda: resnet9((64, 32), 3, units=16), 512),
    "vgg15": (lambda: vgg15((64, 32), 3), 512),
    "cnn": (lambda: cnn((64, 32), 3), 64 * 2 * 1),
    "two_cnn": (lambda: two_cnn((None, 32), 3, batch_norm="channels"), 2 * 64),
    "cnn_transformer": (lambda: cnn_transformer((64, 32), 3, encoder_layers=1, feed_forward=8), 2 * 128 + 32),
    "attentive_cnn": (lambda: attentive_cnn((64, 32), 3, width=4), 4 * 2 * 16),
    "speech_simclr": (lambda: speech_simclr((64, 32), 3, **SPEECH), 12),
    "pooled picture": (lambda: transfer_head((64, 32, 3), 3, backbone="squeezenet", units=(8, 6)), 512),
    "flat picture": (
        lambda: transfer_head((64, 32, 3), 3, backbone="squeezenet", head="flat", units=(8,)),
        512 * 3 * 1,
    ),
}


def batch(shape):
    return np.random.default_rng(0).standard_normal((3, *(64 if size is None else size for size in shape[1:])))


def classified(network, vector):
    """What the dense layers at the network's end make of a vector, by NumPy."""
    weights = [layer.get_weights() for layer in network.layers if isinstance(layer, layers.Dense)]
    dense = [pair for pair in weights if pair[0].ndim == 2]
    places = [place for place, (kernel, _) in enumerate(dense) if kernel.shape[0] == vector.shape[1]]
    for kernel, bias in dense[places[-1] : -1]:
        vector = np.maximum(vector @ kernel + bias, 0)
    exponents = np.exp(vector @ dense[-1][0] + dense[-1][1])
    return exponents / exponents.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_vector_is_what_the_dense_layers_classify(name):
    keras.utils.set_random_seed(0)
    builder, channels = NETWORKS[name]
    network = builder()
    body = encoder(network)
    assert (body.name, body.input_shape, body.output_shape) == (network.name, network.input_shape, (None, channels))
    features = batch(network.input_shape)
    vector = keras.ops.convert_to_numpy(body(features))
    np.testing.assert_allclose(classified(network, vector), network(features), atol=1e-5)
    assert {id(weight) for weight in body.weights} < {id(weight) for weight in network.weights}


@pytest.fixture
def small():
    return attentive_cnn((32, 32), 3, width=4)


def test_in_a_model_with_other_steps_before_the_network_they_stay(small):
    features = batch(small.input_shape)
    normalization = layers.Normalization(mean=0.5, variance=4.0)
    outer = encoder(from_features(small, normalization=normalization))
    np.testing.assert_allclose(outer(features), encoder(small)((features - 0.5) / 2), atol=1e-5)
    heard = encoder(from_waveform(small, LogMelSpectrogram(n_mels=32), samples=31 * 512))
    assert (heard.input_shape, heard.output_shape) == ((None, 31 * 512), (None, 128))


def test_saved_and_loaded_gives_the_same_vectors(small, tmp_path):
    body = encoder(small)
    body.save(tmp_path / "encoder.keras")
    features = batch(small.input_shape)
    np.testing.assert_array_equal(load(tmp_path / "encoder.keras")(features), body(features))


def test_the_network_learns_with_its_encoder(small):
    body = encoder(small)
    before = keras.ops.convert_to_numpy(small(batch(small.input_shape)))
    body.get_layer("conv1").kernel.assign(body.get_layer("conv1").kernel * 2)
    assert not np.allclose(small(batch(small.input_shape)), before)


def sequence():
    """Dense layers on each frame, and none behind a vector."""
    features = keras.Input((32, 32))
    return keras.Model(features, layers.Dense(3)(layers.Conv1D(4, 3)(features)), name="sequence")


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (lambda: layers.Dense(3), r"`network` must be a functional `keras.Model`.* Received: a Dense"),
        (lambda: keras.Sequential([layers.Dense(3)]), r"`network` must be a functional .* Received: a Sequential"),
        (
            lambda: probe((8,), 3, units=(4,)),
            r"`network` must have layers that make a vector .* Received: probe, which",
        ),
        (sequence, r"`network` must make one vector of a clip .* Received: sequence, in which \(None, 30, 4\) enters"),
        (
            lambda: cnn6((64, 32), 3, fusion="add", upstream=256),
            r"`network` must take features alone: build it without `fusion`\. Received: inputs features, embedding",
        ),
    ],
)
def test_networks_without_an_encoder_are_refused(network, message):
    with pytest.raises(ValueError, match=message):
        encoder(network())
