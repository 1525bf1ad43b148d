"""What all three networks promise: any length, any precision, files that load, steps that learn, refused arguments."""

import keras
import numpy as np
import pytest

from sertk.models import cnn, cnn_transformer, load, two_cnn

# Keras's remark on attention over a single clip or frame, which is meant here.
pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis")


def parallel(*arguments, **options):
    return cnn_transformer(*arguments, encoder_layers=1, feed_forward=8, **options)


BUILDERS = [
    pytest.param(cnn, id="cnn"),
    pytest.param(two_cnn, id="two_cnn"),
    pytest.param(parallel, id="cnn_transformer"),
]
each_builder = pytest.mark.parametrize("builder", BUILDERS)


def features(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def labels(count, classes):
    return np.eye(classes, dtype="float32")[np.arange(count) % classes]


def numbers(network, batch):
    return keras.ops.convert_to_numpy(network(batch))


def with_policy(policy, builder, **options):
    keras.config.set_dtype_policy(policy)
    try:
        return builder((32, 32), 3, **options)
    finally:
        keras.config.set_dtype_policy("float32")


@each_builder
@pytest.mark.parametrize("batch_norm", ["frames", "channels"])
def test_gives_probabilities_for_any_batch(builder, batch_norm):
    network = builder((40, 32), 5, batch_norm=batch_norm)
    for batch in (1, 3):
        probabilities = numbers(network, features(batch, 40, 32))
        assert probabilities.shape == (batch, 5)
        assert (probabilities >= 0).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@each_builder
def test_any_length_is_taken(builder):
    network = builder((None, 32), 5, batch_norm="channels")
    assert network.output_shape == (None, 5)
    for frames in (1, 31, 94, 200):
        probabilities = numbers(network, features(2, frames, 32))
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@each_builder
def test_averaging_over_time_hears_a_steady_sound_alike_at_any_length(builder):
    """Away from its ends a sound without change gives every frame the same value, so that its length hardly matters."""
    keras.utils.set_random_seed(0)
    network = builder((None, 32), 5, batch_norm="channels")
    frame = features(1, 1, 32)
    short, long = (numbers(network, np.repeat(frame, frames, axis=1)) for frames in (640, 1_280))
    np.testing.assert_allclose(short, long, atol=0.01)


@each_builder
def test_dropout_and_batch_norm_work_in_training_only(builder):
    network, batch = builder((32, 32), 5, dropout=0.5), features(4, 32, 32)
    np.testing.assert_array_equal(network(batch), network(batch, training=False))
    assert not np.allclose(network(batch, training=True), network(batch, training=True))


@pytest.mark.slow
def test_learns_in_half_precision():
    """The largest of the three, which has the others' blocks in it."""
    keras.utils.set_random_seed(0)
    network = with_policy("mixed_float16", parallel, dropout=0.0)
    network.compile(keras.optimizers.Adam(1e-3), loss="categorical_crossentropy", run_eagerly=True)
    losses = [float(network.train_on_batch(features(12, 32, 32), labels(12, 3))) for _ in range(8)]
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("batch_norm", ["frames", "channels"])
def test_half_precision_holds_values_as_large_as_mfcc(batch_norm):
    """Squares of values in the hundreds are beyond half precision: a variance computed in it would be infinite."""
    keras.utils.set_random_seed(0)
    network = with_policy("mixed_float16", cnn, batch_norm=batch_norm)
    batch = 200 * features(12, 32, 32) - 500
    assert np.isfinite(network(batch, training=True)).all()
    assert all(np.isfinite(weight).all() for weight in network.get_weights())


@each_builder
def test_probabilities_are_float32_and_alike_under_mixed_precision(builder):
    network, mixed = builder((32, 32), 3), with_policy("mixed_float16", builder)
    mixed.set_weights(network.get_weights())
    actual = keras.ops.convert_to_numpy(mixed(features(3, 32, 32)))
    assert actual.dtype == np.float32
    assert mixed.get_layer("logits").compute_dtype == "float16"
    np.testing.assert_allclose(actual, network(features(3, 32, 32)), atol=5e-3)


@each_builder
@pytest.mark.parametrize("options", [{}, {"input_shape": (None, 32), "batch_norm": "channels"}], ids=["fixed", "any"])
def test_saved_and_loaded_gives_the_same_numbers(builder, options, tmp_path):
    network = builder(**{"input_shape": (40, 32), "num_classes": 5} | options)
    network(features(4, 40, 32), training=True)
    network.save(tmp_path / "network.keras")
    loaded = load(tmp_path / "network.keras")
    batch = features(3, 40, 32)
    np.testing.assert_array_equal(numbers(loaded, batch), numbers(network, batch))
    assert loaded.to_json() == network.to_json()


@each_builder
def test_configuration_alone_rebuilds_the_network(builder):
    network = builder((40, 32), 5)
    rebuilt = keras.Model.from_config(network.get_config())
    rebuilt.set_weights(network.get_weights())
    batch = features(3, 40, 32)
    np.testing.assert_array_equal(numbers(rebuilt, batch), numbers(network, batch))


@each_builder
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"input_shape": (94, 128, 1)},
            r"`input_shape` must be \(frames, bands\).* Received: input_shape=\(94, 128, 1\)",
        ),
        ({"input_shape": (94, None)}, r"`input_shape` must be \(frames, bands\).* Received: input_shape=\(94, None\)"),
        ({"input_shape": 128}, r"`input_shape` must be \(frames, bands\).* Received: input_shape=128"),
        ({"input_shape": (31, 128)}, r"`input_shape` must be at least \(32, 32\).* Received: input_shape=\(31, 128\)"),
        ({"input_shape": (94, 20)}, r"`input_shape` must be at least \(32, 32\).* Received: input_shape=\(94, 20\)"),
        ({"num_classes": 1}, r"`num_classes` must be an integer of at least 2. Received: num_classes=1"),
        ({"num_classes": 7.0}, r"`num_classes` must be an integer of at least 2. Received: num_classes=7.0"),
        ({"batch_norm": "layer"}, r"`batch_norm` must be \"frames\" or \"channels\". Received: batch_norm='layer'"),
        ({"input_shape": (None, 128)}, r"any length.* pass batch_norm=\"channels\". Received: batch_norm='frames'"),
        ({"dropout": 1.5}, r"`dropout` must be a share, at least 0 and below 1. Received: dropout=1.5"),
        ({"dropout": -0.1}, r"`dropout` must be a share, at least 0 and below 1. Received: dropout=-0.1"),
        ({"dropout": "0.3"}, r"`dropout` must be a share, at least 0 and below 1. Received: dropout='0.3'"),
    ],
)
def test_impossible_arguments_are_refused(builder, options, message):
    with pytest.raises(ValueError, match=message):
        builder(**options)
