"""MFCC: the shape of the log-mel spectrum, decorrelated by a cosine transform."""

import keras
import numpy as np
import scipy.fft
from keras import ops

from sertk.features.log_mel import LogMelSpectrogram


@keras.saving.register_keras_serializable(package="sertk")
class MFCC(keras.layers.Layer):
    """Turns waveforms into mel-frequency cepstral coefficients, `librosa.feature.mfcc`, transposed.

    The orthonormal DCT-II of each frame of `LogMelSpectrogram`, whose arguments and shapes it shares.

    Input: float waveforms in [-1, 1], `(batch, samples)`, or a single one, `(samples,)`.
    Output: float32, `(batch, frames, n_mfcc)` or `(frames, n_mfcc)`.

    Args:
        sr: int, the sample rate in Hz. Defaults to 16000 (librosa's default is 22050).
        n_mfcc: int, number of coefficients, at most `n_mels`. Defaults to 20; paper 004 takes 128.
        n_fft: int, window and FFT length in samples. Defaults to 2048.
        hop_length: int, samples from one frame to the next. Defaults to 512.
        n_mels: int, number of mel bands. Defaults to 128.
        fmin: float, lowest frequency in Hz. Defaults to 0.
        fmax: float, highest frequency in Hz, at most `sr / 2`. Defaults to `sr / 2`.
        top_db: float, how far below a clip's maximum the spectrogram is cut off, in dB, or None. Defaults to 80.
        center: bool, whether frames are centred, as in `LogMelSpectrogram`. Defaults to True.
        dtype: defaults to `"float32"`.

    Raises:
        ValueError: if an argument is out of range, the input is no waveform, or is shorter than a frame where `center`
            is False.

    Example:
        >>> MFCC(n_mfcc=128)(np.zeros((8, 48_000), "float32")).shape
        (8, 94, 128)

    Source: Davis and Mermelstein (1980); McFee et al. (2015), librosa. Paper 004, section 4.1.2.
    """

    def __init__(
        self,
        sr=16_000,
        n_mfcc=20,
        n_fft=2048,
        hop_length=512,
        n_mels=128,
        fmin=0.0,
        fmax=None,
        top_db=80.0,
        center=True,
        dtype="float32",
        **kwargs,
    ):
        super().__init__(dtype=dtype, **kwargs)
        self.log_mel = LogMelSpectrogram(
            sr, n_fft, hop_length, n_mels, fmin, fmax, top_db=top_db, center=center, dtype=dtype
        )
        if not isinstance(n_mfcc, int) or not 1 <= n_mfcc <= n_mels:
            raise ValueError(
                f"`n_mfcc` must be an integer from 1 to `n_mels`, {n_mels}: there are no more coefficients than bands. "
                f"Received: n_mfcc={n_mfcc!r}"
            )
        self.n_mfcc = n_mfcc
        cosines = scipy.fft.dct(np.eye(n_mels), type=2, norm="ortho", axis=1)[:, :n_mfcc]
        self._cosines = cosines.astype("float32")
        self._of_constant = cosines.sum(axis=0).round(12).astype("float32")

    def build(self, input_shape):
        self.log_mel.build(input_shape)

    def call(self, waveforms):
        return self.of_log_mel(self.log_mel(waveforms))

    def of_log_mel(self, decibels):
        """The coefficients of log-mel spectrograms, `(..., frames, n_mels)`, such as `log_mel` gives."""
        # The frame's mean is transformed apart: summed with the rest it would cost float32 its third decimal.
        mean = ops.mean(decibels, axis=-1, keepdims=True)
        return ops.matmul(decibels - mean, self._cosines) + mean * self._of_constant

    def compute_output_shape(self, input_shape):
        return (*self.log_mel.compute_output_shape(input_shape)[:-1], self.n_mfcc)

    def get_config(self):
        spectrogram = self.log_mel.get_config()
        shared = ("sr", "n_fft", "hop_length", "n_mels", "fmin", "fmax", "top_db", "center")
        return {**super().get_config(), "n_mfcc": self.n_mfcc, **{name: spectrogram[name] for name in shared}}
