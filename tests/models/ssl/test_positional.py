"""The positional convolution, against SciPy's correlation group by group."""

import keras
import numpy as np
import pytest
from scipy.signal import correlate
from scipy.special import erf

from sertk.models.ssl.positional import PositionalConvolution


def gelu(x):
    return x * (1 + erf(x / np.sqrt(2))) / 2


def test_every_place_a_layer_runs_in(check_layer):
    frames = np.random.default_rng(0).standard_normal((3, 20, 12)).astype("float32")
    check_layer(PositionalConvolution(kernel=6, groups=3), frames)


@pytest.mark.parametrize("kernel", [5, 6])
def test_against_scipy(kernel):
    """Of an even kernel the last frame that SciPy gives is dropped, as in the published networks."""
    rng = np.random.default_rng(0)
    frames = rng.standard_normal((1, 15, 8)).astype("float32")
    layer = PositionalConvolution(kernel=kernel, groups=2)
    layer.build(frames.shape)
    directions = rng.standard_normal((kernel, 4, 8))
    lengths, bias = rng.random((kernel, 1, 1)) + 0.5, rng.standard_normal(8)
    for variable, value in ((layer.directions, directions), (layer.lengths, lengths), (layer.bias, bias)):
        variable.assign(value)
    weight = lengths * directions / np.sqrt((directions**2).sum(axis=(1, 2), keepdims=True))
    padded = np.pad(frames[0].astype("float64"), ((kernel // 2, kernel // 2), (0, 0)))
    expected = np.empty((15, 8))
    for channel in range(8):
        group = padded[:, 4 * (channel // 4) :][:, :4]
        expected[:, channel] = correlate(group, weight[:, :, channel], mode="valid")[:15, 0] + bias[channel]
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(frames))[0], gelu(expected), atol=1e-5)


def test_random_weights_are_as_long_as_their_directions():
    """What the normalisation scales to is what it divides by, but for chance."""
    layer = PositionalConvolution(kernel=16, groups=4)
    layer.build((None, None, 64))
    norms = np.sqrt((keras.ops.convert_to_numpy(layer.directions) ** 2).sum(axis=(1, 2)))
    np.testing.assert_allclose(norms, keras.ops.convert_to_numpy(layer.lengths)[:, 0, 0], rtol=0.15)
