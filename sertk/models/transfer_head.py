"""A network trained on ImageNet with a new head: speech as a picture, papers 001 and 004."""

import keras
from keras import layers

from sertk.augment.image_augmentation import ImageAugmentation
from sertk.models.arguments import check_classes, check_counts, check_share
from sertk.models.backbones import BACKBONES, build
from sertk.models.classifier import classify
from sertk.models.freeze import freeze
from sertk.models.image_arguments import check_images
from sertk.models.imagenet_preprocessing import ImageNetPreprocessing

# How the maps become a vector, and what follows it: paper 004's head on its VGG16, paper 001's on all others.
FLAT, POOLED = ("flat", (512, 192), 0.5), ("pooled", (512,), 0.0)


def transfer_head(
    input_shape=(224, 224, 3),
    num_classes=7,
    *,
    backbone="vgg16",
    weights=None,
    head=None,
    units=None,
    dropout=None,
    trainable="all",
    image_augmentation=False,
    seed=None,
    name=None,
):
    """Builds an ImageNet network under a new classifier; 27,660,103 parameters with VGG16.

    Without `head`, `units` and `dropout` these are the published ones: paper 001's for ResNet50 (24,638,339 parameters
    with 3 classes), InceptionV3 (22,853,411), SqueezeNet (986,691) and WideResNet; paper 004's for VGG16. Paper 001
    names no activation of its dense layer and paper 004 no dropout rate; here they are ReLU and 0.5.

    What paper 004 calls the last one, two or three "blocks" are convolution *layers*: `trainable=1`, 2 and 3 give its
    15,305,223, 17,665,031 and 20,024,839 trainable parameters. All else in the backbone is frozen then, its batch norm
    too, which stays in inference mode. What is frozen stays so in a saved model.

    Input: RGB images with values in [0, 255], `(batch, height, width, 3)`. The backbone's own preprocessing is inside.
    Output: probabilities, `(batch, num_classes)`.

    Args:
        input_shape: (height, width, 3), at least 32 x 32, for InceptionV3 75 x 75. Defaults to (224, 224, 3).
        num_classes: int. Defaults to 7.
        backbone: "resnet50", "squeezenet", "wide_resnet50", "inception_v3" or "vgg16". Defaults to "vgg16".
        weights: None, random ones; "imagenet", the published ones, which are downloaded once; or the path of a file of
            them: Keras's H5 without or with its classifier, for WideResNet timm's safetensors. Defaults to None.
        head: "pooled", the maximum of each feature map, or "flat", all their values. Defaults to the backbone's.
        units: tuple of ints, the dense layers before the classifier. Defaults to (512, 192) if flat, (512,) if pooled.
        dropout: float, share dropped after the first of them. Defaults to 0.5 if flat, 0 if pooled.
        trainable: "all", "none", or int, how many of the backbone's last convolution layers learn. Defaults to "all".
        image_augmentation: bool, whether images are flipped left to right, rotated by up to 36 degrees and zoomed by
            up to 20 % in training, as in paper 004's experiment 2, which gives no factors. A flipped spectrogram is
            speech played backwards. Defaults to False.
        seed: int, of the augmentation, or None for another sequence in every process. Defaults to None.
        name: str, the model's name. Defaults to the backbone's with `_transfer`.

    Returns:
        A functional `keras.Model`, in which the backbone is one layer with its own name.

    Raises:
        ConnectionError: if the published weights can't be downloaded; the message says how to get them.
        FileNotFoundError: if there is no such file of weights.
        ValueError: if an argument is out of range, or the file of weights is damaged or of another network.

    Example:
        >>> transfer_head((224, 224, 3), 3, backbone="squeezenet").count_params()
        986691

    Source: papers 001, section 3, and 004, section 5.
    """
    if not isinstance(backbone, str) or backbone not in BACKBONES:
        raise ValueError(f"`backbone` must be one of {', '.join(BACKBONES)}. Received: backbone={backbone!r}")
    check_images(input_shape, BACKBONES[backbone].smallest)
    check_classes(num_classes)
    head, units, dropout = _head(backbone, head, units, dropout)
    network = build(backbone, input_shape, weights)
    freeze(network, trainable)
    images = x = keras.Input(input_shape, name="images")
    if image_augmentation:
        x = ImageAugmentation(seed=seed, name="augmentation")(x)
    x = ImageNetPreprocessing(BACKBONES[backbone].preprocessing, name="preprocessing")(x)
    x = network(x)
    x = layers.Flatten(name="flatten")(x) if head == "flat" else layers.GlobalMaxPooling2D(name="pool")(x)
    for number, count in enumerate(units, start=1):
        x = layers.Dense(count, activation="relu", name=f"dense{number}")(x)
        if number == 1 and dropout:
            x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(images, classify(x, num_classes), name=name or f"{backbone}_transfer")


def _head(backbone, head, units, dropout):
    """The arguments, checked, with the published ones for those that are None."""
    published = FLAT if head == "flat" or (head is None and backbone == "vgg16") else POOLED
    head, units, dropout = (
        default if given is None else given for given, default in zip((head, units, dropout), published, strict=True)
    )
    if head not in ("pooled", "flat"):
        raise ValueError(f'`head` must be "pooled" or "flat". Received: head={head!r}')
    if not isinstance(units, tuple | list):
        raise ValueError(f"`units` must be a tuple, the size of each dense layer. Received: units={units!r}")
    for count in units:
        check_counts(units=count)
    check_share("dropout", dropout)
    return head, units, dropout
