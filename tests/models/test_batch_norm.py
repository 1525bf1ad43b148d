"""Batch normalisation, against Keras's own: the same numbers, step after step, in every mode and precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sertk.models import BatchNormalization

SHAPES = [(4, 6, 5, 3), (1, 7, 3, 2), (7, 3, 1, 5), (3, 1, 4, 1)]
AXES = [1, -1, 3]


def train(kind, *, shape=(5, 6, 7, 3), level=1.0, offset=0.0, loss_scale=1.0, training=True, **options):
    """What a layer gives in three steps on the same random pictures, with gammas of both signs."""
    layer = kind(**options)
    layer.build(shape)
    width = shape[layer.axis]
    weights = {
        "gamma": (layer.gamma, np.linspace(-1.5, 1.0, width)),
        "beta": (layer.beta, np.linspace(0.5, -0.7, width)),
    }
    weights = {name: pair for name, pair in weights.items() if pair[0] is not None}
    for weight, value in weights.values():
        weight.assign(value)
    rng = np.random.default_rng(1)
    found = {}
    for step in range(3):
        inputs = tf.cast(offset + level * rng.standard_normal(shape), layer.compute_dtype)
        upstream = tf.constant(loss_scale * rng.standard_normal(shape), "float32")
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=training)
            loss = tf.reduce_sum(tf.cast(outputs, "float32") * upstream)
        assert outputs.dtype == layer.compute_dtype
        sources = {"inputs": inputs} | {name: weight.value for name, (weight, _) in weights.items()}
        gradients = tape.gradient(loss, sources)
        values = {"outputs": outputs, "moving mean": layer.moving_mean, "moving variance": layer.moving_variance}
        values |= {f"gradient of {name}": gradient for name, gradient in gradients.items()}
        found |= {f"{name}, step {step}": as_array(value) for name, value in values.items()}
    return found


def as_array(value):
    return None if value is None else keras.ops.convert_to_numpy(keras.ops.cast(value, "float64"))


def assert_equals_keras(rtol, **arguments):
    """Within `rtol` of the largest value of each array."""
    actual, expected = (train(kind, **arguments) for kind in (BatchNormalization, keras.layers.BatchNormalization))
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        if value is None:
            assert actual[name] is None, name
            continue
        assert np.isfinite(value).all(), name
        np.testing.assert_allclose(actual[name], value, atol=rtol * max(np.abs(value).max(), 1e-3), err_msg=name)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("shape", SHAPES)
def test_training_equals_keras(shape, axis):
    assert_equals_keras(1e-5, shape=shape, axis=axis)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize(("level", "offset"), [(300.0, 0.0), (30.0, -500.0)])
def test_training_equals_keras_on_values_as_large_as_mfcc(axis, level, offset):
    """The mean lies far from 0 beside the spread, which costs either layer some of float32's seven digits."""
    assert_equals_keras(1e-4, axis=axis, level=level, offset=offset)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize(("dtype", "rtol"), [("mixed_float16", 2e-3), ("mixed_bfloat16", 1e-2), ("float64", 1e-12)])
@pytest.mark.parametrize("level", [1.0, 300.0])
def test_training_equals_keras_in_other_precisions(axis, dtype, rtol, level):
    """At a level of 300 the squares are beyond half precision's 65,504, and so is a value times its gradient."""
    assert_equals_keras(rtol, axis=axis, level=level, loss_scale=1_000.0, dtype=dtype)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize(
    "options",
    [
        {"training": False},
        {"training": None},
        {"trainable": False},
        {"momentum": 0.5, "epsilon": 0.1},
        {"scale": False},
        {"center": False},
    ],
    ids=str,
)
def test_other_modes_and_options_equal_keras(axis, options):
    assert_equals_keras(1e-5, axis=axis, **options)


