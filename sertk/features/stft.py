"""Short-time Fourier transform: the power of a waveform by time and by frequency bin, with librosa's numbers."""

import librosa
from keras import ops


def hann_window(n_fft):
    """The periodic Hann window of `n_fft` samples, float32."""
    return librosa.filters.get_window("hann", n_fft).astype("float32")


def power_spectrogram(waveforms, n_fft, hop_length, window):
    """What `abs(librosa.stft(y)) ** 2` gives, transposed: frames are centred, the clip's ends padded with zeros.

    Args:
        waveforms: float32 tensor `(batch, samples)`.
        n_fft: int, window and FFT length in samples.
        hop_length: int, samples from one frame to the next.
        window: array `(n_fft,)`.

    Returns:
        float32 tensor `(batch, frames, 1 + n_fft // 2)`.
    """
    half = n_fft // 2
    padded = ops.pad(waveforms, ((0, 0), (half, half)))
    real, imaginary = ops.stft(padded, n_fft, hop_length, n_fft, window=window, center=False)
    return ops.square(real) + ops.square(imaginary)


def count_frames(samples, n_fft, hop_length):
    """How many frames `power_spectrogram` makes of `samples`: `1 + samples // hop_length` for an even `n_fft`."""
    return 1 + (samples + 2 * (n_fft // 2) - n_fft) // hop_length


def to_decibels(power):
    """10 log10 of a power, which is kept above librosa's smallest, 1e-10 (-100 dB)."""
    return 10.0 * ops.log10(ops.maximum(power, 1e-10))


def check_sizes(**sizes):
    """Refuses what is no positive integer.

    Args:
        **sizes: the arguments by their names.

    Raises:
        ValueError: if one is not.
    """
    for name, value in sizes.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")


def check_band(fmin, fmax, sr):
    """Refuses frequencies that are no band below half the sample rate.

    Args:
        fmin: float, lowest frequency in Hz.
        fmax: float, highest frequency in Hz, or None for `sr / 2`.
        sr: int, the sample rate in Hz.

    Raises:
        ValueError: if they are not.
    """
    highest = sr / 2 if fmax is None else fmax
    if not 0 <= fmin < highest <= sr / 2:
        raise ValueError(
            f"`fmin` and `fmax` must satisfy 0 <= fmin < fmax <= sr / 2 = {sr / 2:g} Hz. "
            f"Received: fmin={fmin}, fmax={fmax}"
        )
