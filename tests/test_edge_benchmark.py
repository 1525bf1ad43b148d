"""The table of LiteRT's formats: what each loses is told against Keras, and a run of the script finds what it lacks."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def edge(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("edge")


def test_each_format_is_told_against_keras(edge, tmp_path):
    def write(name, **found):
        (tmp_path / f"cnn6-{name}.json").write_text(json.dumps(found))

    write("keras", bytes=4_000_000, uar=0.50, probabilities=[[0.9, 0.1], [0.4, 0.6]])
    write("float32", bytes=4_100_000, uar=0.50, p50_ms=3.5, probabilities=[[0.9, 0.1], [0.4, 0.6]])
    write("int8", bytes=1_200_000, uar=0.4925, p50_ms=1.5, probabilities=[[0.85, 0.15], [0.5, 0.5]])
    rows = edge.collect(tmp_path).set_index("format")
    assert list(rows.index) == ["keras", "float32", "int8"]
    assert set(rows["network"]) == {"CNN-6"}
    assert list(rows["MB"]) == [4, 4.1, 1.2]
    assert list(rows["lost (points)"]) == pytest.approx([0, 0, 0.75])
    assert list(rows["from Keras"]) == pytest.approx([0, 0, 0.1])
    assert np.isnan(rows["p50 (ms)"]["keras"])
    assert rows["p50 (ms)"]["int8"] == 1.5


def test_without_figures_it_says_so(edge, tmp_path, capsys):
    edge.main(["--ravdess", "nowhere", "-o", str(tmp_path / "runs"), "--collect"])
    assert "nothing has been measured yet" in capsys.readouterr().out


@pytest.mark.slow
def test_a_network_is_trained_once_and_measured_in_each_format(edge, tmp_path, capsys):
    """On noise in files that are named as RAVDESS's: 24 actors, an utterance of each emotion."""
    pytest.importorskip("ai_edge_litert")
    random = np.random.default_rng(0)
    for actor in range(1, 25):
        (folder := tmp_path / "ravdess" / f"Actor_{actor:02}").mkdir(parents=True)
        for emotion in range(1, 9):
            path = folder / f"03-01-{emotion:02}-01-01-01-{actor:02}.wav"
            soundfile.write(path, random.normal(0, 0.01 * emotion, 8_000), 16_000)
    arguments = ["--ravdess", str(tmp_path / "ravdess"), "-o", str(tmp_path / "runs")]
    arguments += ["--networks", "resnet9", "--epochs", "1", "--rounds", "2"]
    edge.main(arguments)
    rows = edge.collect(tmp_path / "runs").set_index("format")
    assert list(rows.index) == ["keras", "float32", "float16", "int8"]
    assert rows["from Keras"]["float32"] < 1e-4
    assert rows["MB"]["int8"] < 0.3 * rows["MB"]["float32"]
    assert (rows["p50 (ms)"][1:] > 0).all()
    assert "| ResNet-9 | int8    |" in capsys.readouterr().out
    model = tmp_path / "runs" / "resnet9" / "model.keras"
    trained = model.stat().st_mtime_ns
    (tmp_path / "runs" / "resnet9-int8.json").unlink()
    edge.main(arguments)
    assert model.stat().st_mtime_ns == trained
    assert list(edge.collect(tmp_path / "runs")["format"]) == ["keras", "float32", "float16", "int8"]
