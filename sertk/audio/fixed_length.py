"""Fixed length: every clip becomes equally long, with or without its silent ends."""

import keras
from keras import ops

from sertk.audio.waveform import check_waveform_dtype, check_waveform_shape

RMS_WINDOW, RMS_HOP = 2048, 512
# An hour at 16 kHz and more, which takes a gigabyte to cut; a number that a file names could be any.
MOST_SAMPLES = 1 << 26


@keras.saving.register_keras_serializable(package="sertk")
class FixedLength(keras.layers.Layer):
    """Crops, pads or repeats waveforms to `samples`, after trimming their silent ends if asked to.

    Clips that are longer lose as much at both ends (`crop="center"`) or all at the end (`crop="start"`). Shorter ones
    are followed by zeros (`pad="zero"`) or by themselves, again and again (`pad="repeat"`). Silence at the ends is what
    `librosa.effects.trim` takes for it, with its defaults but for `top_db`: frames of 2,048 samples, every 512, whose
    RMS lies more than `trim_top_db` below that of the clip's loudest frame. A clip that is silent throughout is not
    trimmed.

    Input: float waveforms, `(batch, anything)`, or a single one, `(anything,)`; at least one sample. With a batch also
        `lengths`, int32 `(batch,)`, in samples, where zeros follow the shorter clips: each row is then cropped, padded,
        repeated and trimmed by its own length, as if it came alone.
    Output: `(batch, samples)` or `(samples,)`.

    Args:
        samples: int, the length to give, in samples.
        crop: `"center"` or `"start"`: which part of a longer clip stays. Defaults to `"center"`.
        pad: `"zero"` or `"repeat"`: what follows a shorter clip. Defaults to `"zero"`.
        trim_top_db: float, dB, or None to leave silent ends. Defaults to None.

    Raises:
        ValueError: if an argument is out of range or the input is no waveform.

    Example:
        >>> FixedLength(5, pad="repeat")(np.array([1.0, 2.0]))
        [1.0, 2.0, 1.0, 2.0, 1.0]

    Source: paper 004 takes 3 s (sections 4.1 and 6.2); paper 003 repeats a clip up to the longest one's length.
    """

    def __init__(self, samples, crop="center", pad="zero", trim_top_db=None, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, **kwargs)
        if not isinstance(samples, int) or samples < 1:
            raise ValueError(f"`samples` must be a positive integer. Received: samples={samples!r}")
        if samples > MOST_SAMPLES:
            raise ValueError(f"`samples` must be at most {MOST_SAMPLES:,}. Received: samples={str(samples)[:100]}")
        for name, value, allowed in (("crop", crop, ("center", "start")), ("pad", pad, ("zero", "repeat"))):
            if value not in allowed:
                raise ValueError(f"`{name}` must be one of {', '.join(allowed)}. Received: {name}={value!r}")
        if trim_top_db is not None and not trim_top_db > 0:
            raise ValueError(f"`trim_top_db` must be above 0 dB, or None. Received: trim_top_db={trim_top_db}")
        self.samples = samples
        self.crop = crop
        self.pad = pad
        self.trim_top_db = trim_top_db

    def build(self, input_shape):
        check_waveform_shape(self, input_shape)

    def call(self, waveforms, lengths=None):
        check_waveform_dtype(self, waveforms)
        single = len(waveforms.shape) == 1
        if single and lengths is not None:
            raise ValueError(
                "FixedLength takes `lengths` with a batch alone; a single waveform is as long as it is. "
                f"Received: shape={tuple(waveforms.shape)} with lengths"
            )
        fixed = self._fix(waveforms[None] if single else waveforms, lengths)
        return fixed[0] if single else fixed

    def _fix(self, waveforms, lengths):
        total = ops.shape(waveforms)[1]
        start, length = 0, total
        if lengths is not None:
            start, length = ops.zeros_like(lengths[:, None]), lengths[:, None]
        if self.trim_top_db is not None:
            start, length = _sounding_part(waveforms, self.trim_top_db, length)
        if self.crop == "center":
            start = start + ops.maximum(length - self.samples, 0) // 2
        step = ops.arange(self.samples, dtype="int32")
        source = start + (step % length if self.pad == "repeat" else step)
        # Every position must exist; those past the clip's end are silenced below.
        source = ops.minimum(source, total - 1)
        if self.trim_top_db is None and lengths is None:
            fixed = ops.take(waveforms, source, axis=1)
        else:
            fixed = ops.take_along_axis(waveforms, source, axis=1)
        return fixed if self.pad == "repeat" else fixed * ops.cast(step < length, fixed.dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.samples)

    def get_config(self):
        return {
            **super().get_config(),
            "samples": self.samples,
            "crop": self.crop,
            "pad": self.pad,
            "trim_top_db": self.trim_top_db,
        }


def _sounding_part(waveforms, top_db, total):
    """Where the sound of each clip starts and how long it lasts, int32, `(batch, 1)` each, in samples.

    No frame behind a clip of `total` samples is louder than the last one in it, so zeros there change nothing.
    """
    half = RMS_WINDOW // 2
    squares = ops.pad(ops.square(waveforms), ((0, 0), (half, half)))[..., None]
    power = ops.average_pool(squares, RMS_WINDOW, RMS_HOP, padding="valid")[..., 0]
    decibels = 10.0 * ops.log10(ops.maximum(power, 1e-10))
    sounds = ops.cast(decibels > ops.max(decibels, axis=1, keepdims=True) - top_db, "int32")
    first = ops.argmax(sounds, axis=1, keepdims=True)
    last = ops.shape(sounds)[1] - 1 - ops.argmax(ops.flip(sounds, axis=1), axis=1, keepdims=True)
    start = ops.cast(first, "int32") * RMS_HOP
    end = ops.minimum((ops.cast(last, "int32") + 1) * RMS_HOP, total)
    return start, end - start
