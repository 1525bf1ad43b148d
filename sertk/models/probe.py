"""A probe: the small network that shows what an embedding knows."""

import keras
from keras import layers

from sertk.models.arguments import check_classes, check_counts, check_share
from sertk.models.classifier import classify


def probe(input_shape=(768,), num_classes=7, *, units=(), dropout=0.0, name=None):
    """Builds a linear classifier on embeddings, or a small multilayer perceptron; 5,383 parameters by default.

    Input: embeddings, `(batch, channels)`.
    Output: probabilities, `(batch, num_classes)`.

    Args:
        input_shape: (channels,). Defaults to (768,), that of base networks.
        num_classes: int. Defaults to 7.
        units: tuple of ints, the hidden layers, each with ReLU. Defaults to none: a linear probe.
        dropout: float, share dropped after each hidden layer. Defaults to 0.
        name: str, the model's name. Defaults to "probe".

    Returns:
        A functional `keras.Model`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> probe().count_params()
        5383

    Source: Alain and Bengio (2017), Understanding intermediate layers using linear classifier probes; Yang et al.
        (2021), SUPERB, whose downstream networks for emotion are as small.
    """
    if not isinstance(input_shape, tuple | list) or len(input_shape) != 1:
        raise ValueError(f"`input_shape` must be (channels,). Received: input_shape={input_shape!r}")
    check_counts(input_shape=input_shape[0])
    check_classes(num_classes)
    check_share("dropout", dropout)
    if not isinstance(units, tuple | list):
        raise ValueError(f"`units` must be a tuple, the size of each hidden layer. Received: units={units!r}")
    embeddings = x = keras.Input(tuple(input_shape), name="embeddings")
    for number, count in enumerate(units, start=1):
        check_counts(units=count)
        x = layers.Dense(count, activation="relu", name=f"dense{number}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    return keras.Model(embeddings, classify(x, num_classes), name=name or "probe")
