"""AWGN: additive white Gaussian noise at a signal-to-noise ratio drawn for each clip."""

import math

import keras
from keras import ops

from sertk.audio.waveform import check_waveform_dtype, check_waveform_shape


@keras.saving.register_keras_serializable(package="sertk")
class AWGN(keras.layers.Layer):
    """Adds white Gaussian noise to waveforms in training, at an SNR drawn uniformly, in dB, for each clip.

    The noise of each clip is scaled by its own measured power, so the SNR that is drawn is the SNR that results. A
    silent clip has no SNR and stays silent. In inference the layer does nothing.

    Input: float waveforms, `(batch, samples)`.
    Output: the same shape and dtype.

    Args:
        snr: pair of floats, lowest and highest SNR, in dB. Defaults to (15, 30).
        seed: int, or None for another sequence in every process. Defaults to None.

    Raises:
        ValueError: if `snr` is no increasing pair or the input is not `(batch, samples)`.

    Example:
        >>> noisy = AWGN(seed=0)(waveforms, training=True)

    Source: paper 004, section 4.2.1, and its [5], Bautista et al. (2022).
    """

    def __init__(self, snr=(15.0, 30.0), seed=None, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, **kwargs)
        if not _is_range(snr):
            raise ValueError(f"`snr` must be a pair of numbers (lowest, highest), in dB. Received: snr={snr}")
        self.snr = tuple(float(bound) for bound in snr)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        check_waveform_shape(self, input_shape, single=False)

    def call(self, waveforms, training=False):
        check_waveform_dtype(self, waveforms)
        if not training:
            return waveforms
        shape = ops.shape(waveforms)
        snr = keras.random.uniform((shape[0], 1), *self.snr, seed=self.seed_generator)
        noise = keras.random.normal(shape, seed=self.seed_generator)
        return add_noise(waveforms, noise, snr)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "snr": list(self.snr), "seed": self.seed}


def _is_range(snr):
    try:
        lowest, highest = (float(bound) for bound in snr)
    except (TypeError, ValueError):
        return False
    return -math.inf < lowest <= highest < math.inf


def add_noise(waveforms, noise, snr):
    """Adds noise to waveforms so that the ratio of their mean powers is exactly the one asked for.

    Args:
        waveforms: float, `(..., samples)`.
        noise: float, the same shape, of any power but zero.
        snr: float or array that broadcasts against `(..., 1)`: the signal-to-noise ratio, in dB.

    Returns:
        `waveforms + gain * noise`, gain^2 = P(waveform) / (P(noise) 10^(snr / 10)). A silent clip is left as it is.
    """
    signal_power = ops.mean(ops.square(waveforms), axis=-1, keepdims=True)
    noise_power = ops.mean(ops.square(noise), axis=-1, keepdims=True)
    gain = ops.sqrt(signal_power / noise_power) * ops.power(10.0, -ops.cast(snr, waveforms.dtype) / 20.0)
    return waveforms + gain * noise
