"""The convolution's gradients, against sums in double precision and Keras's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.models.ssl.convolution import Conv1D


def trained(kind, inputs, upstream=None, *, training=True, **options):
    """What a layer gives, and its gradients with regard to inputs, kernel and bias."""
    keras.utils.set_random_seed(0)
    layer = kind(5, bias_initializer="random_normal", **options)
    layer.build(inputs.shape)
    inputs = tf.cast(inputs, layer.compute_dtype)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=training) if kind is Conv1D else layer(inputs)
    sources = [inputs, *(weight.value for weight in layer.trainable_weights)]
    return layer, outputs, tape.gradient(outputs, sources, upstream)


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def convolved(inputs, kernel, stride):
    """In double precision, one frame after the other."""
    reach = len(kernel)
    frames = range(0, inputs.shape[1] - reach + 1, stride)
    heard = np.stack([inputs[:, frame : frame + reach] for frame in frames], axis=1).astype("float64")
    return np.tensordot(heard, kernel.astype("float64"), ((2, 3), (0, 1)))


@settings(max_examples=12, deadline=None)
@given(
    kernel=st.integers(1, 5),
    stride=st.integers(1, 4),
    more=st.integers(0, 9),
    channels=st.integers(1, 4),
    bias=st.booleans(),
)
def test_gradients_are_the_adjoints_of_the_convolution(kernel, stride, more, channels, bias):
    """The convolution is linear in input and kernel: a step along either changes it by a convolution."""
    inputs = random(2, kernel + more, channels)
    upstream = random(2, more // stride + 1, 5, seed=1)
    options = {"kernel_size": kernel, "strides": stride, "use_bias": bias}
    layer, outputs, (to_input, to_kernel, *to_bias) = trained(Conv1D, inputs, upstream, **options)
    weights = layer.kernel.numpy()
    shift = layer.bias.numpy() if bias else 0.0
    np.testing.assert_allclose(outputs, convolved(inputs, weights, stride) + shift, atol=1e-5)
    along, across = random(*inputs.shape, seed=2), random(*weights.shape, seed=3)
    change = (convolved(along, weights, stride) * upstream).sum()
    np.testing.assert_allclose((to_input.numpy() * along).sum(), change, atol=1e-4)
    change = (convolved(inputs, across, stride) * upstream).sum()
    np.testing.assert_allclose((to_kernel.numpy() * across).sum(), change, atol=1e-4)
    if bias:
        np.testing.assert_allclose(to_bias[0], upstream.sum(axis=(0, 1)), atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 3, "strides": 2},
        {"kernel_size": 2, "strides": 2, "activation": "relu"},
        {"kernel_size": 3, "strides": 2, "padding": "same"},
        {"kernel_size": 3, "padding": "causal"},
        {"kernel_size": 3, "dilation_rate": 2},
        {"kernel_size": 3, "strides": 2, "training": False},
        {"kernel_size": 3, "strides": 2, "dtype": "mixed_bfloat16"},
        {"kernel_size": 3, "strides": 2, "dtype": "float64"},
    ],
    ids=str,
)
def test_all_arguments_equal_keras(options):
    inputs = random(3, 12, 4)
    _, outputs, gradients = trained(Conv1D, inputs, **options)
    _, expected, slopes = trained(keras.layers.Conv1D, inputs, **options)
    for ours, theirs in zip([outputs, *gradients], [expected, *slopes], strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(tf.cast(ours, "float64"), tf.cast(theirs, "float64"), rtol=1e-5, atol=1e-5)


def test_clips_of_any_length_and_number():
    """In a graph that is traced once: the gradient must read the shape when it runs."""
    layer = Conv1D(5, 3, 2)
    layer.build((None, None, 4))

    @tf.function(input_signature=[tf.TensorSpec((None, None, 4))])
    def gradient(inputs):
        with tf.GradientTape() as tape:
            outputs = tf.reduce_sum(tf.square(layer(inputs, training=True)))
        return tape.gradient(outputs, layer.kernel.value)

    for batch, frames in ((2, 12), (3, 7), (1, 3)):
        inputs = random(batch, frames, 4)
        outputs = convolved(inputs, layer.kernel.numpy(), 2)
        # Twice the value is reached along the kernel itself, in which the sum of squares is a quadratic form.
        reached = (gradient(inputs).numpy() * layer.kernel.numpy()).sum()
        np.testing.assert_allclose(reached, 2 * (outputs**2).sum(), rtol=1e-5)


def test_same_wherever_it_runs(check_layer):
    inputs = random(3, 12, 4)
    check_layer(Conv1D(5, 3, 2), inputs)
    layer = Conv1D(5, 3, 2)
    expected = layer(inputs)
    for jit_compile in (False, True):
        step = tf.function(layer, jit_compile=jit_compile)
        np.testing.assert_allclose(step(inputs, training=True), expected, atol=1e-5)
