"""The first thing that a newcomer runs, small: every step is there and says where its result lies."""

import json

import pytest

from sertk.quickstart import quickstart

SMALL = {"training.epochs": 1, "split.fractions": [0.5, 0.25, 0.25]}


def test_from_synthetic_corpus_to_an_answer_of_the_saved_model(tmp_path, capsys):
    metrics = quickstart(tmp_path / "first", changes=SMALL, speakers=4, clips=1)
    out = capsys.readouterr().out
    steps = [line[:2] for line in out.splitlines() if line[:1].isdigit() and line[1:3] == ". "]
    assert steps == ["1.", "2.", "3.", "4.", "5."]
    assert "made by a program, no speech of people" in out
    assert "it says that the path works, no more" in out
    assert "sertk quickstart --corpus ravdess=DIR" in out
    for place in (
        "corpus/manifest.csv",
        "run/report/report.md",
        "run/report/confusion.png",
        "saved_model/1/saved_model.pb",
    ):
        assert (tmp_path / "first" / place).is_file()
    assert metrics["clips"] == 7
    model = json.loads((tmp_path / "first" / "run" / "recipe.json").read_text())["recipe"]["model"]
    assert model["builder"] == "cnn_transformer"

    trained = (tmp_path / "first" / "run" / "model.keras").stat().st_mtime_ns
    assert quickstart(tmp_path / "first", changes=SMALL, speakers=4, clips=1) == metrics
    assert (tmp_path / "first" / "run" / "model.keras").stat().st_mtime_ns == trained


@pytest.mark.slow
def test_same_path_on_real_speech(ravdess_dir, tmp_path, capsys):
    from sertk.corpora import load

    manifest = load("ravdess", ravdess_dir)
    metrics = quickstart(tmp_path, manifest, changes={"training.epochs": 4})
    assert "synthetic" not in capsys.readouterr().out
    assert metrics["uar"] > 1 / 7  # seven classes on four actors it never heard; measured after four epochs: 0.23
