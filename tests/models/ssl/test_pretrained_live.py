"""Folders that the PyTorch and transformers of this machine write, where they are; pickles among them."""

import runpy
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest

from sertk.models.ssl.pretrained import from_pretrained

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")

PATH = Path(__file__).parent / "golden" / "make_checkpoints.py"
SCRIPT = runpy.run_path(str(PATH))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of what transformers writes now. In a process of its own: beside TensorFlow it may come down."""
    if not find_spec("transformers"):
        pytest.skip("pip install transformers to compare live")
    folder = tmp_path_factory.mktemp("live") / "checkpoints"
    done = subprocess.run([sys.executable, PATH, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def answers(folder):
    states = from_pretrained(folder, hidden_states=True)(SCRIPT["waveforms"]())
    return np.stack([keras.ops.convert_to_numpy(state) for state in states])


@pytest.mark.parametrize("name", list(SCRIPT["CHECKPOINTS"]))
def test_what_transformers_writes_now_answers_as_it_does(name, written):
    expected = np.load(written / SCRIPT["OUTPUTS"])[name]
    np.testing.assert_allclose(answers(written / name), expected, atol=1e-4)


@pytest.mark.parametrize("name", ["wav2vec2-ctc", "hubert", "unispeech-pretraining-of-pytorch-1"])
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before PyTorch 1.6"])
def test_pickles_alone_answer_as_safetensors(name, zipped, tmp_path):
    folder = shutil.copytree(SCRIPT["FOLDERS"] / name, tmp_path / name)
    tensors = safetensors.load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    expected = np.load(SCRIPT["FOLDERS"] / SCRIPT["OUTPUTS"])[name]
    np.testing.assert_allclose(answers(folder), expected, atol=1e-4)
