"""Resampling in a TensorFlow graph: the rates that people's recordings have, by polyphase filters kept as constants."""

import math

import numpy as np
import scipy.signal
import tensorflow as tf

# Hz: telephone, speech recognition, half the CD's, speech synthesis, the CD, video.
RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)
# soxr's high quality, which `sertk.audio.read` resamples with: half of a band's highest 8.64 % are lost, and what lies
# above half the lower rate is 128 dB down. The attenuation is soxr's 20 bits and a little more; chosen to agree best.
PASSBAND, STOPBAND, ATTENUATION = 0.9136, 1.0, 128.0
# So many samples leave the filter at once: few would leave the processor waiting for a matrix worth its while.
BLOCK = 128
# Rates that share no large divisor want a filter for each of so many phases, which all lie in the graph.
MOST_PHASES = 1_000


def supported_rates(sample_rate):
    """The rates from which a graph resamples to `sample_rate`, in order: that one, and those of `RATES` near enough.

    Of a model at 16,001 Hz none is: filters from 48,000 Hz would take 3 GB.
    """
    near = {rate for rate in RATES if sample_rate // math.gcd(rate, sample_rate) <= MOST_PHASES}
    return tuple(sorted({*near, sample_rate}))


def resample(waveform, file_rate, sample_rate):
    """Brings a waveform from one rate to another.

    The numbers are soxr's in high quality but for a rounding of the filter: of white noise 60 dB and more below it, of
    speech 80 dB.

    Args:
        waveform: float32 tensor `(samples,)`.
        file_rate: int, Hz, its rate.
        sample_rate: int, Hz, the rate to give.

    Returns:
        float32 tensor `(samples * sample_rate / file_rate,)`, rounded half up.

    Source: Crochiere and Rabiner, Multirate Digital Signal Processing (1983); Kaiser's window as `scipy.signal` has it.
    """
    if file_rate == sample_rate:
        return waveform
    kernel, before, step = polyphase(file_rate, sample_rate)
    width, together = kernel.shape
    samples = tf.shape(waveform, out_type=tf.int64)[0]
    count = (2 * samples * sample_rate + file_rate) // (2 * file_rate)
    blocks = -(-count // together)
    after = tf.maximum(blocks * step - step + width - samples - before, 0)
    padded = tf.pad(waveform, [[before, after]])
    filtered = tf.nn.conv1d(padded[None, :, None], kernel[:, None, :], stride=step, padding="VALID")
    return tf.reshape(filtered, [-1])[:count]


def polyphase(file_rate, sample_rate):
    """The filter from one rate to another, a column for each sample of a block that it gives at once.

    Args:
        file_rate, sample_rate: int, Hz.

    Returns:
        float32 array `(width, block)`; int, how many zeros go before the waveform; int, how many samples it goes on
        from block to block.
    """
    common = math.gcd(file_rate, sample_rate)
    up, down = sample_rate // common, file_rate // common
    taps = _low_pass(file_rate, sample_rate, up)
    half = len(taps) // 2
    repeats = -(-BLOCK // up)
    block, step = up * repeats, down * repeats
    before = half // up
    width = ((block - 1) * down + half) // up + before + 1
    # Sample p of a block lies at p * down of the rate that both rates divide, sample k of its input at k * up.
    place = np.arange(block) * down - (np.arange(width)[:, None] - before) * up + half
    inside = (place >= 0) & (place < len(taps))
    return np.where(inside, taps[place.clip(0, len(taps) - 1)], 0).astype("float32"), before, step


def _low_pass(file_rate, sample_rate, up):
    """A Kaiser-windowed sinc of odd length at `up` times the file's rate."""
    rate, highest = file_rate * up, min(file_rate, sample_rate) / 2
    count, beta = scipy.signal.kaiserord(ATTENUATION, (STOPBAND - PASSBAND) * highest / (rate / 2))
    cutoff = (PASSBAND + STOPBAND) / 2 * highest
    return up * scipy.signal.firwin(count | 1, cutoff, window=("kaiser", beta), fs=rate)
