"""SqueezeNet 1.1 without its classifier, for transfer learning."""

import keras
from keras import layers

from sertk.models.image_arguments import check_images

# Filters of the 1x1 convolution and of each of the two after it, a fire module; before these modules stands a pool.
FIRE = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128), 6: (48, 192), 7: (48, 192), 8: (64, 256), 9: (64, 256)}
POOLED = {2: "pool1", 4: "pool3", 6: "pool5"}


def squeezenet(input_shape=(224, 224, 3), *, name="squeezenet"):
    """Builds a strided convolution and eight fire modules, with random weights; 722,496 parameters.

    A fire module squeezes its input to few channels with a 1x1 convolution and expands them again with a 1x1 and a 3x3
    convolution side by side. The layers have the names of the published Keras weights, with `_` where those have `/`,
    which Keras 3 does not allow: `fire2_squeeze1x1`.

    Input: images after Caffe's preprocessing: BGR, less the means of ImageNet; `(batch, height, width, 3)`.
    Output: feature maps, `(batch, rows, columns, 512)`, 13 x 13 of 224 x 224.

    Args:
        input_shape: (height, width, 3), at least (32, 32, 3). Defaults to (224, 224, 3).
        name: str, the model's name.

    Returns:
        A functional `keras.Model`.

    Raises:
        ValueError: if `input_shape` is out of range.

    Example:
        >>> squeezenet().count_params()
        722496

    Source: Iandola et al. (2016), arXiv:1602.07360; version 1.1 of https://github.com/forresti/SqueezeNet, in the form
        of https://github.com/rcmalli/keras-squeezenet.
    """
    check_images(input_shape, smallest=32)
    images = keras.Input(input_shape, name="preprocessed")
    x = _convolve(images, 64, 3, "conv1", "relu_conv1", strides=2)
    for number, (squeeze, expand) in FIRE.items():
        if number in POOLED:
            x = layers.MaxPooling2D(3, 2, name=POOLED[number])(x)
        x = _fire(x, squeeze, expand, f"fire{number}")
    return keras.Model(images, x, name=name)


def _fire(x, squeeze, expand, name):
    x = _convolve(x, squeeze, 1, f"{name}_squeeze1x1", f"{name}_relu_squeeze1x1")
    small = _convolve(x, expand, 1, f"{name}_expand1x1", f"{name}_relu_expand1x1")
    large = _convolve(x, expand, 3, f"{name}_expand3x3", f"{name}_relu_expand3x3", padding="same")
    return layers.Concatenate(name=f"{name}_concat")([small, large])


def _convolve(x, filters, size, name, relu, **options):
    return layers.Activation("relu", name=relu)(layers.Conv2D(filters, size, name=name, **options)(x))
