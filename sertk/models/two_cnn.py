"""Two CNNs in parallel, the second network of paper 004."""

import keras
from keras import layers

from sertk.models.classifier import classify
from sertk.models.cnn_block import check_arguments, cnn_block


def two_cnn(input_shape=(94, 128), num_classes=7, *, dropout=0.3, batch_norm="frames", name="two_cnn"):
    """Builds two CNN blocks side by side on the same features, joined before the classifier; 54,983 parameters.

    Input: features, `(batch, frames, bands)`.
    Output: probabilities, `(batch, num_classes)`.

    Args:
        input_shape: (frames, bands), or (None, bands) for any length, as in `cnn`. Defaults to (94, 128).
        num_classes: int. Defaults to 7.
        dropout: float, share dropped after each pool. Defaults to 0.3.
        batch_norm: `"frames"` (published) or `"channels"`, as in `cnn`. Defaults to `"frames"`.
        name: str, the model's name.

    Returns:
        A functional `keras.Model`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> two_cnn().count_params()
        54983

    Source: paper 004, section 4.4.
    """
    check_arguments(input_shape, num_classes, dropout, batch_norm)
    features = keras.Input(input_shape, name="features")
    blocks = [cnn_block(features, dropout, batch_norm, block) for block in ("first", "second")]
    vector = layers.Concatenate(name="joined")(blocks)
    return keras.Model(features, classify(vector, num_classes), name=name)
