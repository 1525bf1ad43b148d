"""Short-time Fourier transform: the power of a waveform by time and by frequency bin, with librosa's numbers."""

import contextlib
import contextvars

import keras
import librosa
import numpy as np
from keras import ops

# A model's file may name any number, and layers make windows, filters and weights of pixels as soon as they are made:
# these keep that to some hundred megabytes, and are far above what speech needs.
MOST = {"n_fft": 1 << 14, "hop_length": 1 << 20, "n_mels": 1 << 10, "height": 1 << 11, "width": 1 << 11}
# Frames that begin closer together say nothing new, and each sample is in that many.
MOST_OVERLAP = 64
_WITHOUT_FFT = contextvars.ContextVar("without_fft", default=False)


def hann_window(n_fft):
    """The periodic Hann window of `n_fft` samples, float32."""
    return librosa.filters.get_window("hann", n_fft).astype("float32")


def power_spectrogram(waveforms, n_fft, hop_length, window, center=True):
    """What `abs(librosa.stft(y, center=center)) ** 2` gives, transposed.

    Clips that are too short are refused with a ValueError where their length is known. In a TensorFlow graph for any
    length the same sentence is an assertion, which XLA leaves out; a clip that runs unchecked there has no frames.

    Args:
        waveforms: float32 tensor `(batch, samples)`.
        n_fft: int, window and FFT length in samples.
        hop_length: int, samples from one frame to the next.
        window: array `(n_fft,)`.
        center: bool, whether frames are centred and the clip's ends padded with zeros. Defaults to True.

    Returns:
        float32 tensor `(batch, frames, 1 + n_fft // 2)`.

    Raises:
        ValueError: if `center` is False and the clips are shorter than a frame.
    """
    check_samples(waveforms.shape[1], n_fft, center)
    if center:
        half = n_fft // 2
        waveforms = ops.pad(waveforms, ((0, 0), (half, half)))
    elif waveforms.shape[1] is None:
        waveforms = _asserted(waveforms, n_fft)
    # LiteRT's transform takes powers of two alone.
    if _WITHOUT_FFT.get() and n_fft & (n_fft - 1):
        real, imaginary = _by_products(waveforms, n_fft, hop_length, window)
    else:
        real, imaginary = ops.stft(waveforms, n_fft, hop_length, n_fft, window=window, center=False)
    return ops.square(real) + ops.square(imaginary)


@contextlib.contextmanager
def without_fft():
    """Lets `power_spectrogram` take matrix products in place of Fourier transforms whose length is no power of two.

    For graphs that are built inside, and go where there are no such transforms. The numbers are the same to float32.
    """
    token = _WITHOUT_FFT.set(True)
    try:
        yield
    finally:
        _WITHOUT_FFT.reset(token)


def _by_products(waveforms, n_fft, hop_length, window):
    """What `ops.stft` gives, by the definition of the Fourier transform."""
    frames = ops.extract_sequences(waveforms, n_fft, hop_length)
    # Reduced before they are scaled: the sine of large numbers would lose digits.
    turns = np.outer(np.arange(n_fft), np.arange(1 + n_fft // 2)) % n_fft * (2 * np.pi / n_fft)
    windowed = frames * window
    return ops.matmul(windowed, np.cos(turns).astype("float32")), ops.matmul(windowed, -np.sin(turns).astype("float32"))


def count_frames(samples, n_fft, hop_length, center=True):
    """How many frames `power_spectrogram` makes of `samples`.

    Centred and with an even `n_fft`, `1 + samples // hop_length`; else `1 + (samples - n_fft) // hop_length`.
    """
    padded = samples + 2 * (n_fft // 2) if center else samples
    return 1 + (padded - n_fft) // hop_length


def check_samples(samples, n_fft, center):
    """Refuses a length that is known, and below one frame where nothing is padded.

    Args:
        samples: int, or None where it is not known.
        n_fft: int, the length of a frame in samples.
        center: bool, whether clips are padded.

    Raises:
        ValueError: if it is.
    """
    if not center and samples is not None and samples < n_fft:
        raise ValueError(f"{_too_short(n_fft)} samples={samples}")


def _too_short(n_fft):
    return (
        f"Clips must have at least `n_fft`, {n_fft}, samples where `center` is False: take longer ones, or "
        "`center=True`, which pads them. Received:"
    )


def _asserted(waveforms, n_fft):
    """The same waveforms, after a look at their length when the graph runs."""
    if keras.backend.backend() != "tensorflow":
        return waveforms
    import tensorflow as tf

    samples = tf.shape(waveforms)[1]
    with tf.control_dependencies([tf.debugging.Assert(samples >= n_fft, [f"{_too_short(n_fft)} samples=", samples])]):
        return tf.identity(waveforms)


def to_decibels(power):
    """10 log10 of a power, which is kept above librosa's smallest, 1e-10 (-100 dB)."""
    return 10.0 * ops.log10(ops.maximum(power, 1e-10))


def check_sizes(**sizes):
    """Refuses what is no positive integer, or more than speech needs and memory holds.

    Args:
        **sizes: the arguments by their names.

    Raises:
        ValueError: if one is not.
    """
    for name, value in sizes.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
        if value > MOST.get(name, value):
            raise ValueError(f"`{name}` must be at most {MOST[name]:,}. Received: {name}={str(value)[:100]}")
    if "hop_length" in sizes and sizes["hop_length"] * MOST_OVERLAP < sizes["n_fft"]:
        raise ValueError(
            f"`hop_length` must be at least `n_fft` / {MOST_OVERLAP}: a sample is in no more frames than that. "
            f"Received: hop_length={sizes['hop_length']}, n_fft={sizes['n_fft']}"
        )


def check_center(center):
    """Refuses what is neither True nor False.

    Raises:
        ValueError: if it is not.
    """
    if not isinstance(center, bool):
        raise ValueError(f"`center` must be True or False. Received: center={center!r}")


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
