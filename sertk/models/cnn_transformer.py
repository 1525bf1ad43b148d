"""Two CNNs and a transformer encoder in parallel, the third network of paper 004."""

import keras
from keras import layers, ops
from keras_nlp.layers import TransformerEncoder

from sertk.models.arguments import check_counts, check_share
from sertk.models.classifier import classify
from sertk.models.cnn_block import check_arguments, cnn_block


def cnn_transformer(
    input_shape=(94, 128),
    num_classes=7,
    *,
    encoder_layers=4,
    heads=4,
    feed_forward=512,
    dropout=0.3,
    encoder_dropout=0.4,
    batch_norm="frames",
    attend_over="frames",
    name="cnn_transformer",
):
    """Builds two CNN blocks beside a stack of transformer encoders, joined before the classifier; 848,967 parameters.

    The encoders read the features as a sequence of frames; their output is averaged over time. As in the paper there is
    no position embedding: the order of the frames reaches the CNNs only.

    Two slips of the published code are kept as options. Batch norm over the frames, `batch_norm="frames"`, fixes the
    number of weights and is the default; `cnn` tells more. `attend_over="batch"` is how the paper's transpose to
    `(94, None, 128)` works out in `keras_nlp`, whose encoder takes the batch first: each frame then attends to the same
    frame of the *other clips of the batch*, and never to its own clip's other frames, so that a clip's probabilities
    depend on its neighbours. The default, `"frames"`, is what the paper describes, with the same weights.

    Input: features, `(batch, frames, bands)`.
    Output: probabilities, `(batch, num_classes)`.

    Args:
        input_shape: (frames, bands), or (None, bands) for any length, as in `cnn`; bands must be a multiple of
            `heads`. Defaults to (94, 128).
        num_classes: int. Defaults to 7.
        encoder_layers: int, number of encoders. Defaults to 4.
        heads: int, attention heads of each. Defaults to 4.
        feed_forward: int, units of each encoder's inner layer, ReLU. Defaults to 512.
        dropout: float, share dropped in the CNN blocks. Defaults to 0.3.
        encoder_dropout: float, share dropped in the encoders. Defaults to 0.4.
        batch_norm: `"frames"` (published) or `"channels"`. Defaults to `"frames"`.
        attend_over: `"frames"`, or `"batch"` (published). Defaults to `"frames"`.
        name: str, the model's name.

    Returns:
        A functional `keras.Model`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> cnn_transformer().count_params()
        848967

    Source: paper 004, section 4.5; Vaswani et al. (2017).
    """
    check_arguments(input_shape, num_classes, dropout, batch_norm)
    check_share("encoder_dropout", encoder_dropout)
    check_counts(encoder_layers=encoder_layers, heads=heads, feed_forward=feed_forward)
    if input_shape[1] % heads:
        raise ValueError(
            f"The bands of `input_shape` must be a multiple of `heads`, {heads}. "
            f"Received: input_shape={tuple(input_shape)}"
        )
    if attend_over not in ("frames", "batch"):
        raise ValueError(f'`attend_over` must be "frames" or "batch". Received: attend_over={attend_over!r}')
    features = keras.Input(input_shape, name="features")
    blocks = [cnn_block(features, dropout, batch_norm, block) for block in ("first", "second")]
    sequence = ops.transpose(features, (1, 0, 2)) if attend_over == "batch" else features
    for layer in range(1, encoder_layers + 1):
        sequence = TransformerEncoder(
            feed_forward, heads, dropout=encoder_dropout, activation="relu", name=f"encoder{layer}"
        )(sequence)
    sequence = ops.transpose(sequence, (1, 0, 2)) if attend_over == "batch" else sequence
    average = layers.GlobalAveragePooling1D(name="encoder_vector")(sequence)
    vector = layers.Concatenate(name="joined")([average, *blocks])
    return keras.Model(features, classify(vector, num_classes), name=name)
