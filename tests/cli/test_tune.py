"""Searching for settings on the command line: what it prints, and what `sertk train` makes of it."""

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture
def corpus(tiny_corpus):
    return f"synthetic={Path(tiny_corpus['path'][0]).parents[1]}"


@pytest.fixture
def arguments(corpus, small, cache):
    own = {name: value for name, value in small.items() if name not in ("training.learning_rate", "split.kind")}
    settings = [word for name, value in own.items() for word in ("--set", f"{name}={json.dumps(value)}")]
    return ["-c", corpus, "--cache", cache, "--split", "speaker", *settings]


@pytest.mark.slow
def test_the_table_of_section_4_3_2_is_one_command_and_its_best_rate_trains(sertk, arguments, corpus, cache, tmp_path):
    """Four rates with accuracy and loss on both parts; one epoch here."""
    folder = tmp_path / "search"
    tune = ["tune", "parallel-cnn", "--recipe", "004-cnn-mfcc", "--method", "grid", "--max-epochs", "1"]
    status, out, err = sertk(*tune, *arguments, "-o", folder)
    assert (status, err) == (0, "")
    header = ["trial", "training.learning_rate", "accuracy", "val_accuracy", "loss", "val_loss", "epoch"]
    lines = [line.split() for line in out.splitlines()]
    rows = lines[lines.index(header) + 1 :][:4]
    assert sorted(row[1] for row in rows) == ["0.0001", "0.001", "0.01", "1e-05"]
    accuracies = [float(row[3].rstrip("%")) for row in rows]
    assert accuracies == sorted(accuracies, reverse=True)
    assert "at most 4 trials" in out
    assert "4 completed" in out

    records = json.loads(sertk(*tune, *arguments, "-o", folder, "--json")[1])
    assert [row["training.learning_rate"] for row in records] == [1e-5, 1e-4, 1e-3, 1e-2]
    best = json.loads((folder / "best.json").read_text())
    assert f"sertk train 004-cnn-mfcc --config {folder / 'best.json'}" in out
    train = ["train", "004-cnn-mfcc", "-c", corpus, "--cache", cache, "--config", folder / "best.json"]
    assert sertk(*train, "-o", tmp_path / "run", "--set", "training.epochs=1")[0] == 0
    recipe = json.loads((tmp_path / "run" / "recipe.json").read_text())["recipe"]
    assert recipe["training"]["learning_rate"] == best["training.learning_rate"] == float(rows[0][1])
    assert recipe["training"]["epochs"] == 1  # --set comes after the file
    assert recipe["split"]["kind"] == "speaker"


def test_a_split_on_the_command_line_takes_the_place_of_that_in_the_file(tmp_path):
    from sertk.cli.options import config_of

    file = tmp_path / "best.json"
    file.write_text(json.dumps({"split.kind": "fold-file", "split.file": "/a.csv", "split.seed": 3, "epochs": 2}))
    assert config_of(file, "speaker") == {"split.seed": 3, "epochs": 2}
    assert config_of(file)["split.file"] == "/a.csv"
    assert config_of(None) == {}


def test_slips_end_in_one_line(sertk, one_line, arguments, tmp_path):
    where = ["-o", tmp_path / "search"]
    one_line(sertk("tune", "paralel", *arguments, *where), "There is no search space 'paralel'", "parallel-cnn")
    one_line(sertk("tune", "nsl", "--recipe", "004-cnn-mfcc", *arguments, *where), "`recipe` must be one that")
    small = ["tune", "parallel-cnn", "--recipe", "004-cnn-mfcc", *arguments, *where]
    one_line(sertk(*small, "--max-epochs", "0"), "`max_epochs` must be a whole number, at least 1")
    one_line(sertk(*small, "--method", "best"), "`method` must be one of hyperband")
    one_line(sertk(*small, "--set", "split.fractions=[0.7,0.3]"), "`split` must have a validation part")
    (tmp_path / "search").mkdir()
    (tmp_path / "search" / "notes.txt").touch()
    one_line(sertk(*small), "neither empty nor a search's folder")
    train = ["train", "004-cnn-mfcc", *arguments, "-o", tmp_path / "run"]
    one_line(sertk(*train, "--config", tmp_path / "no.json"), "there is no such file", "--config")
    one_line(sertk(*small, "--set", "training.batch_size=0"), "`training.batch_size` must be at least 1")
    (tmp_path / "search" / "best.json").touch()
    for name in ("search", "search/search.json"):
        one_line(sertk(*train, "--config", tmp_path / name), "is a search", f"--config {tmp_path}/search/best.json")
    for text, said in (("{", "is no JSON"), ("[1]", "must hold an object of settings"), ('{"epoch": 1}', "did you")):
        (tmp_path / "bad.json").write_text(text)
        one_line(sertk(*train, "--config", tmp_path / "bad.json"), said)


def test_some_of_the_variables_of_a_shared_search_are_not_enough(sertk, one_line, arguments, tmp_path, monkeypatch):
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    asked = sertk("tune", "parallel-cnn", *arguments, "-o", tmp_path / "search")
    one_line(asked, "KERASTUNER_ORACLE_PORT and KERASTUNER_TUNER_ID too", "Received: KERASTUNER_ORACLE_IP")
