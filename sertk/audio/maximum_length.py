"""Maximum length: clips that are longer are cropped, the others stay as long as they are."""

import keras
from keras import ops

from sertk.audio.waveform import check_waveform_dtype, check_waveform_shape

# Lengths are int32.
MOST_SAMPLES = (1 << 31) - 1


@keras.saving.register_keras_serializable(package="sertk")
class MaximumLength(keras.layers.Layer):
    """Crops waveforms that are longer than `samples`; what is shorter is neither padded nor repeated.

    For networks that hear clips of any length. In a batch the shorter clips are followed by zeros up to the longest
    one's length; `lengths` says how much of each row is the clip, and only that counts.

    Input: float waveforms, `(batch, anything)`, and int32 `lengths`, `(batch,)`, in samples; or a single waveform,
        `(anything,)`, without `lengths`.
    Output: `(batch, at most samples)` and the lengths that are left; or the single waveform.

    Args:
        samples: int, the most samples that stay, or None for all. Defaults to None.
        crop: `"center"` or `"start"`: which part of a longer clip stays. Defaults to `"center"`.

    Raises:
        ValueError: if an argument is out of range or the input is no waveform.

    Example:
        >>> MaximumLength(2, crop="start")(np.array([1.0, 2.0, 3.0]))
        [1.0, 2.0]

    Source: paper 002, section 5.2, pads to the longest clip of a batch; paper 004, section 6.2, truncates at 3 s.
    """

    def __init__(self, samples=None, crop="center", dtype="float32", **kwargs):
        super().__init__(dtype=dtype, **kwargs)
        if samples is not None and (not isinstance(samples, int) or samples < 1):
            raise ValueError(f"`samples` must be a positive integer, or None. Received: samples={samples!r}")
        if samples is not None and samples > MOST_SAMPLES:
            raise ValueError(
                f"`samples` must be at most {MOST_SAMPLES:,}, or None. Received: samples={str(samples)[:100]}"
            )
        if crop not in ("center", "start"):
            raise ValueError(f"`crop` must be one of center, start. Received: crop={crop!r}")
        self.samples = samples
        self.crop = crop
        self.built = True

    def call(self, waveforms, lengths=None):
        check_waveform_shape(self, waveforms.shape)
        check_waveform_dtype(self, waveforms)
        if (len(waveforms.shape) == 2) != (lengths is not None):
            raise ValueError(
                "MaximumLength takes a batch with `lengths`, or a single waveform without. "
                f"Received: shape={tuple(waveforms.shape)}, lengths={'none' if lengths is None else 'given'}"
            )
        if self.samples is None:
            return waveforms if lengths is None else (waveforms, lengths)
        if lengths is None:
            total = ops.shape(waveforms)[0]
            start = ops.maximum(total - self.samples, 0) // 2 if self.crop == "center" else 0
            return waveforms[start : start + self.samples]
        return self._cropped(waveforms, lengths)

    def _cropped(self, waveforms, lengths):
        kept = ops.minimum(lengths, self.samples)
        total = ops.shape(waveforms)[1]
        step = ops.arange(ops.minimum(total, self.samples), dtype="int32")
        if self.crop == "start":
            return ops.take(waveforms, step, axis=1), kept
        start = ops.maximum(lengths - self.samples, 0) // 2
        # Every position must exist: a row that is cropped is followed by its own samples, or by what pads it.
        return ops.take_along_axis(waveforms, start[:, None] + step[None], axis=1), kept

    def compute_output_spec(self, waveforms, lengths=None):
        *batch, total = waveforms.shape
        if self.samples is not None:
            total = None if total is None else min(total, self.samples)
        cropped = keras.KerasTensor((*batch, total), waveforms.dtype)
        return cropped if lengths is None else (cropped, keras.KerasTensor(lengths.shape, lengths.dtype))

    def get_config(self):
        return {**super().get_config(), "samples": self.samples, "crop": self.crop}
