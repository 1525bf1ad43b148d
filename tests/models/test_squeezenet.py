"""SqueezeNet 1.1: published sizes and names, a fire module against SciPy, refused shapes."""

import os
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from scipy.signal import correlate

from sertk.models import squeezenet
from sertk.models.weight_files import load_weights

PUBLISHED = "squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5"


@pytest.fixture(scope="module")
def network():
    return squeezenet((64, 96, 3))


@pytest.fixture(scope="module")
def published():
    """The published weights; skips where they are not at hand."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "weights"
    path = Path(os.environ.get("SERTK_WEIGHTS", beside)) / PUBLISHED
    if not path.is_file():
        pytest.skip(f"no published weights: set SERTK_WEIGHTS to a folder that holds {PUBLISHED}")
    return path


def test_has_the_published_parameters():
    network = squeezenet()
    # 1,235,496 in all of version 1.1 with its classifier, a 1x1 convolution from 512 maps to 1,000 classes.
    assert network.count_params() == 722_496 == 1_235_496 - (512 + 1) * 1_000


def test_strides_leave_the_published_maps():
    network = squeezenet((227, 227, 3))
    # Table 1 of version 1.1 (forresti/SqueezeNet): 113 after the first convolution, then 56, 28 and 14, of Caffe's
    # rounding up; Keras rounds down, as keras-squeezenet does, from which the weights come.
    shapes = [network.get_layer(name).output.shape[1:] for name in ("relu_conv1", "pool1", "pool3", "pool5")]
    assert shapes == [(113, 113, 64), (56, 56, 64), (27, 27, 128), (13, 13, 256)]
    assert network.output_shape == (None, 13, 13, 512)


def test_a_fire_module_is_what_scipy_makes_of_its_weights(network):
    rng = np.random.default_rng(0)
    for layer in network.layers:
        layer.set_weights([rng.normal(0, 0.2, weight.shape) for weight in layer.weights])
    images = rng.standard_normal((1, 64, 96, 3)).astype("float32")
    inner = keras.Model(network.input, [network.get_layer(name).output for name in ("pool1", "fire2_concat")])
    x, actual = (keras.ops.convert_to_numpy(output)[0] for output in inner(images))

    def convolve(x, name):
        kernel, bias = network.get_layer(name).get_weights()
        margin = kernel.shape[0] // 2
        x = np.pad(x, ((margin, margin), (margin, margin), (0, 0)))
        maps = [correlate(x, kernel[..., i], mode="valid")[..., 0] for i in range(kernel.shape[-1])]
        return np.maximum(np.stack(maps, axis=-1) + bias, 0)

    squeezed = convolve(x, "fire2_squeeze1x1")
    expanded = [convolve(squeezed, "fire2_expand1x1"), convolve(squeezed, "fire2_expand3x3")]
    np.testing.assert_allclose(actual, np.concatenate(expanded, axis=-1), atol=1e-3)


def test_takes_every_tensor_of_the_published_weights(network, published):
    load_weights(network, published)
    with h5py.File(published) as file:
        tensors = {}
        file.visititems(lambda name, item: tensors.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    loaded = {(layer.name, weight.ndim): weight for layer in network.layers for weight in layer.get_weights()}
    assert len(loaded) == len(tensors) == 2 * (1 + 8 * 3)
    for path, tensor in tensors.items():
        # "fire2/squeeze1x1/fire2/squeeze1x1_b", "fire2/squeeze1x1/uniform2", "conv1/uniform1"
        layer = "_".join(path.split("/")[: 2 if path.startswith("fire") else 1])
        np.testing.assert_array_equal(loaded[layer, tensor.ndim], tensor, err_msg=path)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((224, 224), r"`input_shape` must be \(height, width, 3\).* Received: input_shape=\(224, 224\)"),
        ((224, 224, 1), r"`input_shape` must be \(height, width, 3\)"),
        ((None, 224, 3), r"`input_shape` must be \(height, width, 3\)"),
        (224, r"`input_shape` must be \(height, width, 3\).* Received: input_shape=224"),
        ((224, 31, 3), r"`input_shape` must be at least \(32, 32, 3\).* Received: input_shape=\(224, 31, 3\)"),
    ],
)
def test_impossible_shapes_are_refused(shape, message):
    with pytest.raises(ValueError, match=message):
        squeezenet(shape)


def test_the_smallest_shape_leaves_a_map():
    assert squeezenet((32, 32, 3)).output_shape == (None, 1, 1, 512)
