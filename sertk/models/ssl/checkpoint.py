"""The tensors of a checkpoint of PyTorch in a folder: safetensors or PyTorch's own file, whole or in shards."""

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sertk.plain_json import read_object

SAFETENSORS, TORCH = "model.safetensors", "pytorch_model.bin"
INDEX = ".index.json"
# What a folder may hold its tensors in; of several the first is read: safetensors run no code and need no PyTorch.
LAYOUTS = (SAFETENSORS, SAFETENSORS + INDEX, TORCH, TORCH + INDEX)
# Before this version `torch.load(weights_only=True)` could be made to run code: CVE-2025-32434.
SAFE_TORCH = (2, 6)
# Safetensors' names of the types that become float32; integers and 8-bit floats belong to quantised networks.
FLOATS = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}


@dataclass(frozen=True)
class StoredTensor:
    """A tensor that is still in its file.

    Args:
        shape: tuple of int.
        dtype: str, "float32", "bfloat16" or another that the file names.
        read: reads it as a NumPy array of float32.
    """

    shape: tuple
    dtype: str
    read: Callable

    @property
    def is_float(self):
        """bool, whether its numbers are floats of 16 bits or more."""
        return self.dtype in FLOATS.values()


def preferred_layout(names):
    """Chooses the file to read a checkpoint from: safetensors before PyTorch's own, whole before shards.

    Args:
        names: iterable of str, the files of a folder.

    Returns:
        One of `LAYOUTS`, or None where the files hold no checkpoint.
    """
    names = set(names)
    return next((layout for layout in LAYOUTS if layout in names), None)


def stored_tensors(folder):
    """Lists the tensors of a checkpoint without reading them.

    Safetensors are opened anew for each tensor, so that the memory of the last is given back; PyTorch's own file is
    mapped into memory where it is a zip file, as since PyTorch 1.6. It is read with `weights_only`, which runs no
    code.

    Args:
        folder: path of a folder that holds one of `LAYOUTS` and, where that is an index, the shards it names.

    Returns:
        dict of `StoredTensor`, by name, in the order of the file.

    Raises:
        FileNotFoundError: if a shard is missing.
        ImportError: if the package that reads the file is missing, or PyTorch is older than 2.6.
        ValueError: if the folder holds no checkpoint, or a file of it is damaged or leads out of the folder.

    Source: https://huggingface.co/docs/safetensors, https://docs.pytorch.org/docs/stable/generated/torch.load.html
    """
    folder = Path(folder)
    held = sorted(path.name for path in folder.iterdir())
    layout = preferred_layout(held)
    if layout is None:
        shown = ", ".join(held[:8]) + (f" and {len(held) - 8} more" if len(held) > 8 else "")
        raise ValueError(
            f"{folder}: holds no checkpoint; it must hold one of {', '.join(LAYOUTS)}. "
            f"Received: a folder with {shown or 'nothing in it'}"
        )
    return _of_shards(folder / layout) if layout.endswith(INDEX) else _of_file(folder / layout)


def import_torch(file):
    """Imports PyTorch to read a file with.

    Args:
        file: path or str, named in the error.

    Raises:
        ImportError: if it is missing or too old to read a file that may be hostile; the message says what to do.
    """
    advice = "pip install 'torch>=2.6', or take a checkpoint in safetensors"
    try:
        import torch
    except ImportError as error:
        raise ImportError(f"{file}: PyTorch is needed to read it; {advice}") from error
    if tuple(map(int, torch.__version__.split(".")[:2])) < SAFE_TORCH:
        raise ImportError(
            f"{file}: a newer PyTorch is needed to read it safely; {advice}. Received: {torch.__version__}"
        )
    return torch


def _of_file(path):
    return _of_safetensors(path) if path.suffix == ".safetensors" else _of_torch(path)


def _of_shards(index):
    """The tensors of all shards, each from the file where the index has it."""
    places = _weight_map(index)
    shards = {}
    for file in sorted(set(places.values())):
        if not (index.parent / file).is_file():
            raise FileNotFoundError(
                f"{index.parent / file}: there is no such file, but {index.name} names it; put it there"
            )
        shards[file] = _of_file(index.parent / file)
    for name, file in places.items():
        if name not in shards[file]:
            raise ValueError(f"{index}: is not of these shards; get all of them again. Received: {file} without {name}")
    return {name: shards[file][name] for name, file in places.items()}


def _weight_map(index):
    """Tensor to file, of an index that names files of its own kind beside itself and no others."""
    try:
        places = read_object(index)["weight_map"]
        files = list(places.values())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{index}: is no index of shards; get it again. Received: {error}") from error
    suffix = Path(index.name.removesuffix(INDEX)).suffix
    for file in files:
        if not isinstance(file, str) or not re.fullmatch(rf"[\w.-]+{re.escape(suffix)}", file):
            raise ValueError(f"{index}: must name {suffix} files beside itself; get it again. Received: {file!r}")
    return places


def _of_safetensors(path):
    try:
        import safetensors
    except ImportError as error:
        raise ImportError(f"{path}: safetensors is needed to read it; pip install 'sertk[hub]'") from error

    def opened(use):
        try:
            with safetensors.safe_open(path, framework="numpy") as file:
                return use(file)
        except (OSError, safetensors.SafetensorError) as error:
            raise ValueError(
                f"{path}: is no safetensors file, or only a part of one; get it again. Received: {error}"
            ) from error

    def stored(file, name):
        tensor = file.get_slice(name)
        dtype = tensor.get_dtype()
        return StoredTensor(
            shape=tuple(tensor.get_shape()),
            dtype=FLOATS.get(dtype, dtype),
            # A file that stays open keeps in memory all that was ever read of it.
            read=lambda: np.asarray(opened(lambda anew: anew.get_tensor(name)), "float32"),
        )

    return opened(lambda file: {name: stored(file, name) for name in file.keys()})  # noqa: SIM118  (no dict)


def _of_torch(path):
    torch = import_torch(path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
        if not all(isinstance(name, str) and torch.is_tensor(tensor) for name, tensor in state.items()):
            raise TypeError("something beside tensors in it")
    except Exception as error:  # PyTorch raises pickle's, zip's and its own
        # The text of some of PyTorch's errors advises to trust the file.
        raise ValueError(
            f"{path}: is no file of PyTorch weights, or only a part of one; get it again. "
            f"Received: {type(error).__name__}"
        ) from error
    return {
        name: StoredTensor(
            shape=tuple(tensor.shape),
            dtype=str(tensor.dtype).removeprefix("torch."),
            read=lambda tensor=tensor: tensor.detach().to(torch.float32).numpy(),
        )
        for name, tensor in state.items()
    }
