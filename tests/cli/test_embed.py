"""`sertk embed`: the arrays it writes, what it leaves out, and what it refuses."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sertk.audio import read
from sertk.embeddings import load_embeddings
from sertk.models import with_hidden_states
from sertk.models.ssl.pretrained import from_pretrained

CHECKPOINT = Path(__file__).parents[1] / "models" / "ssl" / "golden" / "checkpoints" / "hubert-ctc-without-masks"


@pytest.fixture
def corpus(tiny_corpus, tmp_path):
    """Five clips and one file that is none, in a folder an emotion."""
    for path, emotion in zip(tiny_corpus["path"][:5], tiny_corpus["emotion"][:5], strict=True):
        folder = tmp_path / "corpus" / emotion
        folder.mkdir(parents=True, exist_ok=True)
        (folder / Path(path).name).symlink_to(path)
    return tmp_path / "corpus"


def test_embeddings_are_written_with_their_manifest(sertk, corpus, cache, tmp_path):
    arguments = ("embed", CHECKPOINT, "-c", f"folders={corpus}", "--cache", cache, "--layer", "1")
    status, out, _ = sertk(*arguments, "-o", tmp_path / "out")
    assert status == 0
    assert f"5 embeddings of 16 channels are in {tmp_path / 'out' / 'embeddings.npy'}" in out
    manifest, array = load_embeddings(tmp_path / "out")
    network = with_hidden_states(from_pretrained(CHECKPOINT))
    for path, vector in zip(manifest["path"], array, strict=True):
        expected = np.asarray(network(read(path, 16_000)[None])[1])[0].mean(axis=0)
        np.testing.assert_allclose(vector, expected, atol=2e-5)
    assert json.loads((tmp_path / "out" / "embeddings.json").read_text())["layer"] == 1


def test_a_vector_a_frame_and_a_bad_file_left_out(sertk, corpus, cache, tmp_path):
    (next(corpus.iterdir()) / "broken.wav").write_text("not audio")
    arguments = ("embed", CHECKPOINT, "-c", f"folders={corpus}", "--cache", cache, "-o", tmp_path / "out")
    status, _, _ = sertk(*arguments, "--pooling", "none", "--skip-bad", "--seconds", "0.5")
    assert status == 0
    assert len(list((tmp_path / "out" / "states").iterdir())) == 5
    assert np.load(tmp_path / "out" / "states" / "00003.npy").shape == ((8_000 - 80) // 320, 16)
    assert pd.read_csv(tmp_path / "out" / "skipped.csv")["path"].str.endswith("broken.wav").all()


def test_what_can_not_be_embedded_is_told_in_one_line(sertk, one_line, corpus, cache, tmp_path):
    arguments = ("-c", f"folders={corpus}", "--cache", cache, "-o", tmp_path / "out")
    one_line(sertk("embed", tmp_path / "nowhere", *arguments), "there is no such folder")
    one_line(sertk("embed", CHECKPOINT, *arguments, "--layer", "7"), "`layer` must be an integer")
    one_line(sertk("embed", CHECKPOINT, *arguments, "--seconds", "0"), "`seconds` must be above 0")
    assert not (tmp_path / "out").exists()


def test_embeddings_do_not_go_into_a_runs_folder(sertk, one_line, corpus, cache, write_run, tmp_path):
    """As a source it would be taken for a folder of embeddings from then on."""
    run = write_run(tmp_path / "run", 0)
    result = sertk("embed", CHECKPOINT, "-c", f"folders={corpus}", "--cache", cache, "-o", run)
    one_line(result, f"{run}: is a run's folder; choose another one for the embeddings")
    assert not (run / "embeddings.json").exists()


def test_a_package_that_is_missing_is_told_in_one_line(sertk, one_line, corpus, cache, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    result = sertk("embed", CHECKPOINT, "-c", f"folders={corpus}", "--cache", cache, "-o", tmp_path / "out")
    one_line(result, f"sertk: {CHECKPOINT / 'model.safetensors'}: safetensors is needed to read it; pip install")
    assert "SERTK_DEBUG" not in result[2]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 16), "float32"), "must have a row for each of the 5 clips"),
        (np.full((5, 16), np.nan, "float32"), "must be finite. Received: infinity or NaN in"),
    ],
)
def test_arrays_that_are_not_the_manifests(array, message, sertk, corpus, cache, tmp_path):
    sertk("embed", CHECKPOINT, "-c", f"folders={corpus}", "--cache", cache, "-o", tmp_path / "out")
    np.save(tmp_path / "out" / "embeddings.npy", array)
    with pytest.raises(ValueError, match=message):
        load_embeddings(tmp_path / "out")
    (tmp_path / "out" / "embeddings.npy").write_bytes(b"something")
    with pytest.raises(ValueError, match="is no whole array"):
        load_embeddings(tmp_path / "out")
