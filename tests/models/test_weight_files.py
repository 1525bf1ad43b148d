"""Files of weights: each layout on a network of two layers, and every way in which a file can be the wrong one."""

import sys

import h5py
import keras
import numpy as np
import pytest

from sertk.models.weight_files import load_weights

safetensors = pytest.importorskip("safetensors.numpy")


def network(name="small"):
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, (3, 5), name="stem_conv")(inputs)
    return keras.Model(inputs, keras.layers.BatchNormalization(name="stem_bn")(x), name=name)


def tensors(seed=0):
    rng = np.random.default_rng(seed)
    shapes = {
        "stem.conv.weight": (4, 3, 3, 5),
        "stem.conv.bias": (4,),
        "stem.bn.weight": (4,),
        "stem.bn.bias": (4,),
        "stem.bn.running_mean": (4,),
        "stem.bn.running_var": (4,),
    }
    return {name: rng.random(shape, "float32") for name, shape in shapes.items()}


def as_h5(path, tensors, *, inside=None):
    """Writes a file as Keras 2 did: a group a layer, the names in attributes."""
    layers = {}
    for name, tensor in tensors.items():
        layers.setdefault(name.rpartition(".")[0].replace(".", "/"), []).append((name, tensor))
    with h5py.File(path, "w") as file:
        group = file.create_group(inside) if inside else file
        group.attrs["layer_names"] = [name.encode() for name in ["input_1", *layers]]
        group.create_group("input_1").attrs["weight_names"] = []
        for layer, weights in layers.items():
            group.create_group(layer).attrs["weight_names"] = [f"{name}:0".encode() for name, _ in weights]
            for name, tensor in weights:
                axes = (2, 3, 1, 0) if tensor.ndim == 4 else range(tensor.ndim)
                group[layer][f"{name}:0"] = tensor.transpose(axes)
    return path


def as_safetensors(path, tensors):
    # In the order of the alphabet, which is not Keras's: bias before weight.
    safetensors.save_file(dict(sorted(tensors.items())), path)
    return path


@pytest.fixture(params=["weights.h5", "model.safetensors"])
def write(request, tmp_path):
    """A function that writes tensors into a file of either kind."""
    path = tmp_path / request.param
    return lambda tensors: (as_h5 if path.suffix == ".h5" else as_safetensors)(path, tensors)


def check_loaded(network, tensors):
    kernel, bias = network.get_layer("stem_conv").get_weights()
    for output in range(4):
        for channel in range(3):
            np.testing.assert_array_equal(kernel[:, :, channel, output], tensors["stem.conv.weight"][output, channel])
    np.testing.assert_array_equal(bias, tensors["stem.conv.bias"])
    norm = network.get_layer("stem_bn")
    for weight, role in (("gamma", "weight"), ("beta", "bias"), ("moving_mean", "running_mean")):
        np.testing.assert_array_equal(getattr(norm, weight), tensors[f"stem.bn.{role}"])
    np.testing.assert_array_equal(norm.moving_variance, tensors["stem.bn.running_var"])


def test_each_tensor_comes_to_its_place(write):
    small = network()
    load_weights(small, write(tensors()))
    check_loaded(small, tensors())


def test_a_classifier_and_counters_are_passed_over(write):
    small, extra = network(), {"fc.weight": np.zeros((10, 4), "float32"), "fc.bias": np.zeros(10, "float32")}
    path = write(tensors() | extra)
    load_weights(small, path)
    check_loaded(small, tensors())


def test_the_counters_of_pytorch_are_passed_over(tmp_path):
    small, counter = network(), {"stem.bn.num_batches_tracked": np.array(7)}
    load_weights(small, as_safetensors(tmp_path / "model.safetensors", tensors() | counter))
    check_loaded(small, tensors())


def test_a_whole_model_of_keras_2_is_read_too(tmp_path):
    small = network()
    load_weights(small, as_h5(tmp_path / "model.h5", tensors(), inside="model_weights"))
    check_loaded(small, tensors())


def test_by_order_the_names_are_free(tmp_path):
    small = network()
    renamed = {name.replace("conv", "conv2d_94").replace("bn", "norm_94"): t for name, t in tensors().items()}
    path = as_h5(tmp_path / "weights.h5", renamed)
    load_weights(small, path, by_order=True)
    check_loaded(small, tensors())
    with pytest.raises(ValueError, match="without stem_conv, stem_bn, with stem_conv2d_94, stem_norm_94"):
        load_weights(small, path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stem.bn": None}, "Received: a file without stem_bn$"),
        ({"deeper.conv.weight": np.zeros((1, 1, 1, 1), "float32")}, "Received: a file with deeper_conv$"),
        (
            {"stem.conv.weight": np.zeros((4, 3, 5, 3), "float32")},
            r"a file with stem_conv of \[\(5, 3, 3, 4\), \(4,\)\] where \[\(3, 5, 3, 4\), \(4,\)\] is needed$",
        ),
        ({"stem.conv.bias": None}, r"with stem_conv of \[\(3, 5, 3, 4\)\] where"),
    ],
    ids=["too few", "too many", "misshapen", "half a layer"],
)
def test_a_file_of_another_network_is_refused_and_nothing_is_loaded(write, change, message):
    changed = tensors()
    for name, tensor in change.items():
        if tensor is None:
            changed = {key: value for key, value in changed.items() if not key.startswith(name)}
        else:
            changed[name] = tensor
    small = network()
    before = small.get_weights()
    with pytest.raises(ValueError, match=r"holds no weights of small; pass a file that was saved from .*" + message):
        load_weights(small, write(changed))
    for weight, old in zip(small.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


@pytest.mark.parametrize("damage", ["cut", "text", "empty"])
def test_a_damaged_file_is_refused(write, damage):
    path = write(tensors())
    content = {"cut": path.read_bytes()[:-20], "text": b"404: Not Found, 404: Not Found", "empty": b""}[damage]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{path.name}: is no .*, or only a part of one; get it again\. Received: ."):
        load_weights(network(), path)


def test_the_weights_of_keras_3_are_refused(tmp_path):
    network().save_weights(tmp_path / "own.weights.h5")
    with pytest.raises(ValueError, match=r"own\.weights\.h5: is no H5 file of weights as Keras 1 and 2 wrote them"):
        load_weights(network(), tmp_path / "own.weights.h5")


def test_values_from_another_file_are_refused(tmp_path):
    """An H5 file can point to any file of the machine, whose bytes would become weights."""
    path = as_h5(tmp_path / "weights.h5", tensors())
    (tmp_path / "secret").write_bytes(bytes(16))
    with h5py.File(path, "a") as file:
        group, name = file["stem/bn"], "stem.bn.bias:0"
        del group[name]
        group.create_dataset(name, (4,), "float32", external=[(str(tmp_path / "secret"), 0, 16)])
    with pytest.raises(ValueError, match="stem/bn is kept in another file"):
        load_weights(network(), path)


def test_without_safetensors_the_error_says_what_to_install(tmp_path, monkeypatch):
    path = as_safetensors(tmp_path / "model.safetensors", tensors())
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match=r"safetensors is needed to read it; pip install 'sertk\[hub\]'"):
        load_weights(network(), path)
