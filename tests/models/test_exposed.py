"""A layer's output beside the network's own, wherever the layer is: the same numbers and weights, in one pass."""

import keras
import numpy as np
import pytest
from keras import layers

from sertk.models import attentive_cnn, ensemble, from_features, from_padded, ssl_classifier
from sertk.models.exposed import exposing

FEATURES = np.random.default_rng(0).standard_normal((3, 40, 32)).astype("float32")


@pytest.fixture(scope="module")
def network():
    """With known weights behind what is asked for: the output can be worked out from it."""
    keras.utils.set_random_seed(0)
    features = keras.Input((40, 32), name="features")
    x = layers.Dense(6, name="fc1")(layers.GlobalAveragePooling1D()(features))
    x = layers.Dense(4, name="fc2")(layers.ReLU(name="fc1_relu")(x))
    return keras.Model(features, layers.Softmax(name="probabilities")(x), name="network")


def rest(network, layer, exposed):
    """The network's output, computed by NumPy from what a layer of it gave."""
    weights, bias = network.get_layer("fc2").get_weights()
    if layer != "fc2":
        exposed = np.maximum(exposed, 0) @ weights + bias
    exponents = np.exp(exposed - exposed.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("layer", ["fc1", "fc1_relu", "fc2"])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_gives_the_named_layer_beside_the_output(network, layer, depth):
    model = network
    if depth > 0:
        normalization = layers.Normalization(mean=0.5, variance=4.0)
        model = from_features(network, normalization=normalization, name="outer")
    if depth > 1:
        model = keras.Sequential([keras.Input((40, 32)), layers.Identity(), model, layers.Identity()], name="outmost")
    both = exposing(model, layer)
    outputs, exposed = (keras.ops.convert_to_numpy(tensor) for tensor in both(FEATURES))
    np.testing.assert_array_equal(outputs, model(FEATURES))
    np.testing.assert_allclose(rest(network, layer, exposed), outputs, atol=1e-6)
    assert (both.name, both.input_shape) == (model.name, model.input_shape)
    assert {id(weight) for weight in both.weights} == {id(weight) for weight in model.weights}


def test_a_network_inside_may_be_asked_for_as_a_whole(network):
    outputs, exposed = exposing(from_features(network, name="outer"), "network")(FEATURES)
    np.testing.assert_array_equal(exposed, outputs)


def test_the_network_runs_once(network):
    class Counted(layers.Layer):
        calls = 0

        def call(self, inputs):
            Counted.calls += 1
            return inputs

    features = keras.Input((40, 32), name="features")
    model = keras.Model(features, network(Counted()(features)))
    both = exposing(model, "fc1")
    Counted.calls = 0
    both(FEATURES)
    assert Counted.calls == 1


def test_a_second_time_and_after_other_forms_it_is_the_same(network):
    first = exposing(from_features(network), "fc1")(FEATURES)
    network(keras.Input((40, 32)))
    keras.models.clone_model(network, clone_function=lambda layer: layer)  # a second graph of the same layers
    for model in (network, from_features(network)):
        for a, b in zip(exposing(model, "fc1")(FEATURES), first, strict=True):
            np.testing.assert_array_equal(a, b)


def test_training_reaches_layers_inside(network):
    """Dropout works in a training call, and only there."""
    features = keras.Input((6,), name="features")
    inner = keras.Model(features, layers.Dropout(0.5, name="dropout")(features), name="inner")
    both = exposing(from_features(inner, name="outer"), "dropout")
    ones = np.ones((50, 6))
    np.testing.assert_array_equal(both(ones)[1], ones)
    outputs, exposed = both(ones, training=True)
    assert set(np.unique(exposed)) == {0, 2}
    np.testing.assert_array_equal(outputs, exposed)


def test_padded_clips_keep_their_lengths():
    config = {
        "model_type": "wav2vec2",
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "conv_dim": [8] * 7,
        "num_conv_pos_embeddings": 16,
        "num_conv_pos_embedding_groups": 2,
    }
    from sertk.audio import MaximumLength

    network = ssl_classifier(backbone=config, head="two_layer", units=5, padded=True, num_classes=4)
    model = from_padded(network, MaximumLength(8_000))
    waveforms = np.random.default_rng(0).standard_normal((2, 4_000)).astype("float32")
    batch = {"waveform": waveforms, "lengths": np.array([4_000, 2_500])}
    outputs, embedding = exposing(model, "embedding")(batch)
    assert embedding.shape == (2, 5)
    np.testing.assert_array_equal(outputs, model(batch))
    weights, bias = network.get_layer("logits").get_weights()
    scores = embedding @ weights + bias
    np.testing.assert_allclose(keras.ops.softmax(scores), outputs, atol=1e-6)


@pytest.mark.parametrize("layer", ["fc3", "", None, "features"])
def test_an_unknown_name_is_answered_with_those_there_are(network, layer):
    message = r"`layer` must name one layer, of these: network, .*fc1, fc1_relu, fc2, probabilities\. Received: layer="
    with pytest.raises(ValueError, match=message):
        exposing(from_features(network), layer)


def test_a_name_that_two_layers_have_is_refused():
    together = ensemble([attentive_cnn((40, 32), 5, width=2, name=name) for name in ("first", "second")])
    with pytest.raises(ValueError, match=r"Received: layer='logits', the name of 2 of them"):
        exposing(together, "logits")


@pytest.mark.parametrize("model", [layers.Dense(3), None, keras.Sequential([layers.Dense(3)])], ids=str)
def test_what_has_no_graph_is_refused(model):
    with pytest.raises(ValueError, match=r"`model` must be a functional `keras\.Model`, .* Received: a "):
        exposing(model, "fc1")
