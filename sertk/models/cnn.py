"""The single CNN of paper 004."""

import keras

from sertk.models.classifier import classify
from sertk.models.cnn_block import check_arguments, cnn_block


def cnn(input_shape=(94, 128), num_classes=7, *, dropout=0.3, batch_norm="frames", name="cnn"):
    """Builds the single CNN: three convolutions with pooling, then a linear classifier; 27,495 parameters.

    Batch norm runs over the *frames*, one pair of weights a frame: that is the published form, a slip of the
    paper's channels-first layout (376 = 4 x 94 parameters in the first layer). `batch_norm="channels"` is what was
    meant, one pair a filter, and frees the network from a fixed length: 27,335 parameters.

    The pools of 2, 4 and 4 leave 2 steps of 32 frames out of 94: with the kernels' reach the network hears frames 0
    to 74, and nothing of the last half second of 3. That is kept; the transformer beside it, in `cnn_transformer`,
    hears all. Of a number of frames that is a multiple of 32 nothing is lost.

    Input: features, `(batch, frames, bands)`. The paper draws them as 128 x 94, bands first.
    Output: probabilities, `(batch, num_classes)`.

    Args:
        input_shape: (frames, bands), at least (32, 32), or (None, bands) for any length, which needs
            `batch_norm="channels"` and averages over time where the published form flattens. Defaults to (94, 128),
            3 s of MFCC at a hop of 512.
        num_classes: int. Defaults to 7.
        dropout: float, share dropped after each pool. Defaults to 0.3.
        batch_norm: `"frames"` (published) or `"channels"`. Defaults to `"frames"`.
        name: str, the model's name.

    Returns:
        A functional `keras.Model`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> cnn().count_params()
        27495

    Source: paper 004, section 4.3.
    """
    check_arguments(input_shape, num_classes, dropout, batch_norm)
    features = keras.Input(input_shape, name="features")
    vector = cnn_block(features, dropout, batch_norm, "cnn")
    return keras.Model(features, classify(vector, num_classes), name=name)
