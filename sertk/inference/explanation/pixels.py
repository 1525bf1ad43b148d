"""From the pixels of a spectrogram's picture back to the cells of the spectrogram."""

import numpy as np


def from_pixels(heat, shape, averages=True):
    """Brings the heat of a picture to the spectrogram that it is a picture of.

    Args:
        heat: float array `(height, width)`, the lowest band at the bottom, time from left to right.
        shape: (frames, bands) of the spectrogram.
        averages: bool, whether a cell gets the average of its pixels, or their sum, which keeps the sum of all.
            Defaults to True.

    Returns:
        float array `(frames, bands)`, the lowest band first.
    """
    frames, bands = shape
    height, width = heat.shape
    over_time, over_bands = _overlap(frames, width), _overlap(bands, height)
    if averages:
        over_time, over_bands = (part / part.sum(axis=1, keepdims=True) for part in (over_time, over_bands))
    return over_time @ heat[::-1].T @ over_bands.T


def _overlap(cells, pixels):
    """The share of each pixel that lies in each cell, `(cells, pixels)`: both divide one length into equal parts."""
    cell, pixel = np.arange(cells + 1) / cells, np.arange(pixels + 1) / pixels
    first = np.maximum(cell[:-1, None], pixel[None, :-1])
    last = np.minimum(cell[1:, None], pixel[None, 1:])
    return np.maximum(last - first, 0) * pixels
