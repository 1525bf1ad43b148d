"""Checkpoints in PyTorch's own files, where PyTorch is: written by it, old and new, whole or not, and hostile ones."""

import json
import os
import pickle

import numpy as np
import pytest

from sertk.models.ssl.checkpoint import stored_tensors

torch = pytest.importorskip("torch")


def state(dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    shapes = {"conv.weight": (4, 3, 5), "conv.bias": (4,), "scale": ()}
    return {name: torch.randn(shape, generator=generator).to(dtype) for name, shape in shapes.items()}


def check(stored, expected):
    assert stored.keys() == expected.keys()
    for name, tensor in stored.items():
        value = tensor.read()
        assert value.dtype == np.float32
        assert tensor.shape == tuple(expected[name].shape)
        np.testing.assert_array_equal(value, np.array(expected[name].tolist(), "float32"))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before PyTorch 1.6"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_both_forms_of_pytorchs_files_are_read(zipped, dtype, tmp_path):
    path = tmp_path / "pytorch_model.bin"
    torch.save(state(dtype), path, _use_new_zipfile_serialization=zipped)
    stored = stored_tensors(tmp_path)
    assert {tensor.dtype for tensor in stored.values()} == {str(dtype).removeprefix("torch.")}
    assert all(tensor.is_float for tensor in stored.values())
    check(stored, state(dtype))


def test_parameters_and_transposed_views_are_read(tmp_path):
    """Parameters ask for gradients, and a view's numbers don't lie in its own order."""
    views = {name: torch.nn.Parameter(tensor.mT if tensor.ndim == 3 else tensor) for name, tensor in state().items()}
    torch.save(views, tmp_path / "pytorch_model.bin")
    check(stored_tensors(tmp_path), views)


def test_shards_are_read_as_one(tmp_path):
    places = {name: f"pytorch_model-{number}-of-3.bin" for number, name in enumerate(state(), start=1)}
    for name, file in places.items():
        torch.save({name: state()[name]}, tmp_path / file)
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": places}))
    check(stored_tensors(tmp_path), state())


def test_whole_numbers_are_told_from_floats(tmp_path):
    torch.save({"counter": torch.tensor(3)}, tmp_path / "pytorch_model.bin")
    assert not stored_tensors(tmp_path)["counter"].is_float


class Hostile:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("zipped", [True, False, None], ids=["zip", "before PyTorch 1.6", "bare pickle"])
def test_code_in_a_file_is_not_run(zipped, tmp_path):
    path, trace = tmp_path / "pytorch_model.bin", tmp_path / "trace"
    if zipped is None:
        path.write_bytes(pickle.dumps(Hostile(trace), protocol=2))
    else:
        torch.save({"weight": torch.zeros(3), "more": Hostile(trace)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        ValueError, match=r"pytorch_model\.bin: is no file of PyTorch weights.*Received: UnpicklingError$"
    ):
        stored_tensors(tmp_path)
    assert not trace.exists()


@pytest.mark.parametrize(
    "content",
    [torch.zeros(3), [torch.zeros(3)], {"model": {"weight": torch.zeros(3)}}, {3: torch.zeros(3)}, 7],
    ids=["tensor", "list", "nested", "numbered", "number"],
)
def test_a_file_of_something_else_is_refused(content, tmp_path):
    torch.save(content, tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"pytorch_model\.bin: is no file of PyTorch weights"):
        stored_tensors(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "text", "empty"])
def test_a_damaged_file_is_refused(damage, tmp_path):
    path = tmp_path / "pytorch_model.bin"
    torch.save(state(), path)
    path.write_bytes({"cut": path.read_bytes()[:-40], "text": b"404: Not Found", "empty": b""}[damage])
    with pytest.raises(ValueError, match=r"only a part of one; get it again\. Received: \w+$"):
        stored_tensors(tmp_path)
