"""Pooling of a clip's own frames, without those of padding."""

import keras
from keras import layers, ops

from sertk.models.ssl.lengths import valid_frames

KINDS = ("mean", "sum", "max")


@keras.saving.register_keras_serializable(package="sertk")
class MaskedPooling(layers.Layer):
    """Takes the mean, the sum or the maximum of each channel over the valid frames of a clip.

    A clip without valid frames gives 0.

    Input: `(batch, frames, channels)`; `lengths`, int32, `(batch,)`, valid frames of each clip, or None for all.
    Output: `(batch, channels)`; computed in float32.

    Args:
        kind: "mean", "sum" or "max". Defaults to "mean".

    Raises:
        ValueError: if `kind` is none of these.

    Example:
        >>> MaskedPooling()(np.array([[[1.0], [3.0], [8.0]]]), lengths=np.array([2]))
        [[2.0]]
    """

    lengths_in = "frames"

    def __init__(self, kind="mean", **kwargs):
        super().__init__(**kwargs)
        if kind not in KINDS:
            raise ValueError(f"`kind` must be one of {', '.join(KINDS)}. Received: kind={kind!r}")
        self.kind = kind

    def call(self, frames, lengths=None):
        single = ops.cast(frames, "float32")  # sums overflow in half precision
        if lengths is None:
            pooled = getattr(ops, self.kind)(single, axis=1)
        else:
            valid = valid_frames(lengths, ops.shape(frames)[1])[:, :, None]
            count = ops.sum(ops.cast(valid, "float32"), axis=1)
            if self.kind == "max":
                pooled = ops.max(ops.where(valid, single, -float("inf")), axis=1)
                pooled = ops.where(count > 0, pooled, 0.0)
            else:
                pooled = ops.sum(ops.where(valid, single, 0.0), axis=1)
                if self.kind == "mean":
                    pooled = pooled / ops.maximum(count, 1.0)
        return ops.cast(pooled, self.compute_dtype)

    def compute_output_shape(self, frames_shape, lengths_shape=None):
        return (frames_shape[0], frames_shape[-1])

    def get_config(self):
        return {**super().get_config(), "kind": self.kind}
