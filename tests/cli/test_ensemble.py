"""`sertk ensemble`: what it prints, and what goes wrong in one line."""

import json

import pandas as pd
import pytest

from sertk.evaluation import predictions_table, save_predictions


@pytest.fixture
def members(tmp_path):
    """Three files about 300 clips of two speakers; each is wrong on 20 clips of its own, the vote on none."""
    emotions = ["sad", "happy"] * 150
    clips = {
        "path": [f"/{i}.wav" for i in range(300)],
        "emotion": emotions,
        "speaker": [str(i % 30) for i in range(300)],
        "corpus": "own",
    }
    files = []
    for number, name in enumerate("abc"):
        wrong = range(20 * number, 20 * number + 20)
        sad = [0.8 if (word == "sad") != (i in wrong) else 0.2 for i, word in enumerate(emotions)]
        table = predictions_table(pd.DataFrame(clips), [[1 - p, p] for p in sad], ["happy", "sad"])
        files.append(save_predictions(table, tmp_path / f"{name}.csv"))
    return files


def test_the_ensemble_is_printed_beside_its_members(sertk, members, tmp_path):
    """280 of 300 clips are 93.3 %; right on twenty clips more and wrong on none: 2 / 2^20 = 1.9e-6."""
    status, out, err = sertk("ensemble", *members, "-o", tmp_path / "out")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[1].split()[:2] == ["ensemble", "100.0%"]
    assert [line.split()[0] for line in lines[1:5]] == ["ensemble", "a", "b", "c"]
    assert "93.3% (" in lines[2]
    assert lines[2].endswith("best")
    assert (
        "the ensemble alone is right on 20, the best member, a, alone on 0. McNemar's test, exact: p = 1.9e-06" in out
    )
    assert lines[-1] == f"The report is {tmp_path / 'out' / 'report' / 'report.md'}."
    assert (tmp_path / "out" / "report" / "report.md").is_file()


def test_json_holds_everything(sertk, members, tmp_path):
    status, out, _ = sertk("ensemble", *members, "-o", tmp_path / "out", "--vote", "soft", "--json")
    said = json.loads(out)
    assert status == 0
    assert said["metrics"]["accuracy"] == 1
    assert said["mcnemar"]["p"] == pytest.approx(2 / 2**20)
    assert len(said["members"]) == 4


def test_combinations_of_files_want_their_validation_predictions(sertk, one_line, members, tmp_path):
    arguments = ("ensemble", *members, "-o", tmp_path / "out", "--choose", "2")
    one_line(sertk(*arguments), "`choose` needs predictions of a validation part", "Received: a, b, c without")
    validation = []
    for file in members:
        table = pd.read_csv(file).assign(path=[f"/v{i}.wav" for i in range(300)])
        validation += ["--validation", save_predictions(table, tmp_path / "v" / file.name)]
    status, out, _ = sertk(*arguments, *validation)
    assert status == 0
    assert "best of 3 combinations of 2 members" in out
    assert [line.split()[0] for line in out.splitlines()[1:5] if line.endswith("no vote")] == ["c"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("002-vote-3", "--runs", "."), ("002-vote-3 votes with 3 finished runs", "sertk train 002-xlsr-53 --corpus")),
        (("002-vote-3",), ("`runs` is the folder in which",)),
        (("gone.csv", "gone"), ("gone.csv: there is no such file or folder",)),
    ],
)
def test_what_goes_wrong_is_told_in_one_line(sertk, one_line, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    one_line(sertk("ensemble", *arguments, "-o", tmp_path / "out"), *words)
