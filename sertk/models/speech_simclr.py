"""The transformer encoder of Speech SimCLR, as a classifier like the others."""

import keras
from keras import layers
from keras_nlp.layers import SinePositionEncoding, TransformerEncoder

from sertk.models.arguments import check_classes, check_counts, check_share
from sertk.models.classifier import classify


def speech_simclr(
    input_shape=(None, 40),
    num_classes=7,
    *,
    channels=768,
    encoder_layers=3,
    heads=12,
    feed_forward=3_072,
    dropout=0.1,
    positions=True,
    name="speech_simclr",
):
    """Builds a transformer over the frames and the average of its output over time; 21,300,487 parameters by default.

    A dense layer with ReLU makes each frame as wide as the transformer; nothing is subsampled. Sizes, dropout, GELU and
    the 40 bands are those of the authors' published code for LibriSpeech. The paper on speech emotion that uses the
    encoder gives none.

    In that code the layers that would add the position of each frame are built and never called, so that the order of
    the frames means nothing to the encoder: `positions=False`. With `positions=True`, the default, sines and cosines
    without weights are added, as in Vaswani et al. The decoder that reconstructs masked frames is left out.

    Input: log-mel spectrograms, `(batch, frames, bands)`, best with each band normalised.
    Output: probabilities, `(batch, num_classes)`.

    Args:
        input_shape: (frames, bands), or (None, bands) for any length. Defaults to (None, 40).
        num_classes: int. Defaults to 7.
        channels: int, the width of the transformer, a multiple of `heads`. Defaults to 768.
        encoder_layers: int. Defaults to 3.
        heads: int, attention heads of each. Defaults to 12.
        feed_forward: int, units of each encoder's inner layer. Defaults to 3,072.
        dropout: float, share dropped in the encoders. Defaults to 0.1.
        positions: bool, whether the encoder knows the order of the frames. Defaults to True.
        name: str, the model's name.

    Returns:
        A functional `keras.Model`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> speech_simclr().count_params()
        21300487

    Source: Jiang et al. (2020), Speech SimCLR, arXiv:2010.13991, and its code in athena-team/athena,
        examples/asr/librispeech/configs/speech_simclr.json; paper 000, section 3.1.2.
    """
    frames, bands = _checked(input_shape)
    check_classes(num_classes)
    check_counts(channels=channels, encoder_layers=encoder_layers, heads=heads, feed_forward=feed_forward)
    check_share("dropout", dropout)
    if channels % heads:
        raise ValueError(f"`channels` must be a multiple of `heads`, {heads}. Received: channels={channels}")
    features = keras.Input((frames, bands), name="features")
    x = layers.Dense(channels, activation="relu", name="frames")(features)
    if positions:
        # In float32: half precision cannot tell frame 2,049 from frame 2,048.
        x = layers.Add(name="placed")([x, SinePositionEncoding(name="positions", dtype="float32")(x)])
    for layer in range(1, encoder_layers + 1):
        x = TransformerEncoder(feed_forward, heads, dropout=dropout, activation="gelu", name=f"encoder{layer}")(x)
    x = layers.GlobalAveragePooling1D(name="vector")(x)
    return keras.Model(features, classify(x, num_classes), name=name)


def _checked(input_shape):
    sizes = input_shape if isinstance(input_shape, tuple | list) else ()
    if len(sizes) != 2 or not all(isinstance(size, int) and size > 0 for size in (sizes[0] or 1, sizes[1])):
        raise ValueError(
            "`input_shape` must be (frames, bands), as the feature layers give them, frames being None for any length. "
            f"Received: input_shape={input_shape}"
        )
    return tuple(sizes)
