"""Waveforms to zero mean and unit variance, against hand-worked clips and NumPy in double precision."""

import keras
import numpy as np
import pytest

from sertk.models.ssl.normalization import WaveformNormalization


def normalised(waveforms, lengths=None):
    return keras.ops.convert_to_numpy(WaveformNormalization()(waveforms, lengths=lengths))


def test_every_place_a_layer_runs_in(check_layer):
    waveforms = np.random.default_rng(0).standard_normal((3, 500)).astype("float32")
    check_layer(WaveformNormalization(), waveforms)


def test_a_clip_by_hand():
    """1, 3 and 5 have the mean 3 and the variance 8 / 3; what lies behind them does not count and becomes 0."""
    root = np.sqrt(8 / 3)
    actual = normalised(np.array([[1.0, 3.0, 5.0, 100.0]], "float32"), np.array([3]))
    np.testing.assert_allclose(actual, [[-2 / root, 0, 2 / root, 0]], rtol=1e-6)


def test_quiet_clips_are_held_down_by_the_constant_in_the_root():
    """A variance of 1e-7, the constant, gives half the variance of a loud clip."""
    quiet = np.sqrt(1e-7) * np.array([[-1.0, 1.0]], "float32")
    np.testing.assert_allclose(normalised(quiet), [[-np.sqrt(0.5), np.sqrt(0.5)]], rtol=1e-5)


@pytest.mark.parametrize("padded", [False, True])
def test_against_numpy(padded):
    rng = np.random.default_rng(0)
    waveforms = (0.05 * rng.standard_normal((3, 48_000)) + 0.3).astype("float32")
    lengths = np.array([48_000, 20_001, 400])
    actual = normalised(waveforms, lengths if padded else None)
    for clip, length in enumerate(lengths if padded else [48_000] * 3):
        valid = waveforms[clip, :length].astype("float64")
        expected = (valid - valid.mean()) / np.sqrt(valid.var() + 1e-7)
        np.testing.assert_allclose(actual[clip, :length], expected, atol=2e-5)
        assert not actual[clip, length:].any()


def test_silence_and_clips_without_samples_stay_finite():
    assert not normalised(np.zeros((2, 400), "float32")).any()
    assert not normalised(np.ones((2, 400), "float32"), np.array([400, 0])).any()
