"""Group normalisation with a group a channel, against chords in double precision and Keras's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sertk.models.ssl.group_norm import GroupNormalization

GAMMA, BETA = np.array([-1.5, -0.2, 0.4, 1.0], "float32"), np.array([0.5, 0.1, -0.3, -0.7], "float32")
EPSILON = 1e-5


def frames(length=9, level=1.0, offset=0.0):
    return (offset + level * np.random.default_rng(length).standard_normal((3, length, 4))).astype("float32")


def trained(kind, inputs, upstream, *, training=True, groups=-1, **options):
    """What a layer gives, and its gradients with regard to inputs and weights."""
    layer = kind(groups, epsilon=EPSILON, **options)
    layer.build(inputs.shape)
    for weight in layer.weights:
        weight.assign(GAMMA if weight.name == "gamma" else BETA)
    inputs, upstream = tf.cast(inputs, layer.compute_dtype), tf.cast(upstream, layer.compute_dtype)

    @tf.function
    def step(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=training) if kind is GroupNormalization else layer(inputs)
        return [outputs, *tape.gradient(outputs, [inputs, *(weight.value for weight in layer.weights)], upstream)]

    return step(inputs)


def normalised(inputs, gamma, beta):
    """In double precision."""
    inputs = inputs.astype("float64")
    centred = inputs - inputs.mean(axis=1, keepdims=True)
    return gamma * centred / np.sqrt(inputs.var(axis=1, keepdims=True) + EPSILON) + beta


def test_gradients_are_the_slopes_of_chords():
    level = 0.01  # at which epsilon is a tenth of the variance
    inputs, upstream = frames(level=level), frames(9)[::-1].copy()
    outputs, to_input, to_gamma, to_beta = trained(GroupNormalization, inputs, upstream)
    np.testing.assert_allclose(outputs, normalised(inputs, GAMMA, BETA), atol=1e-5)
    rng = np.random.default_rng(5)
    for gradient, place in ((to_input, 0), (to_gamma, 1), (to_beta, 2)):
        along = rng.standard_normal(gradient.shape)

        def moved(step, place=place, along=along):
            arguments = [inputs.astype("float64"), GAMMA, BETA]
            arguments[place] = arguments[place] + step * along
            return (normalised(*arguments) * upstream).sum()

        step = 1e-5 * level
        slope = (moved(step) - moved(-step)) / (2 * step)
        np.testing.assert_allclose((gradient.numpy() * along).sum(), slope, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("length", "level", "offset", "atol"), [(2, 1.0, 0.0, 1e-5), (300, 30.0, -200.0, 1e-4)])
def test_training_equals_keras(length, level, offset, atol):
    """The mean lies far from 0 beside the spread, which costs either layer some of float32's seven digits."""
    inputs, upstream = frames(length, level, offset), frames(length + 1)[:, :length]
    expected = trained(keras.layers.GroupNormalization, inputs, upstream)
    for ours, theirs in zip(trained(GroupNormalization, inputs, upstream), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=atol * max(np.abs(theirs).max(), 1))


def test_a_single_frame_is_its_own_mean():
    outputs, to_input, to_gamma, to_beta = trained(GroupNormalization, frames(1, offset=-200.0), upstream=frames(1))
    np.testing.assert_array_equal(outputs, np.broadcast_to(BETA, (3, 1, 4)))
    assert not to_input.numpy().any()
    assert not to_gamma.numpy().any()
    np.testing.assert_allclose(to_beta, frames(1).sum(axis=(0, 1)), atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"training": False},
        {"groups": 2},
        {"groups": 1},
        {"scale": False},
        {"center": False},
        {"axis": 2},
        {"dtype": "mixed_bfloat16"},
        {"dtype": "mixed_float16"},
        {"dtype": "float64"},
    ],
    ids=str,
)
def test_other_modes_and_options_equal_keras(options):
    inputs, upstream = frames(), frames()[::-1].copy()
    ours, theirs = (
        trained(kind, inputs, upstream, **options) for kind in (GroupNormalization, keras.layers.GroupNormalization)
    )
    for actual, expected in zip(ours, theirs, strict=True):
        assert actual.dtype == expected.dtype
        np.testing.assert_allclose(tf.cast(actual, "float64"), tf.cast(expected, "float64"), atol=1e-5)


def test_same_wherever_it_runs(check_layer):
    check_layer(GroupNormalization(-1), frames())
    layer = GroupNormalization(-1)
    expected = layer(frames())
    for jit_compile in (False, True):
        step = tf.function(layer, jit_compile=jit_compile)
        np.testing.assert_allclose(step(frames(), training=True), expected, atol=1e-5)
