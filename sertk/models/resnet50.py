"""ResNet-50 on spectrograms as they are, without colours: the encoder of paper 000."""

import keras
from keras import layers

from sertk.models.arguments import check_classes
from sertk.models.backbones import build
from sertk.models.classifier import classify


def resnet50(input_shape=(94, 64), num_classes=7, *, weights=None, name="resnet50"):
    """Builds a ResNet-50 on one spectrogram, seen three times, and a classifier; 23,602,055 parameters.

    The last feature maps are averaged over time and bands. `transfer_head(backbone="resnet50")` takes images instead.

    Input: log-mel spectrograms, `(batch, frames, bands)`, best with each band normalised.
    Output: probabilities, `(batch, num_classes)`.

    Args:
        input_shape: (frames, bands), each at least 32. Defaults to (94, 64), 3 s at 16 kHz with a hop of 512.
        num_classes: int. Defaults to 7.
        weights: None, random ones; "imagenet", or the path of a file, as in `transfer_head`. ImageNet's preprocessing
            is left out, since a spectrogram is no picture of 8-bit colours. Defaults to None.
        name: str, the model's name.

    Returns:
        A functional `keras.Model`.

    Raises:
        ConnectionError, FileNotFoundError: if the weights are not to be had.
        ValueError: if an argument is out of range.

    Example:
        >>> resnet50().count_params()
        23602055

    Source: paper 000, section 4.3; He et al. (2016), arXiv:1512.03385, as in `keras.applications.ResNet50`.
    """
    sizes = input_shape if isinstance(input_shape, tuple | list) else ()
    if len(sizes) != 2 or not all(isinstance(size, int) and size >= 32 for size in sizes):
        raise ValueError(
            "`input_shape` must be (frames, bands), each at least 32: the network halves them five times. "
            f"Received: input_shape={input_shape}"
        )
    check_classes(num_classes)
    frames, bands = sizes
    features = keras.Input((frames, bands), name="features")
    picture = layers.Reshape((frames, bands, 1), name="picture")(features)
    x = layers.Concatenate(name="three")([picture] * 3)
    x = build("resnet50", (frames, bands, 3), weights)(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(features, classify(x, num_classes), name=name)
