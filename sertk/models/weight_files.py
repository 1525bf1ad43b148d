"""Files of weights that were learned elsewhere: Keras's H5 and the hub's safetensors, taken only where they fit."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

# What stands above the feature maps in published files; a network without its classifier has no use for it.
CLASSIFIERS = {"fc", "fc1", "fc2", "fc1000", "predictions", "probs", "conv10"}
# PyTorch's names for a layer's tensors, in the order in which Keras's layers hold them.
ROLES = ("weight", "bias", "running_mean", "running_var")


def load_weights(network, path, *, by_order=False):
    """Loads a file of published weights into a network without its classifier: all that it needs, or nothing.

    Args:
        network: functional `keras.Model`; it is changed.
        path: a file: a PyTorch state dict where its name ends in `.safetensors`, else H5 as Keras 1 and 2 wrote it.
        by_order: bool, whether layers are told by their place in the file and not by their name. Defaults to False.

    Raises:
        ImportError: if safetensors is needed and not installed.
        ValueError: if the file is damaged or of another network; the message says what is missing, left over or
            misshapen.
    """
    path = Path(path)
    wanted = {layer.name: layer.weights for layer in network.layers if layer.weights}
    with (_state_dict if path.suffix == ".safetensors" else _h5)(path) as layers:
        found = {name: tensors for name, tensors in layers.items() if name not in CLASSIFIERS}
        if by_order and len(found) == len(wanted):
            found = dict(zip(wanted, found.values(), strict=True))
        _check(path, network.name, wanted, found)
        values = {name: [tensor.read() for tensor in tensors] for name, tensors in found.items()}
    for name, weights in wanted.items():
        for weight, value in zip(weights, values[name], strict=True):
            weight.assign(value)


@dataclass(frozen=True)
class _Tensor:
    """A tensor that is still in its file, with the shape that Keras gives it."""

    shape: tuple
    read: Any


@contextlib.contextmanager
def _h5(path):
    """Yields the tensors of each layer of an H5 file."""
    try:
        with h5py.File(path) as file:
            group = file if "layer_names" in file.attrs else file["model_weights"]
            layers = {}
            for layer in map(_text, group.attrs["layer_names"]):
                datasets = [group[layer][_text(weight)] for weight in group[layer].attrs["weight_names"]]
                if any(dataset.file != file or dataset.external or dataset.is_virtual for dataset in datasets):
                    raise OSError(f"{layer} is kept in another file")
                if datasets:
                    # Keras 3 allows no "/" in the name of a layer.
                    layers[layer.replace("/", "_")] = [_Tensor(data.shape, lambda d=data: d[()]) for data in datasets]
            yield layers
    except (OSError, KeyError) as error:
        raise ValueError(
            f"{path}: is no H5 file of weights as Keras 1 and 2 wrote them, or only a part of one; get it again. "
            f"Received: {error}"
        ) from error


def _text(name):
    return name.decode() if isinstance(name, bytes) else name


@contextlib.contextmanager
def _state_dict(path):
    """Yields the tensors of each layer of a safetensors file, in Keras's order and with Keras's axes."""
    try:
        import safetensors
    except ImportError as error:
        raise ImportError(f"{path}: safetensors is needed to read it; pip install 'sertk[hub]'") from error
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            layers = {}
            names = {tuple(name.rpartition(".")[::2]): name for name in file.keys()}  # noqa: SIM118  (no dict)
            for layer, role in sorted((key for key in names if key[1] in ROLES), key=lambda key: ROLES.index(key[1])):
                layers.setdefault(layer.replace(".", "_"), []).append(_of_pytorch(file, names[layer, role]))
            yield layers
    except (OSError, safetensors.SafetensorError) as error:
        raise ValueError(
            f"{path}: is no safetensors file, or only a part of one; get it again. Received: {error}"
        ) from error


def _of_pytorch(file, name):
    shape = file.get_slice(name).get_shape()
    if len(shape) != 4:
        return _Tensor(tuple(shape), lambda: file.get_tensor(name))
    outputs, inputs, height, width = shape
    return _Tensor((height, width, inputs, outputs), lambda: file.get_tensor(name).transpose(2, 3, 1, 0))


def _check(path, network, wanted, found):
    """Refuses a file that lacks a layer, has one too many, or has one of another shape."""
    shapes = {name: [tuple(weight.shape) for weight in weights] for name, weights in wanted.items()}
    held = {name: [tensor.shape for tensor in tensors] for name, tensors in found.items()}
    misshapen = [
        f"{name} of {held[name]} where {shapes[name]} is needed"
        for name in shapes
        if name in held and held[name] != shapes[name]
    ]
    faults = [
        f"{what} {_first(names)}"
        for what, names in (
            ("without", [name for name in shapes if name not in held]),
            ("with", [name for name in held if name not in shapes]),
            ("with", misshapen),
        )
        if names
    ]
    if faults:
        raise ValueError(
            f"{path}: holds no weights of {network}; pass a file that was saved from this network. "
            f"Received: a file {', '.join(faults)}"
        )


def _first(names, count=3):
    return ", ".join(names[:count]) + (f" and {len(names) - count} more" if len(names) > count else "")
