"""What a batch of spectrograms is to the layers that augment it: its checks, and what fills the cells taken away."""

import math

import keras
from keras import ops

# Of masks or triangles a clip. A model's file may name any number, and each takes memory.
MOST = 1_000


def check_features_shape(layer, input_shape):
    """Refuses what is no batch of spectrograms, at the door of a layer.

    Args:
        layer: the layer, for its name.
        input_shape: the shape it was given.

    Raises:
        ValueError: if the shape is not `(batch, frames, bands)`, or there is no frame or band.
    """
    shape = tuple(input_shape)
    if len(shape) != 3 or 0 in shape[1:]:
        raise ValueError(
            f"{type(layer).__name__} takes features of shape (batch, frames, bands), with a frame and a band at least; "
            f"add a batch axis to a single clip's with `x[None]`. Received: input_shape={shape}"
        )


def check_features_dtype(layer, features):
    """Refuses whole numbers, at the door of a layer: no fill or mean could be put among them.

    Args:
        layer: the layer, for its name.
        features: the tensor it was given, of any backend, symbolic or not.

    Raises:
        ValueError: if the dtype is no float.
    """
    dtype = keras.backend.standardize_dtype(features.dtype)
    if not keras.backend.is_float_dtype(dtype):
        raise ValueError(
            f"{type(layer).__name__} takes float features, such as a log-mel spectrogram. Received: dtype={dtype}"
        )


def check_fill(fill):
    """Refuses what fills no cell."""
    if fill != "mean" and not _is_number(fill):
        raise ValueError(f'`fill` must be "mean", the clip\'s own, or a finite number. Received: fill={fill!r}')


def check_count(name, count, least=1):
    """Refuses what is no whole number, too small a one, or more than `MOST`."""
    if not isinstance(count, int) or isinstance(count, bool) or count < least:
        raise ValueError(f"`{name}` must be an integer of at least {least}. Received: {name}={count!r}")
    if count > MOST:
        raise ValueError(f"`{name}` must be at most {MOST:,}. Received: {name}={str(count)[:100]}")


def check_share(name, share, zero=False):
    """Refuses what is no share, up to 1; 0 where it may be."""
    if not _is_number(share) or not 0 <= share <= 1 or (share == 0 and not zero):
        bound = "at least 0" if zero else "above 0"
        raise ValueError(f"`{name}` must be {bound} and at most 1. Received: {name}={share!r}")


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def filled(features, covered, fill):
    """Features whose covered cells hold something else.

    Args:
        features: float, `(batch, frames, bands)`.
        covered: bool, which broadcasts against them.
        fill: the value, or `"mean"` for that of each clip's own cells, the covered ones too.

    Returns:
        The same shape and dtype. The mean is taken in float32: in half precision it would overflow.
    """
    if fill == "mean":
        fill = ops.mean(ops.cast(features, "float32"), axis=(1, 2), keepdims=True)
    return ops.where(covered, ops.cast(fill, features.dtype), features)
