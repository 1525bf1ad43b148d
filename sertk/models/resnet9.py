"""ResNet-9, the residual downstream network of paper 003."""

import keras
from keras import layers

from sertk.models.batch_norm import BatchNormalization
from sertk.models.fusion import check_arguments, classify_fused

FILTERS = (128, 256, 512)


def resnet9(input_shape=(373, 64), num_classes=7, *, units=256, fusion=None, upstream=None, name="resnet9"):
    """Builds a 7x7 convolution and three residual blocks, then two dense layers; 4,960,583 parameters.

    The first convolution and the max pool of 3 behind it have a stride of 2, and so has the first of the two 3x3
    convolutions of each block and the 1x1 convolution of its shortcut, which has no batch norm. The last feature map is
    averaged over time and bands. All is padded, so that no input is too small.

    With `fusion` it is a baseline of classic transfer: an upstream network's embedding of the clip meets the output of
    fc1 before its ReLU, without a weight of its own. On which side of the ReLU the paper leaves open, and its published
    code has no such network.

    Input: log-mel spectrograms, `(batch, frames, bands)`, best with each band normalised; with `fusion`
        `[features, embedding]` or a dict with these names, the embedding `(batch, upstream)`.
    Output: probabilities, `(batch, num_classes)`.

    Args:
        input_shape: (frames, bands), at least (1, 1), or (None, bands) for any length.
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
        >>> resnet9().count_params()
        4960583

    Source: paper 003, sections 2.1 and 3.2; He et al. (2016), arXiv:1512.03385.
    """
    check_arguments(input_shape, num_classes, units, fusion, upstream, smallest=1)
    features = keras.Input(input_shape, name="features")
    frames, bands = input_shape
    x = layers.Reshape((-1 if frames is None else frames, bands, 1), name="picture")(features)
    x = _convolve(x, 64, 7, 2, "conv1")
    x = layers.Activation("relu", name="relu1")(BatchNormalization(name="norm1")(x))
    x = layers.MaxPooling2D(3, 2, padding="same", name="pool1")(x)
    for block, filters in enumerate(FILTERS, start=1):
        x = _residual(x, filters, f"block{block}")
    return classify_fused(features, x, num_classes, units, fusion, name)


def _residual(x, filters, name):
    shortcut = _convolve(x, filters, 1, 2, f"{name}_shortcut")
    x = BatchNormalization(name=f"{name}_norm1")(_convolve(x, filters, 3, 2, f"{name}_conv1"))
    x = layers.Activation("relu", name=f"{name}_relu1")(x)
    x = BatchNormalization(name=f"{name}_norm2")(_convolve(x, filters, 3, 1, f"{name}_conv2"))
    return layers.Activation("relu", name=f"{name}_relu2")(layers.Add(name=f"{name}_add")([x, shortcut]))


def _convolve(x, filters, size, strides, name):
    return layers.Conv2D(filters, size, strides, padding="same", use_bias=False, name=name)(x)
