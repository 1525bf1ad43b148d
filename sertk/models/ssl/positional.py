"""The positional convolution: what tells a transformer the order of the frames."""

import math

import keras
from keras import layers, ops

from sertk.models.ssl.gelu import gelu


@keras.saving.register_keras_serializable(package="sertk")
class PositionalConvolution(layers.Layer):
    """A wide grouped convolution over the frames, weight-normalised, then GELU; the length stays.

    The weight is `lengths * directions / |directions|`, the norm being taken at each position of the kernel: one length
    a position, as in the published networks.

    Input: `(batch, frames, channels)`.
    Output: the same shape.

    Args:
        kernel: int, frames. Defaults to 128.
        groups: int, of channels. Defaults to 16.

    Source: Baevski et al. (2020), wav2vec 2.0; Salimans and Kingma (2016), weight normalisation.
    """

    def __init__(self, kernel=128, groups=16, **kwargs):
        super().__init__(**kwargs)
        self.kernel = kernel
        self.groups = groups

    def build(self, input_shape):
        channels = input_shape[-1]
        inputs = channels // self.groups
        deviation = 2 * math.sqrt(1 / (self.kernel * channels))
        self.directions = self.add_weight(
            (self.kernel, inputs, channels),
            keras.initializers.RandomNormal(stddev=deviation),
            name="directions",
            autocast=False,
        )
        # The length that such directions have, but for chance.
        length = keras.initializers.Constant(deviation * math.sqrt(inputs * channels))
        self.lengths = self.add_weight((self.kernel, 1, 1), length, name="lengths", autocast=False)
        self.bias = self.add_weight((channels,), "zeros", name="bias")

    def call(self, frames, training=None):
        power = ops.sum(ops.square(self.directions), axis=(1, 2), keepdims=True)
        weight = ops.cast(self.directions * (self.lengths * ops.rsqrt(power)), self.compute_dtype)
        # An even kernel hears one frame more of the past than of the future.
        padded = ops.pad(frames, ((0, 0), (self.kernel // 2, (self.kernel - 1) // 2), (0, 0)))
        return gelu(_grouped(padded, weight, self.groups) + self.bias, training)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "kernel": self.kernel, "groups": self.groups}


def _grouped(frames, weight, groups):
    if keras.backend.backend() != "tensorflow":
        return ops.conv(frames, weight, padding="valid")
    # TensorFlow's grouped convolution has no gradient on a CPU, and Keras's way round it, XLA, is slow there.
    parts = zip(ops.split(frames, groups, axis=-1), ops.split(weight, groups, axis=-1), strict=True)
    return ops.concatenate([ops.conv(part, kernel, padding="valid") for part, kernel in parts], axis=-1)
