"""sertk's own network: its sizes worked out by hand, any length, files, half precision, refused arguments."""

import keras
import numpy as np
import pytest

from sertk.models import attentive_cnn, load

# Keras's remark on attention over a single frame, which is meant here.
pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis")


def features(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def numbers(network, batch):
    return keras.ops.convert_to_numpy(network(batch))


def test_shapes():
    network = attentive_cnn()
    shapes = {layer.name: layer.output.shape[1:] for layer in network.layers}
    # 94 frames and 64 bands, halved by the stride, then by the pools, rounded down.
    assert [shapes[f"relu{stage}"] for stage in (1, 2, 3, 4)] == [(47, 32, 24), (23, 16, 48), (11, 8, 96), (11, 4, 96)]
    assert shapes["frames"] == (11, 4 * 96)
    assert shapes["pooling"] == (2 * 4 * 96,)
    assert network.output_shape == (None, 8)


def test_parameters():
    convolutions = 25 * 24 + 9 * 24 * 48 + 9 * 48 * 96 + 9 * 96 * 96
    norms = 4 * (24 + 48 + 96 + 96)
    projection = (4 * 96 + 1) * 96
    attention = (96 + 1) * 64 + (64 + 1) * 4
    classifier = (2 * 4 * 96 + 1) * 8
    assert attentive_cnn().count_params() == 186_020 == convolutions + norms + projection + attention + classifier


def test_any_length_has_the_same_weights():
    network, fixed = attentive_cnn((None, 64)), attentive_cnn()
    assert network.count_params() == fixed.count_params()
    for frames in (1, 31, 94, 200):
        probabilities = numbers(network, features(2, frames, 64))
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    network.set_weights(fixed.get_weights())
    even = features(2, 96, 64)  # a length without remainders, which are padded here and dropped there
    whole = attentive_cnn((96, 64))
    whole.set_weights(fixed.get_weights())
    np.testing.assert_allclose(numbers(network, even), numbers(whole, even), atol=1e-5)


def test_saved_and_loaded_gives_the_same_numbers(tmp_path):
    network = attentive_cnn((40, 32), 5, width=4)
    network(features(4, 40, 32), training=True)
    network.save(tmp_path / "network.keras")
    batch = features(3, 40, 32)
    np.testing.assert_array_equal(numbers(load(tmp_path / "network.keras"), batch), numbers(network, batch))


def test_learns_in_half_precision_and_answers_in_single():
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        network = attentive_cnn((32, 32), 3, width=4)
    finally:
        keras.config.set_dtype_policy("float32")
    network.compile(keras.optimizers.Adam(1e-2), loss="categorical_crossentropy", run_eagerly=True)
    labels = np.eye(3, dtype="float32")[np.arange(12) % 3]
    losses = [float(network.train_on_batch(features(12, 32, 32), labels)) for _ in range(12)]
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.8 * losses[0]
    assert numbers(network, features(3, 32, 32)).dtype == np.float32


def test_dropout_works_in_training_only():
    network, batch = attentive_cnn((32, 32), 5), features(4, 32, 32)
    np.testing.assert_array_equal(network(batch), network(batch, training=False))
    assert not np.allclose(network(batch, training=True), network(batch, training=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"input_shape": (94, 64, 1)},
            r"`input_shape` must be \(frames, bands\).* Received: input_shape=\(94, 64, 1\)",
        ),
        ({"input_shape": (94, 16)}, r"`input_shape` must be at least \(32, 32\)"),
        ({"num_classes": 1}, r"`num_classes` must be an integer of at least 2"),
        ({"width": 0}, r"`width` must be a positive integer\. Received: width=0"),
        ({"heads": 2.0}, r"`heads` must be a positive integer\. Received: heads=2\.0"),
        ({"dropout": 1}, r"`dropout` must be a share"),
        ({"spatial_dropout": -1}, r"`spatial_dropout` must be a share"),
    ],
    ids=str,
)
def test_impossible_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        attentive_cnn(**options)
