"""Classic transfer: where an upstream's embedding meets fc1, by hand, and what is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sertk.models import cnn6, load, resnet9, vgg15

BUILDERS = {"vgg15": vgg15, "resnet9": resnet9, "cnn6": cnn6}
# What fc1 gives before its ReLU, whatever the clip, and what the upstream found in two of them.
FC1 = [1.0, -2.0, 3.0]
EMBEDDINGS = np.array([[-4.0, 5.0, 1.0], [2.0, 1.0, -7.0]], "float32")
# ReLU(FC1 + e), ReLU(max(FC1, e)) and ReLU((FC1 + e) / 2), each value worked out by hand.
MEETINGS = {
    "add": [[0.0, 3.0, 4.0], [3.0, 0.0, 0.0]],
    "maximum": [[1.0, 5.0, 3.0], [2.0, 1.0, 3.0]],
    "average": [[0.0, 1.5, 2.0], [1.5, 0.0, 0.0]],
}


def features(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def fused(fusion, builder=cnn6):
    """A network of three units whose fc1 is its bias and whose fc2 gives the units as they are."""
    network = builder((32, 32), 3, units=3, fusion=fusion, upstream=3)
    network.get_layer("fc1").set_weights([np.zeros((512, 3)), np.array(FC1)])
    network.get_layer("fc2").set_weights([np.eye(3), np.zeros(3)])
    return network


@pytest.mark.parametrize("builder", BUILDERS.values(), ids=BUILDERS)
@pytest.mark.parametrize("fusion", MEETINGS)
def test_the_embedding_meets_fc1_before_its_relu(fusion, builder):
    network = fused(fusion, builder)
    inputs = {"features": features(2, 32, 32), "embedding": EMBEDDINGS}
    powers = np.exp(MEETINGS[fusion])
    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(network(inputs), expected, rtol=1e-5)
    np.testing.assert_allclose(network([inputs["features"], inputs["embedding"]]), expected, rtol=1e-5)
    before_relu = keras.Model(network.inputs, network.get_layer("fc1").output)
    np.testing.assert_array_equal(before_relu(inputs), [FC1, FC1])


@pytest.mark.parametrize("builder", BUILDERS.values(), ids=BUILDERS)
def test_fusion_has_no_weight_of_its_own(builder):
    alone = builder((32, 32))
    for fusion in MEETINGS:
        network = builder((32, 32), fusion=fusion, upstream=256)
        assert [weight.shape for weight in network.weights] == [weight.shape for weight in alone.weights]
        assert {tensor.name: tensor.shape for tensor in network.inputs} == {
            "features": (None, 32, 32),
            "embedding": (None, 256),
        }


def test_an_embedding_of_zeros_adds_nothing():
    alone, network = cnn6((32, 32), 3), cnn6((32, 32), 3, fusion="add", upstream=256)
    network.set_weights(alone.get_weights())
    batch = features(2, 32, 32)
    np.testing.assert_array_equal(network([batch, np.zeros((2, 256), "float32")]), alone(batch))


def test_learns_from_dicts_of_tf_data_and_is_saved(tmp_path):
    keras.utils.set_random_seed(0)
    network = cnn6((32, 32), 3, units=4, fusion="average", upstream=4)
    network.compile(keras.optimizers.Adam(1e-3), loss="categorical_crossentropy", run_eagerly=True)
    inputs = {"features": features(6, 32, 32), "embedding": features(6, 4, seed=1)}
    labels = np.eye(3, dtype="float32")[np.arange(6) % 3]
    batches = tf.data.Dataset.from_tensors((inputs, labels)).repeat(3)
    history = network.fit(batches, epochs=2, shuffle=False, verbose=0).history
    assert history["loss"][1] < history["loss"][0]
    network.save(tmp_path / "network.keras")
    np.testing.assert_array_equal(load(tmp_path / "network.keras")(inputs), network(inputs))


@pytest.mark.parametrize("builder", BUILDERS.values(), ids=BUILDERS)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fusion": "sum", "upstream": 256}, r"`fusion` must be one of add, maximum, average, or None.*fusion='sum'"),
        ({"fusion": ["add"], "upstream": 256}, r"`fusion` must be one of add, .* Received: fusion=\['add'\]"),
        ({"upstream": 256}, r"`fusion` must be one of add, .* Received: fusion=None, upstream=256"),
        ({"fusion": "add"}, r"`upstream`.* must equal `units`.* Received: upstream=None, units=256"),
        ({"fusion": "add", "upstream": 768}, r"`upstream`.* must equal `units`.* Received: upstream=768, units=256"),
        (
            {"fusion": "average", "upstream": 256, "units": 128},
            r"`upstream`.* must equal `units`.* Received: upstream=256, units=128",
        ),
    ],
    ids=str,
)
def test_impossible_arguments_are_refused(builder, options, message):
    with pytest.raises(ValueError, match=message):
        builder(**options)
