"""From cells of a spectrogram to pixels of a picture: which cells matplotlib's `imshow` takes for each pixel.

Each function is about one axis. Where the number of cells is a tensor, `keras.ops` does the work of NumPy.

Source: matplotlib, `Axes.imshow` and its image resampling; Anti-Grain Geometry 2.4, `image_filter_hanning`.
"""

import math

import numpy as np


def stays_sharp(cells, pixels):
    """Whether `imshow(interpolation="auto")` takes the nearest cell: it does if that is so on both axes.

    Args:
        cells: int, or an integer tensor.
        pixels: int.

    Returns:
        bool, or a boolean tensor.
    """
    return (pixels == cells) | (pixels == 2 * cells) | (pixels > 3 * cells)


def nearest_cells(cells, pixels, numpy=np):
    """The cell in which each pixel's centre lies; of two cells that meet there, the first: left, or on top.

    Args:
        cells: int, or an int32 tensor.
        pixels: int.
        numpy: `numpy` or `keras.ops`. Defaults to the former.

    Returns:
        int32 array or tensor `(pixels,)`.
    """
    centres = 2 * numpy.arange(pixels, dtype="int32") + 1  # in units of half a pixel
    return (centres * cells - 1) // (2 * pixels)


def hann_weights(cells, pixels, numpy=np):
    """How much each cell adds to each pixel under a Hann window.

    The window reaches one cell to both sides of the pixel's centre, or one pixel where pixels are larger. Beyond
    the ends the cells are mirrored.

    Args:
        cells: int, or an int32 tensor.
        pixels: int.
        numpy: `numpy` or `keras.ops`. Defaults to the former.

    Returns:
        float32 array or tensor `(pixels, cells)`; the sum of each row is 1.
    """
    cell = numpy.arange(cells, dtype="float32")
    number = cells if numpy is np else numpy.cast(cells, "float32")
    centre = ((numpy.arange(pixels, dtype="float32") + 0.5) * (number / pixels) - 0.5)[:, None]
    # An array: a number of NumPy's would be float64, and everything after it.
    reach = numpy.maximum(numpy.ones_like(cell[:1]), number / pixels)

    def window(position):
        away = numpy.minimum(numpy.abs(position - centre) / reach, 1.0)
        return 0.5 + 0.5 * numpy.cos(math.pi * away)

    weights = window(cell) + window(-1.0 - cell) + window(2.0 * number - 1.0 - cell)
    return weights / numpy.sum(weights, axis=1, keepdims=True)
