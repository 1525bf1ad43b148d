"""Attentive statistics pooling: from frames to one vector, weighted by what each frame is worth."""

import keras
from keras import layers, ops

from sertk.models.arguments import check_counts

# Variances below this are taken for this: the square root has no gradient at 0.
SMALLEST_VARIANCE = 1e-4


@keras.saving.register_keras_serializable(package="sertk")
class AttentiveStatisticsPooling(layers.Layer):
    """Pools frames to the weighted mean and standard deviation of each channel, once for every attention head.

    A small network scores each frame; the softmax of a head's scores over the frames are its weights, so that a head
    can listen to a few frames where emotion is heard and leave out the silence.

    Input: `(batch, frames, channels)`; with a Keras mask, `(batch, frames)`, masked frames have no weight.
    Output: `(batch, 2 * heads * channels)`: the means of all heads, then the standard deviations.

    Args:
        heads: int, how many sets of weights. Defaults to 4.
        units: int, width of the network that scores the frames, tanh. Defaults to 64.

    Raises:
        ValueError: if an argument is no positive integer.

    Example:
        >>> AttentiveStatisticsPooling(heads=4)(np.zeros((8, 12, 96), "float32")).shape
        (8, 768)

    Source: Okabe, Koshinaka and Shinoda (2018), Interspeech, equations (2) to (6); several heads as in Lin et al.
        (2017), ICLR.
    """

    def __init__(self, heads=4, units=64, **kwargs):
        super().__init__(**kwargs)
        check_counts(heads=heads, units=units)
        self.heads = heads
        self.units = units
        self.supports_masking = True
        self.hidden = layers.Dense(units, activation="tanh", dtype=self.dtype_policy, name="hidden")
        self.scores = layers.Dense(heads, dtype=self.dtype_policy, name="scores")

    def build(self, input_shape):
        self.hidden.build(input_shape)
        self.scores.build((*input_shape[:-1], self.units))

    def call(self, frames, mask=None):
        scores = ops.cast(self.scores(self.hidden(frames)), "float32")
        if mask is not None:
            scores = ops.where(mask[:, :, None], scores, -1e9)
        weights = ops.softmax(scores, axis=1)
        single = ops.cast(frames, "float32")  # squares overflow in half precision
        mean = ops.einsum("bth,btc->bhc", weights, single)
        # E[(x - mean)^2] as E[x^2] - mean^2 spares a tensor of frames, heads and channels.
        variance = ops.einsum("bth,btc->bhc", weights, ops.square(single)) - ops.square(mean)
        deviation = ops.sqrt(ops.maximum(variance, SMALLEST_VARIANCE))
        pooled = ops.concatenate([mean, deviation], axis=1)
        pooled = ops.reshape(pooled, (-1, 2 * self.heads * frames.shape[-1]))
        return ops.cast(pooled, self.compute_dtype)

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 2 * self.heads * input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "heads": self.heads, "units": self.units}
