"""WideResNet-50-2 without its classifier, for transfer learning."""

import keras
from keras import layers

from sertk.models.batch_norm import BatchNormalization
from sertk.models.image_arguments import check_images

# Blocks of each of the four stages, and the filters inside them: twice as many as in ResNet50.
BLOCKS, FILTERS = (3, 4, 6, 3), (128, 256, 512, 1024)


def wide_resnet50(input_shape=(224, 224, 3), *, name="wide_resnet50"):
    """Builds ResNet50 with bottlenecks of twice the width, with random weights; 66,834,240 parameters.

    Besides these it has 68,224 moving averages. Layout and names are PyTorch's, with `_` for `.`: the stride of a block
    is in its 3x3 convolution, and `layer1_0_conv1` holds what the state dict has as `layer1.0.conv1.weight`.

    Input: images after PyTorch's preprocessing: RGB in [0, 1], normalised by ImageNet's means and standard deviations;
        `(batch, height, width, 3)`.
    Output: feature maps, `(batch, rows, columns, 2048)`, 7 x 7 of 224 x 224.

    Args:
        input_shape: (height, width, 3), at least (32, 32, 3). Defaults to (224, 224, 3).
        name: str, the model's name.

    Returns:
        A functional `keras.Model`.

    Raises:
        ValueError: if `input_shape` is out of range.

    Example:
        >>> wide_resnet50().output_shape
        (None, 7, 7, 2048)

    Source: Zagoruyko and Komodakis (2016), arXiv:1605.07146; the form of https://github.com/huggingface/pytorch-image-models,
        `wide_resnet50_2`.
    """
    check_images(input_shape, smallest=32)
    images = keras.Input(input_shape, name="preprocessed")
    x = _convolve(images, 64, 7, 2, "conv1")
    x = layers.Activation("relu", name="act1")(_norm("bn1")(x))
    # The pool's margin of zeros is PyTorch's margin of -infinity: what comes from a ReLU is never below zero.
    x = layers.ZeroPadding2D(1, name="maxpool_pad")(x)
    x = layers.MaxPooling2D(3, 2, name="maxpool")(x)
    for stage, (blocks, filters) in enumerate(zip(BLOCKS, FILTERS, strict=True), start=1):
        for block in range(blocks):
            strides = 2 if stage > 1 and block == 0 else 1
            x = _bottleneck(x, filters, strides, f"layer{stage}_{block}", widen=block == 0)
    return keras.Model(images, x, name=name)


def _bottleneck(x, filters, strides, name, *, widen):
    shortcut = x
    if widen:
        shortcut = _convolve(x, 2 * filters, 1, strides, f"{name}_downsample_0")
        shortcut = _norm(f"{name}_downsample_1")(shortcut)
    for number, (width, size, stride) in enumerate(
        ((filters, 1, 1), (filters, 3, strides), (2 * filters, 1, 1)), start=1
    ):
        x = _norm(f"{name}_bn{number}")(_convolve(x, width, size, stride, f"{name}_conv{number}"))
        if number < 3:
            x = layers.Activation("relu", name=f"{name}_act{number}")(x)
    return layers.Activation("relu", name=f"{name}_act3")(layers.Add(name=f"{name}_add")([x, shortcut]))


def _convolve(x, filters, size, strides, name):
    if size > 1:
        # Alike on both sides, as PyTorch pads; Keras's "same" would pad a strided convolution on one side only.
        x = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
    return layers.Conv2D(filters, size, strides, use_bias=False, kernel_initializer="he_normal", name=name)(x)


def _norm(name):
    # Keras's momentum is the share kept, PyTorch's, 0.1, the share replaced.
    return BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)
