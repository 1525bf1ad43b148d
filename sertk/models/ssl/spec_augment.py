"""SpecAugment on projected features: spans of frames and of channels are masked in training."""

import keras
from keras import layers, ops

from sertk.models.arguments import check_counts
from sertk.models.ssl.lengths import valid_frames

# Frames or channels. Spans are laid out behind the clip, whatever a model's file says of their length.
LONGEST_SPAN = 100_000


@keras.saving.register_keras_serializable(package="sertk")
class SpecAugment(layers.Layer):
    """Replaces spans of frames by a learned vector, and sets spans of channels to 0, in training only.

    A clip of n valid frames gets `rate * n / length` spans, rounded up or down by chance such that this is their mean,
    at least `min_masks` and as many as have room. They start at different frames and may overlap, so that fewer frames
    are masked than `rate` says. Clips shorter than a span get none.

    Input: `(batch, frames, channels)`; `lengths`, int32, `(batch,)`, valid frames of each clip, or None for all. No
        span reaches into padding.
    Output: the same shape.

    Args:
        time_rate, time_length, time_min_masks: share of frames to mask, frames of a span, spans at least. Default to
            0.05, 10 and 2.
        channel_rate, channel_length, channel_min_masks: the same of the channels. Default to 0, 10 and 0.
        active: bool, whether it masks at all. What does not still has the learned vector, which checkpoints hold.
            Defaults to True.
        seed: int, or None for other masks in every process. Defaults to None.

    Source: Park et al. (2019), SpecAugment, as transformers' speech encoders have it.
    """

    lengths_in = "frames"

    def __init__(
        self,
        time_rate=0.05,
        time_length=10,
        time_min_masks=2,
        channel_rate=0.0,
        channel_length=10,
        channel_min_masks=0,
        active=True,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_counts(LONGEST_SPAN, time_length=time_length, channel_length=channel_length)
        self.time = (time_rate, time_length, time_min_masks)
        self.channel = (channel_rate, channel_length, channel_min_masks)
        self.active = active
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, features_shape, lengths_shape=None):
        self.mask = self.add_weight(
            (features_shape[-1],),
            keras.initializers.RandomUniform(0.0, 1.0),
            trainable=self.active and self.time[0] > 0,  # what is never used has no gradient, of which Keras warns
            name="mask",
        )

    def call(self, features, lengths=None, training=None):
        if not training or not self.active:
            return features
        batch, frames, channels = ops.shape(features)
        if self.time[0]:
            counts = ops.full((batch,), frames, "int32") if lengths is None else ops.cast(lengths, "int32")
            masked = self._spans(counts, frames, *self.time)
            features = ops.where(masked[:, :, None], ops.convert_to_tensor(self.mask), features)
        if self.channel[0]:
            masked = self._spans(ops.full((batch,), channels, "int32"), channels, *self.channel)
            features = ops.where(masked[:, None], ops.zeros_like(features), features)
        return features

    def _spans(self, counts, total, rate, length, min_masks):
        """Which of `total` places are masked, `(batch, total)`, of which only the first `counts` may be."""
        single = ops.cast(counts, "float32")
        # One draw for all clips, as in transformers.
        spans = ops.floor(rate * single / length + keras.random.uniform((), seed=self.seed_generator))
        spans = ops.maximum(ops.cast(spans, "int32"), min_masks)
        starts = ops.maximum(counts - (length - 1), 0)
        spans = ops.minimum(spans, ops.minimum(starts, total // length))
        # The places with the largest random numbers are chosen: different ones, without a loop.
        drawn = keras.random.uniform((ops.shape(counts)[0], total), seed=self.seed_generator)
        drawn = ops.where(valid_frames(starts, total), drawn, -1.0)
        rank = ops.argsort(ops.argsort(-drawn, axis=1), axis=1)
        chosen = ops.cast(ops.cast(rank, "int32") < spans[:, None], "int32")
        begun = ops.cumsum(chosen, axis=1)
        ended = ops.pad(begun, ((0, 0), (length, 0)))[:, :total]
        return begun > ended

    def compute_output_shape(self, features_shape, lengths_shape=None):
        return features_shape

    def get_config(self):
        return {
            **super().get_config(),
            **dict(zip(("time_rate", "time_length", "time_min_masks"), self.time, strict=True)),
            **dict(zip(("channel_rate", "channel_length", "channel_min_masks"), self.channel, strict=True)),
            "active": self.active,
            "seed": self.seed,
        }
