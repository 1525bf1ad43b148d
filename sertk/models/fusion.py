"""What paper 003's three networks share: their arguments, and their end, where an upstream's embedding may come in."""

import keras
from keras import layers

from sertk.models.arguments import check_classes, check_counts
from sertk.models.classifier import classify

FUSIONS = {"add": layers.Add, "maximum": layers.Maximum, "average": layers.Average}


def check_arguments(input_shape, num_classes, units, fusion, upstream, smallest):
    """Refuses shapes and options that make no network of paper 003, with one sentence for the user.

    Args:
        input_shape, num_classes, units, fusion, upstream: those of the builder.
        smallest: int, the fewest frames and bands that its pools leave something of.

    Raises:
        ValueError: if one is out of range.
    """
    if not _is_shape(input_shape, smallest):
        raise ValueError(
            f"`input_shape` must be (frames, bands), at least ({smallest}, {smallest}), as the feature layers give "
            f"them, frames being None for any length. Received: input_shape={input_shape}"
        )
    check_classes(num_classes)
    check_counts(units=units)
    if fusion is None and upstream is None:
        return
    if not isinstance(fusion, str) or fusion not in FUSIONS:
        raise ValueError(
            f"`fusion` must be one of {', '.join(FUSIONS)}, or None and `upstream` None too. "
            f"Received: fusion={fusion!r}, upstream={upstream!r}"
        )
    if upstream != units:
        raise ValueError(
            "`upstream`, the channels of the embedding, must equal `units`, those of fc1 that it meets. "
            f"Received: upstream={upstream!r}, units={units}"
        )


def _is_shape(input_shape, smallest):
    if not isinstance(input_shape, tuple | list) or len(input_shape) != 2:
        return False
    frames, bands = input_shape
    return all(isinstance(size, int) and size >= smallest for size in (smallest if frames is None else frames, bands))


def classify_fused(features, x, num_classes, units, fusion, name):
    """Averages the last feature map over time and bands, meets the embedding in fc1, and classifies.

    They meet before the ReLU because the embedding is of the same kind there: what a dense layer gives, averaged over
    time, with no ReLU behind it.

    Args:
        features: the network's input.
        x: `(batch, rows, columns, channels)`, its last feature map.
        num_classes, units, fusion, name: those of the builder; the embedding has as many channels as fc1 units.

    Returns:
        A functional `keras.Model` of the features, or of `[features, embedding]`.
    """
    x = layers.GlobalAveragePooling2D(name="vector")(x)
    x = layers.Dense(units, name="fc1")(x)
    inputs = features
    if fusion is not None:
        embedding = keras.Input((units,), name="embedding")
        inputs = [features, embedding]
        x = FUSIONS[fusion](name="fusion")([x, embedding])
    x = layers.Activation("relu", name="fc1_relu")(x)
    return keras.Model(inputs, classify(x, num_classes, name="fc2"), name=name)
