"""The spectrogram that a features layer makes, in dB, with the times of its frames and the frequencies of its bands."""

from typing import NamedTuple

import keras
import librosa
import numpy as np

from sertk.features import MFCC, LogMelSpectrogram, SpectrogramImage
from sertk.features.stft import hann_window, power_spectrogram, to_decibels


class Spectrogram(NamedTuple):
    """`values`, `(frames, bands)`; `times` in seconds, `(frames,)`; `frequencies` in Hz, `(bands,)`, or None."""

    values: np.ndarray
    times: np.ndarray
    frequencies: np.ndarray | None


def spectrogram_of(layer, waveform, coefficients=False):
    """What a features layer hears of a waveform, or what is beneath it: beneath MFCC and images lies a spectrogram.

    Args:
        layer: `LogMelSpectrogram`, `MFCC` or `SpectrogramImage`.
        waveform: tensor `(1, samples)`.
        coefficients: bool, whether MFCC are given as they are. Defaults to False.

    Returns:
        `Spectrogram`.
    """
    beneath = layer.log_mel if isinstance(layer, MFCC) else layer
    if isinstance(layer, SpectrogramImage):
        values, frequencies = _of_image(layer, waveform)
    elif coefficients:
        values, frequencies = layer(waveform), None
    else:
        values, frequencies = beneath(waveform), _mel_frequencies(beneath)
    values = keras.ops.convert_to_numpy(values)[0]
    middles = np.arange(len(values)) * beneath.hop_length + (0 if beneath.center else beneath.n_fft / 2)
    return Spectrogram(values, middles / beneath.sr, frequencies)


def _of_image(layer, waveform):
    if layer.kind == "mel":
        shared = ("sr", "n_fft", "hop_length", "n_mels", "fmin", "fmax", "center")
        log_mel = LogMelSpectrogram(top_db=None, **{name: getattr(layer, name) for name in shared})
        return log_mel(waveform), _mel_frequencies(log_mel)
    power = power_spectrogram(waveform, layer.n_fft, layer.hop_length, hann_window(layer.n_fft), layer.center)
    frequencies = np.fft.rfftfreq(layer.n_fft, 1 / layer.sr)
    inside = (frequencies >= layer.fmin) & (frequencies <= (layer.sr / 2 if layer.fmax is None else layer.fmax))
    return keras.ops.convert_to_numpy(to_decibels(power))[..., inside], frequencies[inside]


def _mel_frequencies(layer):
    """The peaks of the triangular filters."""
    highest = layer.sr / 2 if layer.fmax is None else layer.fmax
    return librosa.mel_frequencies(layer.n_mels + 2, fmin=layer.fmin, fmax=highest)[1:-1]