def test_frozen_layer_keeps_its_averages():
    layer = BatchNormalization(axis=1, trainable=False)
    layer(np.random.default_rng(0).standard_normal((2, 3, 4, 5)), training=True)
    assert not layer.moving_mean.numpy().any()
    assert (layer.moving_variance.numpy() == 1).all()


@pytest.mark.parametrize("shape", [(6, 5), (4, 6, 5), (2, 3, 4, 5, 2)])
def test_inputs_of_other_ranks_equal_keras(shape):
    assert_equals_keras(1e-5, shape=shape, axis=1)


def test_mask_equals_keras():
    inputs = np.random.default_rng(0).standard_normal((4, 6, 5, 3)).astype("float32")
    mask = np.random.default_rng(1).random((4, 6, 5)) > 0.3
    ours, theirs = BatchNormalization(), keras.layers.BatchNormalization()
    expected = theirs(inputs, training=True, mask=mask)
    np.testing.assert_allclose(ours(inputs, training=True, mask=mask), expected, atol=1e-6)
    np.testing.assert_allclose(ours.moving_variance.numpy(), theirs.moving_variance.numpy(), rtol=1e-6)


@pytest.mark.parametrize("axis", [1, -1])
def test_normalised_rows_have_mean_beta_and_deviation_gamma(axis):
    inputs = np.random.default_rng(0).normal(-400, 90, (8, 5, 9, 5)).astype("float32")
    layer = BatchNormalization(axis=axis)
    layer.build(inputs.shape)
    gamma, beta = np.array([-2, -0.5, 0.1, 1, 3], "float32"), np.arange(5, dtype="float32")
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    outputs = np.moveaxis(layer(inputs, training=True).numpy(), axis, 0).reshape(5, -1)
    np.testing.assert_allclose(outputs.mean(axis=1), beta, atol=1e-4)
    np.testing.assert_allclose(outputs.std(axis=1), np.abs(gamma), rtol=1e-4)


@pytest.mark.parametrize(("axis", "jit_compile"), [(1, True), (-1, False)])
def test_a_model_trains_to_the_same_weights_as_with_keras(axis, jit_compile):
    """Batches of 5, 5 and 3, in a compiled graph, with and without XLA around it."""
    rng = np.random.default_rng(0)
    inputs, targets = (
        rng.standard_normal((13, 6, 4, 2)).astype("float32"),
        rng.standard_normal((13, 3)).astype("float32"),
    )

    def trained(kind, jit_compile):
        keras.utils.set_random_seed(4)
        layers = keras.layers
        model = keras.Sequential(
            [
                keras.Input((6, 4, 2)),
                layers.Conv2D(4, 3, padding="same"),
                kind(axis=axis),
                layers.ReLU(),
                layers.Flatten(),
            ]
        )
        model.add(layers.Dense(3))
        model.compile(keras.optimizers.SGD(0.05), loss="mse", jit_compile=jit_compile)
        model.fit(inputs, targets, batch_size=5, epochs=2, shuffle=False, verbose=0)
        return model.get_weights()

    expected = trained(keras.layers.BatchNormalization, False)
    for actual, weight in zip(trained(BatchNormalization, jit_compile), expected, strict=True):
        np.testing.assert_allclose(actual, weight, atol=2e-5)


@pytest.mark.parametrize("axis", [1, -1])
def test_same_wherever_it_runs(check_layer, axis):
    layer = BatchNormalization(axis=axis)
    pictures = np.random.default_rng(0).standard_normal((5, 6, 4, 3)).astype("float32")
    layer(pictures, training=True)
    check_layer(layer, pictures, length_axis=2)


def test_weights_go_to_keras_layer_and_back():
    ours, theirs = BatchNormalization(axis=1), keras.layers.BatchNormalization(axis=1)
    pictures = np.random.default_rng(0).standard_normal((5, 6, 4, 3)).astype("float32")
    ours(pictures, training=True)
    theirs.build(pictures.shape)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(pictures), theirs(pictures), atol=1e-6)
