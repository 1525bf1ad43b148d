"""Log-mel spectrogram: how much energy a clip has, in dB, by time and by mel band."""

import keras
import librosa
import numpy as np
from keras import ops

from sertk.audio.waveform import check_waveform_dtype, check_waveform_shape
from sertk.features.stft import (
    check_band,
    check_center,
    check_samples,
    check_sizes,
    count_frames,
    hann_window,
    power_spectrogram,
    to_decibels,
)

# Into how many groups the mel bands are divided. More save little and cost an operation each.
GROUPS = 4


@keras.saving.register_keras_serializable(package="sertk")
class LogMelSpectrogram(keras.layers.Layer):
    """Turns waveforms into log-mel spectrograms, `power_to_db(melspectrogram(y))` of librosa, transposed.

    Frames are centred and the waveform is padded with zeros, so a clip gives `1 + samples // hop_length` frames:
    3 s at 16 kHz give 94 at a hop of 512 and 188 at a hop of 256. With `center=False` nothing is padded and a clip
    gives `1 + (samples - n_fft) // hop_length` frames: paper 003's 373 of 95,744 samples, with a window of 512 and a
    hop of 256. The window is a periodic Hann window of `n_fft` samples, the mel scale and its normalisation are
    Slaney's. `ref="max"` and `top_db` look at each clip alone: a clip's features do not depend on the batch that it is
    in. Everything is computed in float32, under a mixed-precision policy too.

    Input: float waveforms in [-1, 1], `(batch, samples)`, or a single one, `(samples,)`.
    Output: float32, `(batch, frames, n_mels)` or `(frames, n_mels)`, in dB.

    Args:
        sr: int, the sample rate in Hz. Defaults to 16000 (librosa's default is 22050).
        n_fft: int, window and FFT length in samples. Defaults to 2048.
        hop_length: int, samples from one frame to the next. Defaults to 512.
        n_mels: int, number of mel bands. Defaults to 128.
        fmin: float, lowest frequency in Hz. Defaults to 0.
        fmax: float, highest frequency in Hz, at most `sr / 2`. Defaults to `sr / 2`.
        ref: the power that is 0 dB: a positive float, or `"max"` for the clip's own maximum (librosa's
            `ref=np.max`). Defaults to 1.0.
        top_db: float, how far below a clip's maximum values are cut off, in dB, or None. Defaults to 80.
        center: bool, whether each frame is centred on its sample and the clip padded with zeros, librosa's default, or
            the first frame begins with the first sample. Defaults to True.
        dtype: defaults to `"float32"`.

    Raises:
        ValueError: if an argument is out of range, the input is no waveform, or is shorter than a frame where `center`
            is False.

    Example:
        >>> clip = np.zeros(48_000, "float32")
        >>> LogMelSpectrogram()(clip).shape
        (94, 128)

    Source: McFee et al. (2015), librosa. Paper 004, section 4.1.1.
    """

    def __init__(
        self,
        sr=16_000,
        n_fft=2048,
        hop_length=512,
        n_mels=128,
        fmin=0.0,
        fmax=None,
        ref=1.0,
        top_db=80.0,
        center=True,
        dtype="float32",
        **kwargs,
    ):
        super().__init__(dtype=dtype, **kwargs)
        check_sizes(sr=sr, n_fft=n_fft, hop_length=hop_length, n_mels=n_mels)
        check_band(fmin, fmax, sr)
        check_center(center)
        if ref != "max" and not (isinstance(ref, int | float) and ref > 0):
            raise ValueError(f'`ref` must be a positive power or "max". Received: ref={ref!r}')
        if top_db is not None and not top_db >= 0:
            raise ValueError(f"`top_db` must be None or at least 0 dB. Received: top_db={top_db}")
        self.sr = sr
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.fmin = fmin
        self.fmax = fmax
        self.ref = ref
        self.top_db = top_db
        self.center = center
        self._window = hann_window(n_fft)
        self._filters = _grouped(librosa.filters.mel(sr=sr, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax).T)

    def build(self, input_shape):
        check_waveform_shape(self, input_shape)

    def call(self, waveforms):
        check_waveform_dtype(self, waveforms)
        single = len(waveforms.shape) == 1
        decibels = self._decibels(waveforms[None] if single else waveforms)
        return decibels[0] if single else decibels

    def _decibels(self, waveforms):
        power = power_spectrogram(waveforms, self.n_fft, self.hop_length, self._window, self.center)
        bands = [ops.matmul(power[..., bins], filters) for bins, filters in self._filters]
        decibels = to_decibels(ops.concatenate(bands, axis=-1))
        loudest = ops.max(decibels, axis=(1, 2), keepdims=True)
        reference = loudest if self.ref == "max" else to_decibels(np.float32(self.ref))
        if self.top_db is not None:
            decibels = ops.maximum(decibels, loudest - self.top_db)
        return decibels - reference

    def compute_output_shape(self, input_shape):
        *batch, samples = input_shape
        check_samples(samples, self.n_fft, self.center)
        frames = None if samples is None else count_frames(samples, self.n_fft, self.hop_length, self.center)
        return (*batch, frames, self.n_mels)

    def get_config(self):
        return {
            **super().get_config(),
            "sr": self.sr,
            "n_fft": self.n_fft,
            "hop_length": self.hop_length,
            "n_mels": self.n_mels,
            "fmin": self.fmin,
            "fmax": self.fmax,
            "ref": self.ref,
            "top_db": self.top_db,
            "center": self.center,
        }


def _grouped(filters):
    """The filters `(bins, bands)` in groups of neighbouring bands, each with the bins that they reach.

    As one matrix they are nearly all zeros; in four groups they take a quarter of the products.
    """
    groups = []
    for bands in np.array_split(filters, min(GROUPS, filters.shape[1]), axis=1):
        reached = np.flatnonzero(bands.any(axis=1))
        # A band may be so narrow that it lies between two bins, and a group have no bin at all.
        bins = slice(int(reached[0]), int(reached[-1]) + 1) if len(reached) else slice(0, 1)
        groups.append((bins, bands[bins]))
    return groups
