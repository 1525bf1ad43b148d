"""The networks trained on ImageNet that can stand under a new head, and where their weights are published."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras

from sertk.models.squeezenet import squeezenet
from sertk.models.weight_files import load_weights
from sertk.models.wide_resnet import wide_resnet50

KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"
NOTOP = "weights_tf_dim_ordering_tf_kernels_notop.h5"
BARE = {"include_top": False, "weights": None}


@dataclass(frozen=True)
class Backbone:
    """A network up to its last feature maps.

    Args:
        build: from `input_shape` and `name` to a `keras.Model` with random weights.
        preprocessing: mode of `ImageNetPreprocessing`.
        url: where the weights are published.
        digest: MD5 or SHA-256 of the file, or None where none is published.
        smallest: int, the least height and width. Defaults to 32.
        by_order: bool, whether a file's layers are told by their order. Defaults to False.
    """

    build: Callable
    preprocessing: str
    url: str
    digest: str | None
    smallest: int = 32
    by_order: bool = False


# Keras reads the files of its own networks by order: it numbers InceptionV3's layers anew with each that is built.
# SqueezeNet's weights come from Caffe, and its authors feed it as Keras's own of that origin.
BACKBONES = {
    "resnet50": Backbone(
        partial(keras.applications.ResNet50, **BARE),
        "caffe",
        f"{KERAS}/resnet/resnet50_{NOTOP}",
        "4d473c1dd8becc155b73f8504c6f6626",
        by_order=True,
    ),
    "squeezenet": Backbone(
        squeezenet,
        "caffe",
        f"https://github.com/rcmalli/keras-squeezenet/releases/download/v1.0/squeezenet_{NOTOP}",
        "17154246284f555591549ac2c83e127abfbf4307dc4b0060fdaa2931d0fa38da",
    ),
    "wide_resnet50": Backbone(
        wide_resnet50,
        "torch",
        "https://huggingface.co/timm/wide_resnet50_2.racm_in1k/resolve/main/model.safetensors",
        None,
    ),
    "inception_v3": Backbone(
        partial(keras.applications.InceptionV3, **BARE),
        "tf",
        f"{KERAS}/inception_v3/inception_v3_{NOTOP}",
        "bcbd6486424b2319ff4ef7d526e38f63",
        smallest=75,
        by_order=True,
    ),
    "vgg16": Backbone(
        partial(keras.applications.VGG16, **BARE),
        "caffe",
        f"{KERAS}/vgg16/vgg16_{NOTOP}",
        "6d6bbae143d832006294945121d1f1fc",
        by_order=True,
    ),
}


def build(name, input_shape, weights=None):
    """Builds a backbone by name and loads its weights.

    Args:
        name: str, a key of `BACKBONES`.
        input_shape: (height, width, 3).
        weights: None, "imagenet" or a path. Defaults to None, random weights.

    Returns:
        A functional `keras.Model`, from preprocessed images to feature maps.

    Raises:
        ConnectionError: if published weights can't be downloaded; the message says how to get them.
        FileNotFoundError, ValueError: if a path leads to no file, or to none of this network.
    """
    backbone = BACKBONES[name]
    if weights is not None and not isinstance(weights, str | os.PathLike):
        raise ValueError(f'`weights` must be None, "imagenet" or a path. Received: weights={weights!r}')
    path = _download(backbone) if weights == "imagenet" else weights
    if path is not None and not Path(path).is_file():
        raise FileNotFoundError(
            f'{path}: there is no such file; pass None, "imagenet" or the path of a file as `weights`'
        )
    network = backbone.build(input_shape=tuple(input_shape), name=name)
    if path is not None:
        load_weights(network, path, by_order=backbone.by_order)
    return network


def _download(backbone):
    """The path of the published weights on this machine."""
    try:
        return _from_hub(backbone.url) if "huggingface.co" in backbone.url else _from_web(backbone)
    except ImportError:
        raise
    except Exception as error:  # Keras raises bare ones, the hub's client many kinds
        raise ConnectionError(
            f"{backbone.url}: can't be downloaded; where there is no network, fetch this file on another machine and "
            f"pass its path as `weights`. Received: {str(error).strip() or type(error).__name__}"
        ) from error


def _from_web(backbone):
    file = backbone.url.rpartition("/")[2]
    return keras.utils.get_file(file, backbone.url, cache_subdir="models", file_hash=backbone.digest)


def _from_hub(url):
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise ImportError(
            f"{url}: huggingface_hub is needed to download it; pip install 'sertk[hub]', or fetch this file and pass "
            "its path as `weights`"
        ) from error
    *_, owner, repository, _, _, file = url.split("/")
    return hf_hub_download(f"{owner}/{repository}", file)
