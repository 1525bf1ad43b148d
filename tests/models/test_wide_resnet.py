"""WideResNet-50-2: timm's own parameters, names and numbers, from a file of the hub's kind."""

import runpy
from pathlib import Path

import keras
import numpy as np
import pytest

from sertk.models import wide_resnet50
from sertk.models.weight_files import load_weights

safetensors = pytest.importorskip("safetensors.numpy")

SCRIPT = Path(__file__).with_name("golden") / "make_wide_resnet.py"


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def golden(script):
    """What timm's network answered, and the names and shapes of its state dict."""
    return dict(np.load(script["GOLDEN"]))


@pytest.fixture(scope="module")
def state_dict(script, golden, tmp_path_factory):
    """The file of timm's network with the weights of the golden values; 268 MB, deleted afterwards."""
    shapes = [tuple(map(int, filter(None, shape.split(",")))) for shape in golden["shapes"].tolist()]
    tensors = {name: script["draw"](name, shape) for name, shape in zip(golden["names"].tolist(), shapes, strict=True)}
    path = tmp_path_factory.mktemp("hub") / "model.safetensors"
    safetensors.save_file(tensors, path)
    yield path
    path.unlink()


@pytest.fixture(scope="module")
def network():
    return wide_resnet50((64, 96, 3))


def test_has_the_parameters_of_timm(network, golden):
    learned = sum(np.prod(weight.shape) for weight in network.trainable_weights)
    assert learned == golden["parameters"] == 66_834_240
    assert network.count_params() == 66_834_240 + 68_224


def test_answers_as_timm_does_from_the_same_file(network, state_dict, script, golden):
    load_weights(network, state_dict)
    actual = keras.ops.convert_to_numpy(network(script["picture"]()))
    assert actual.shape == (1, 2, 3, 2048)
    np.testing.assert_allclose(actual, golden["features"], atol=1e-4, rtol=1e-5)


def test_moving_averages_move_by_a_tenth_as_in_pytorch(network, script):
    """`torch.nn.BatchNorm2d` has the momentum 0.1: from 0 it comes to a tenth of the batch's mean."""
    inner = keras.Model(network.input, [network.get_layer("conv1").output, network.get_layer("bn1").output])
    norm = network.get_layer("bn1")
    norm.moving_mean.assign(np.zeros(64))
    convolved, _ = inner(script["picture"](), training=True)
    expected = keras.ops.convert_to_numpy(convolved).mean(axis=(0, 1, 2)) / 10
    np.testing.assert_allclose(norm.moving_mean, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("shape", [(224, 224, 1), (31, 224, 3)])
def test_impossible_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="`input_shape` must be"):
        wide_resnet50(shape)
