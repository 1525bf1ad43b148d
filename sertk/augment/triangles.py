"""Triangles at random, of a given area, inside a spectrogram; which cells they cover, and how much energy these hold.

Both axes of a spectrogram run from 0 to 1 here, whatever its frames and bands: an area is a share of it.
"""

import keras
from keras import ops

# Of triangles with three corners drawn evenly, as many have two of them in opposite corners of their bounding box: the
# leftmost is then the lowest or the highest, and the rightmost the other, 2 of the 6 orders that there are.
ON_A_DIAGONAL = 1 / 3


def draw_triangles(area, count, seed):
    """Draws triangles of exactly a given area that lie inside the spectrogram.

    A triangle reaches all four sides of its bounding box with three corners, so one of them is a corner of the box. The
    others lie on the two sides across, or one in the opposite corner and one anywhere. So the triangles are built, and
    none has to be thrown away: any that fits may come. What share of the box it fills is drawn evenly from the least
    that has room, `area`, to the most there is, a half; then the box's width, evenly in its logarithm, and its place.

    Args:
        area: float32, `(clips,)`, above 0 and at most 0.5: no triangle covers more of a rectangle.
        count: int, triangles a clip, all of the same area.
        seed: `keras.random.SeedGenerator`.

    Returns:
        float32, `(clips, count, 3, 2)`: time and frequency of the three corners, from 0 to 1.
    """
    drawn = keras.random.uniform((8, ops.shape(area)[0], count), seed=seed)
    fullness, shape, kind, back, over, width, left, low = (drawn[number] for number in range(8))
    area = area[:, None]
    fullness = area + fullness * (0.5 - area)
    # Corners (0, 0), (1, a), (b, 1) leave (1 - a b) / 2 of a box of 1 by 1; (0, 0), (1, 1), (c, d) leave |c - d| / 2.
    rest = ops.maximum(1 - 2 * fullness, 0.0)
    diagonal = kind < ON_A_DIAGONAL
    none, all_ = ops.zeros_like(shape), ops.ones_like(shape)
    time = [none, all_, ops.where(diagonal, 2 * fullness + shape * rest, ops.power(rest, 1 - shape))]
    frequency = [none, ops.where(diagonal, 1.0, ops.power(rest, shape)), ops.where(diagonal, shape * rest, 1.0)]
    time, frequency = _mirrored(time, back), _mirrored(frequency, over)
    width = ops.power(area / fullness, width)
    height = area / (fullness * width)
    time = _placed(time, width, left)
    frequency = _placed(frequency, height, low)
    return ops.stack([time, frequency], axis=-1)


def _mirrored(corners, drawn):
    """The three coordinates of the corners on a new last axis, half of the triangles turned round."""
    corners = ops.stack(corners, axis=-1)
    return ops.where(drawn[..., None] < 0.5, corners, 1 - corners)


def _placed(corners, size, drawn):
    """Coordinates in the bounding box -> in the spectrogram, the box being anywhere where it fits."""
    return (drawn * (1 - size))[..., None] + size[..., None] * corners


def chords(corners, frames, bands):
    """Which bands a triangle covers in each frame: the cells whose centres lie in it, without a mask of all cells.

    Args:
        corners: float32, `(..., 3, 2)`, as `draw_triangles` gives them.
        frames: int, the cells along time.
        bands: int, the cells along frequency.

    Returns:
        Pair of float32 `(..., frames)`, whole numbers: the first band covered, and the first one behind it that is not.
    """
    frame = (ops.arange(frames, dtype="float32") + 0.5) / ops.cast(frames, "float32")
    bands = ops.cast(bands, "float32")
    # Where no edge is crossed, all of the chord lies outside.
    lowest, highest = 2.0, -1.0
    for start, end in ((0, 1), (1, 2), (2, 0)):
        time, frequency = corners[..., start, 0, None], corners[..., start, 1, None]
        duration = corners[..., end, 0, None] - time
        upright = duration == 0
        along = (frame - time) / ops.where(upright, 1.0, duration)
        # The other two edges meet an upright one, where a frame crosses it at all.
        crossed = ops.logical_and(ops.logical_not(upright), ops.logical_and(along >= 0, along <= 1))
        crossing = frequency + along * (corners[..., end, 1, None] - frequency)
        lowest = ops.minimum(lowest, ops.where(crossed, crossing, 2.0))
        highest = ops.maximum(highest, ops.where(crossed, crossing, -1.0))
    first = ops.clip(ops.ceil(lowest * bands - 0.5), 0.0, bands)
    behind = ops.clip(ops.floor(highest * bands - 0.5) + 1, first, bands)
    return first, behind


def cells_inside(corners, frames, bands):
    """The cells of a spectrogram whose centres lie in a triangle.

    Args:
        corners: float32, `(..., 3, 2)`, as `draw_triangles` gives them.
        frames: int, the cells along time.
        bands: int, the cells along frequency.

    Returns:
        bool, `(..., frames, bands)`. Their share is the triangle's area but for what the rim cuts off or adds.
    """
    first, behind = chords(corners, frames, bands)
    band = ops.arange(bands, dtype="float32")
    return ops.logical_and(band >= first[..., None], band < behind[..., None])


def mean_inside(features, corners):
    """The mean of a clip's cells in each of its triangles.

    Args:
        features: float, `(clips, frames, bands)`.
        corners: float32, `(clips, count, 3, 2)`.

    Returns:
        Pair of `(clips, count)`: the means, float32, and whether there is a cell at all; where not, the mean is 0.
    """
    _, frames, bands = ops.shape(features)
    first, behind = (ops.transpose(ends, (0, 2, 1)) for ends in chords(corners, frames, bands))
    # A chord's sum is a difference of two sums from the lowest band on, so that no mask is made for each triangle.
    sums = ops.pad(ops.cumsum(ops.cast(features, "float32"), axis=2), ((0, 0), (0, 0), (1, 0)))
    up_to_first, up_to_behind = (ops.take_along_axis(sums, ops.cast(ends, "int32"), axis=2) for ends in (first, behind))
    cells = ops.sum(behind - first, axis=1)
    return ops.sum(up_to_behind - up_to_first, axis=1) / ops.maximum(cells, 1.0), cells > 0
