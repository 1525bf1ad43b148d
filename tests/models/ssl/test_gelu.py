"""GELU and its gradient, against SciPy's normal distribution and Keras's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import norm

from sertk.models.ssl.gelu import gelu

VALUES = np.concatenate([np.linspace(-12, 12, 241), [-1e4, -1e-30, 1e-30, 1e4]]).astype("float32").reshape(5, 7, 7)


def exact(x):
    return x * norm.cdf(x)


def sloped(function, values, upstream=None):
    """What a function gives, and its gradient."""

    @tf.function
    def step(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = function(inputs)
        return outputs, tape.gradient(outputs, inputs, upstream)

    return [value.numpy() for value in step(tf.constant(values))]


def training(x):
    return gelu(x, training=True)


def remat(x):
    return keras.remat(training)(x)


@pytest.mark.parametrize(
    "function",
    [gelu, training, remat, tf.function(training, jit_compile=True)],
    ids=["inference", "training", "recomputed", "inside XLA"],
)
def test_against_scipy(function):
    """The slope is that of a chord in double precision; far below 0, both are 0."""
    step, wide = 1e-5, VALUES.astype("float64")
    slope = (exact(wide + step) - exact(wide - step)) / (2 * step)
    upstream = np.random.default_rng(0).standard_normal(VALUES.shape).astype("float32")
    outputs, gradient = sloped(function, VALUES, upstream)
    np.testing.assert_allclose(outputs, exact(wide), rtol=1e-6, atol=2e-6)
    np.testing.assert_allclose(gradient, upstream * slope, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_precisions_are_keras_own_to_the_last_bit(dtype):
    values = tf.cast(VALUES[:4], dtype)
    expected = sloped(lambda x: keras.activations.gelu(x, approximate=False), values)
    for ours, theirs in zip(sloped(training, values), expected, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def test_tensors_without_values_stay_empty():
    outputs, gradient = sloped(training, np.zeros((0, 3), "float32"))
    assert outputs.shape == gradient.shape == (0, 3)
