"""VGG-15, the largest downstream network of paper 003."""

import keras
from keras import layers

from sertk.models.batch_norm import BatchNormalization
from sertk.models.fusion import check_arguments, classify_fused

# Convolutions of each block, and their filters.
BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))


def vgg15(input_shape=(373, 64), num_classes=7, *, units=256, fusion=None, upstream=None, name="vgg15"):
    """Builds thirteen 3x3 convolutions in five blocks, then two dense layers; 14,859,335 parameters.

    After each convolution stand batch norm and ReLU, after each block a max pool of 2; the last feature map is averaged
    over time and bands.

    With `fusion` it is a baseline of classic transfer: an upstream network's embedding of the clip meets the output of
    fc1 before its ReLU, without a weight of its own. On which side of the ReLU the paper leaves open, and its published
    code has no such network.

    Input: log-mel spectrograms, `(batch, frames, bands)`, best with each band normalised; with `fusion`
        `[features, embedding]` or a dict with these names, the embedding `(batch, upstream)`.
    Output: probabilities, `(batch, num_classes)`.

    Args:
        input_shape: (frames, bands), at least (32, 32), or (None, bands) for any length, whose pools are padded.
            Defaults to (373, 64), 95,744 samples with a window of 512 and a hop of 256, not centred.
        num_classes: int. Defaults to 7.
        units: int, those of fc1. Defaults to 256.
        fusion: `"add"`, `"maximum"` or `"average"`, or None for the network on its own. Defaults to None.
        upstream: int, the channels of the embedding, as many as `units`; None without `fusion`. Defaults to None.
        name: str, the model's name.

    Returns:
        A functional `keras.Model`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> vgg15().count_params()
        14859335

    Source: paper 003, sections 2.1 and 3.2; Simonyan and Zisserman (2015), arXiv:1409.1556.
    """
    check_arguments(input_shape, num_classes, units, fusion, upstream, smallest=32)
    features = keras.Input(input_shape, name="features")
    frames, bands = input_shape
    x = layers.Reshape((-1 if frames is None else frames, bands, 1), name="picture")(features)
    padding = "same" if frames is None else "valid"
    for block, (depth, filters) in enumerate(BLOCKS, start=1):
        for number in range(1, depth + 1):
            place = f"{block}_{number}"
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"conv{place}")(x)
            x = BatchNormalization(name=f"norm{place}")(x)
            x = layers.Activation("relu", name=f"relu{place}")(x)
        x = layers.MaxPooling2D(2, padding=padding, name=f"pool{block}")(x)
    return classify_fused(features, x, num_classes, units, fusion, name)
