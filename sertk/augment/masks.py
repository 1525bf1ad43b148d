"""Time and frequency masks: some frames, or some bands, of a spectrogram are blotted out."""

import keras
from keras import ops

from sertk.augment.spectrogram import (
    check_count,
    check_features_dtype,
    check_features_shape,
    check_fill,
    check_share,
    filled,
)


class Mask(keras.layers.Layer):
    """What both masks share: for each clip some stretches of one axis, each of a width and at a place of its own."""

    axis = None

    def __init__(self, max_width=0.1, count=1, fill="mean", seed=None, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, **kwargs)
        check_share("max_width", max_width)
        check_count("count", count)
        check_fill(fill)
        self.max_width = max_width
        self.count = count
        self.fill = fill
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        check_features_shape(self, input_shape)

    def call(self, features, training=False):
        check_features_dtype(self, features)
        if not training:
            return features
        shape = ops.shape(features)
        covered = ops.expand_dims(self._stretches(shape[0], shape[self.axis]), 3 - self.axis)
        return filled(features, covered, self.fill)

    def _stretches(self, clips, length):
        """Which places of the axis are masked: bool, `(clips, length)`."""
        drawn = keras.random.uniform((2, clips, self.count, 1), seed=self.seed_generator)
        place = ops.arange(length, dtype="float32")
        length = ops.cast(length, "float32")
        width = _whole(drawn[0], ops.round(self.max_width * length))
        start = _whole(drawn[1], length - width)
        return ops.any(ops.logical_and(place >= start, place < start + width), axis=1)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "max_width": self.max_width,
            "count": self.count,
            "fill": self.fill,
            "seed": self.seed,
        }


def _whole(drawn, most):
    """Whole numbers from 0 to `most`, all as likely, of floats in [0, 1)."""
    # The product of a float just below 1 may be rounded up to most + 1.
    return ops.minimum(ops.floor(drawn * (most + 1)), most)


@keras.saving.register_keras_serializable(package="sertk")
class TimeMask(Mask):
    """Masks stretches of time in training, each clip's at places of its own.

    The width of a mask is drawn evenly from 0 to `max_width` of the frames, in whole frames, then its place evenly from
    those where it fits, as in SpecAugment. Masks may overlap. tensorflow-io's `time_mask` takes one spectrogram and no
    seed, and fills with 0, in dB a loud value or the loudest; Keras has `RandomErasing` for patches of pictures, and no
    masks over an axis. In inference the layer does nothing.

    Input: float features, `(batch, frames, bands)`.
    Output: the same shape, of the layer's dtype.

    Args:
        max_width: float, the widest mask as a share of the frames, above 0 and at most 1. Defaults to 0.1.
        count: int, number of masks. Defaults to 1.
        fill: `"mean"`, the mean of all of the clip's values, which is 0 where they are standardised; or a number, in
            the features' unit. Defaults to `"mean"`.
        seed: int, or None for another sequence in every process. Defaults to None.
        dtype: defaults to `"float32"`.

    Raises:
        ValueError: if an argument is out of range, or the input is no batch of float features.

    Example:
        >>> masked = TimeMask(max_width=0.2, count=2, seed=0)(features, training=True)

    Source: Park et al. (2019), SpecAugment, https://arxiv.org/abs/1904.08779, section 2; paper 000, section 3.1.1.
    """

    axis = 1


@keras.saving.register_keras_serializable(package="sertk")
class FrequencyMask(Mask):
    """Masks neighbouring bands in training, each clip's at places of its own.

    As `TimeMask`, over the bands. In inference the layer does nothing.

    Input: float features, `(batch, frames, bands)`.
    Output: the same shape, of the layer's dtype.

    Args:
        max_width: float, the widest mask as a share of the bands, above 0 and at most 1. Defaults to 0.1.
        count: int, number of masks. Defaults to 1.
        fill: `"mean"`, the mean of all of the clip's values, which is 0 where they are standardised; or a number, in
            the features' unit. Defaults to `"mean"`.
        seed: int, or None for another sequence in every process. Defaults to None.
        dtype: defaults to `"float32"`.

    Raises:
        ValueError: if an argument is out of range, or the input is no batch of float features.

    Example:
        >>> masked = FrequencyMask(count=2, seed=0)(features, training=True)

    Source: Park et al. (2019), SpecAugment, https://arxiv.org/abs/1904.08779, section 2; paper 000, section 3.1.1.
    """

    axis = 2
