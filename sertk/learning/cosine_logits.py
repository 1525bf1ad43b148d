"""What contrastive losses are made of: each vector of a batch against all others, by cosine and temperature."""

import math

import keras
from keras import ops

from sertk.learning.replicas import gathered

# Far below any cosine over any temperature in use, and finite, so that no gradient is NaN.
NEVER = -1e9


def cosine_logits(views, temperature, across_replicas=False):
    """Compares every vector with every other: the cosine of the angle between them, divided by the temperature.

    All is computed in float32 at least: in half precision the square of a value above 255 is infinite. A vector of
    zeros has no direction; its cosine with any other is 0.

    Args:
        views: `(views, clips, channels)`, of each clip as many vectors as there are views.
        temperature: float, above 0.
        across_replicas: bool, whether vectors are compared with those of the other replicas too. Defaults to False.

    Returns:
        The logits, `(views * clips, views * all clips)`, view by view, in which no vector is compared with itself; the
        column of each row's own vector, int32, `(views * clips,)`; and how many clips all replicas hold.

    Raises:
        ValueError: if the temperature is out of range.
    """
    check_temperature(temperature)
    number, count, channels = ops.shape(views)
    directions = _directions(views)
    others, begins = gathered(directions, axis=1) if across_replicas else (directions, 0)
    clips = ops.shape(others)[1]
    rows, columns = (ops.reshape(vectors, (-1, channels)) for vectors in (directions, others))
    logits = ops.matmul(rows, ops.transpose(columns)) / temperature
    own = ops.reshape(clips * ops.arange(number)[:, None] + begins + ops.arange(count)[None], (-1,))
    itself = own[:, None] == ops.arange(number * clips)[None]
    return ops.where(itself, ops.cast(NEVER, logits.dtype), logits), own, clips


def check_temperature(temperature):
    """Refuses what is no temperature.

    Args:
        temperature: what was given as such.

    Raises:
        ValueError: if it is no finite number above 0.
    """
    number = isinstance(temperature, int | float) and not isinstance(temperature, bool)
    if not number or not 0 < temperature < math.inf:
        raise ValueError(f"`temperature` must be a finite number above 0. Received: temperature={temperature!r}")


def check_clips(views, across_replicas=False):
    """Refuses a batch of one, where its size is known.

    Args:
        views: `(views, clips, channels)`.
        across_replicas: bool, whether other replicas have clips too. Defaults to False.

    Raises:
        ValueError: if there is one clip only.
    """
    if views.shape[1] == 1 and not across_replicas:
        raise ValueError(
            "A batch must hold two clips or more: one alone has no other to differ from; pass a larger `batch_size`. "
            "Received: a batch of one"
        )


def single(tensor):
    """A tensor in float32, or in float64 where it is that already."""
    tensor = ops.convert_to_tensor(tensor)
    return ops.cast(tensor, keras.backend.result_type(tensor.dtype, "float32"))


def _directions(vectors):
    """Vectors of length 1; zeros stay zeros."""
    vectors = single(vectors)
    # The direction does not depend on the scale, so that none has to flow back through it; scaled, no square is too
    # large or too small.
    largest = ops.stop_gradient(ops.max(ops.abs(vectors), axis=-1, keepdims=True))
    vectors = vectors / ops.where(largest > 0, largest, 1.0)
    squares = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    return vectors * ops.rsqrt(ops.where(largest > 0, squares, 1.0))
