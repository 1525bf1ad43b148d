"""Checkpoints of PyTorch: each way of keeping tensors in a folder, and every way in which such a folder can be bad."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ml_dtypes import bfloat16

from sertk.models.ssl.checkpoint import preferred_layout, stored_tensors

safetensors = pytest.importorskip("safetensors.numpy")


def tensors(seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"conv.weight": (4, 3, 5), "conv.bias": (4,), "norm.weight": (4,), "scale": ()}
    return {name: np.asarray(rng.standard_normal(shape), "float32") for name, shape in shapes.items()}


def save(folder, tensors, name="model.safetensors"):
    safetensors.save_file(tensors, folder / name)
    return folder


def save_shards(folder, places):
    """Writes the tensors into the files that `places` gives them, and the index of these as transformers does."""
    for file in set(places.values()):
        save(folder, {name: tensors()[name] for name, place in places.items() if place == file}, file)
    return save_index(folder, {"metadata": {"total_size": 300}, "weight_map": places})


def save_index(folder, content, name="model.safetensors.index.json"):
    (folder / name).write_text(json.dumps(content))
    return folder


def check(stored, expected):
    assert stored.keys() == expected.keys()
    for name, tensor in stored.items():
        value = tensor.read()
        assert value.dtype == np.float32
        assert tensor.shape == value.shape == expected[name].shape
        np.testing.assert_array_equal(value, expected[name])


PLACES = {
    "conv.weight": "model-00001-of-00002.safetensors",
    "conv.bias": "model-00002-of-00002.safetensors",
    "norm.weight": "model-00001-of-00002.safetensors",
    "scale": "model-00002-of-00002.safetensors",
}


def test_one_file_of_safetensors_is_read(tmp_path):
    check(stored_tensors(save(tmp_path, tensors())), tensors())


def test_shards_are_read_as_one(tmp_path):
    check(stored_tensors(save_shards(tmp_path, PLACES)), tensors())


@pytest.mark.parametrize("dtype", [np.float16, bfloat16, np.float64])
def test_other_floats_become_single_precision(dtype, tmp_path):
    cast = {name: tensor.astype(dtype) for name, tensor in tensors().items()}
    stored = stored_tensors(save(tmp_path, cast))
    assert {tensor.dtype for tensor in stored.values()} == {np.dtype(dtype).name}
    assert all(tensor.is_float for tensor in stored.values())
    check(stored, {name: tensor.astype("float32") for name, tensor in cast.items()})


def test_whole_numbers_are_told_from_floats(tmp_path):
    stored = stored_tensors(save(tmp_path, {"counter": np.array(3), "bytes": np.zeros(2, "int8")}))
    assert {name: (tensor.dtype, tensor.is_float) for name, tensor in stored.items()} == {
        "counter": ("I64", False),
        "bytes": ("I8", False),
    }


ORDER = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
]


@given(st.sets(st.sampled_from(ORDER)), st.sets(st.text(max_size=5)))
def test_safetensors_go_before_pickles_and_whole_files_before_shards(layouts, others):
    expected = next((name for name in ORDER if name in layouts), None)
    assert preferred_layout(layouts | others) == expected


def test_a_pickle_beside_safetensors_is_not_opened(tmp_path):
    save(tmp_path, tensors())
    (tmp_path / "pytorch_model.bin").write_bytes(b"anything")
    check(stored_tensors(tmp_path), tensors())


def test_a_folder_without_a_checkpoint_is_refused_with_what_it_holds(tmp_path):
    message = "holds no checkpoint; it must hold one of model.safetensors, .*, pytorch_model.bin.index.json. Received: "
    with pytest.raises(ValueError, match=message + "a folder with nothing in it$"):
        stored_tensors(tmp_path)
    for name in ["config.json", "flax_model.msgpack", *(f"{number}.txt" for number in range(8))]:
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=message + r"a folder with 0\.txt, .*, 7\.txt and 2 more$"):
        stored_tensors(tmp_path)


@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_that_was_cut_anywhere_is_refused(share, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cut")
    path = save(folder, tensors()) / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"model\.safetensors: is no safetensors file, or only a part of one; get it"):
        stored_tensors(folder)


def test_a_page_of_html_is_no_checkpoint(tmp_path):
    (tmp_path / "model.safetensors").write_text("<html>404: Not Found" * 50)
    with pytest.raises(ValueError, match=r"model\.safetensors: is no safetensors file.*\. Received: ."):
        stored_tensors(tmp_path)


def test_a_file_that_vanishes_before_it_is_read_is_told(tmp_path):
    stored = stored_tensors(save(tmp_path, tensors()))
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"model\.safetensors: is no safetensors file.*No such file"):
        stored["conv.bias"].read()


@pytest.mark.parametrize(
    "file",
    [
        "../model.safetensors",
        "/etc/model.safetensors",
        "deeper/model.safetensors",
        "..\\model.safetensors",
        "C:model.safetensors",
        "pytorch_model.bin",
        "..",
        "",
        3,
        None,
    ],
)
def test_an_index_can_not_lead_out_of_its_folder_nor_to_another_kind_of_file(file, tmp_path):
    folder = tmp_path / "folder"
    (folder / "deeper").mkdir(parents=True)
    for place in (tmp_path, folder, folder / "deeper"):
        save(place, tensors(), "model-of-another-name.safetensors")
    save_index(folder, {"weight_map": PLACES | {"conv.bias": file}})
    with pytest.raises(ValueError, match=r"index\.json: must name \.safetensors files beside itself; .* Received: "):
        stored_tensors(folder)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "3", '{"weight_map": []}', '{"weight_map": null}', "{}", "[" * 100_000], ids=range(8)
)
def test_an_index_that_is_none_is_refused(content, tmp_path):
    (tmp_path / "model.safetensors.index.json").write_text(content)
    with pytest.raises(ValueError, match=r"index\.json: is no index of shards; get it again\. Received: ."):
        stored_tensors(tmp_path)


def test_a_missing_shard_is_named(tmp_path):
    save_shards(tmp_path, PLACES)
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"model-00002-of-00002\.safetensors: there is no such file, but model"):
        stored_tensors(tmp_path)


def test_shards_of_another_checkpoint_are_refused(tmp_path):
    save_shards(tmp_path, PLACES)
    save(tmp_path, {"scale": tensors()["scale"]}, "model-00002-of-00002.safetensors")
    message = r"index\.json: is not of these shards; .* Received: model-00002-of-00002\.safetensors without conv\.bias"
    with pytest.raises(ValueError, match=message):
        stored_tensors(tmp_path)


def test_without_safetensors_the_error_says_what_to_install(tmp_path, monkeypatch):
    save(tmp_path, tensors())
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match=r"safetensors is needed to read it; pip install 'sertk\[hub\]'"):
        stored_tensors(tmp_path)


@pytest.mark.parametrize(
    ("torch", "message"),
    [
        (None, r"pytorch_model\.bin: PyTorch is needed to read it; pip install 'torch>=2\.6', or take .* safetensors$"),
        # CVE-2025-32434: up to 2.5.1 a file could run code in spite of weights_only.
        (
            SimpleNamespace(__version__="2.5.1+cpu"),
            r"a newer PyTorch is needed to read it safely; .* Received: 2\.5\.1",
        ),
        (SimpleNamespace(__version__="1.13.1"), r"a newer PyTorch .* Received: 1\.13\.1"),
    ],
    ids=["missing", "2.5.1", "1.13.1"],
)
def test_without_a_safe_pytorch_its_files_are_refused(torch, message, tmp_path, monkeypatch):
    (tmp_path / "pytorch_model.bin").touch()
    monkeypatch.setitem(sys.modules, "torch", torch)
    with pytest.raises(ImportError, match=message):
        stored_tensors(tmp_path)
