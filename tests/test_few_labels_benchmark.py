"""What `benchmarks/few_labels.py` asks sertk for, and what it makes of the answers; nothing is trained here."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from sertk.evaluation import metrics, predictions_table, write_report
from sertk.recipes import get, override

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def few_labels(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("few_labels")


@pytest.fixture
def asked(few_labels, monkeypatch, tmp_path):
    """A function that gives the commands of an arm, by the folder of their run, and leaves what they would."""

    def ask(arm):
        commands = {}

        def sertk(command, name, *words, changes=()):
            if command == "train":
                folder = Path(words[words.index("-o") + 1])
                commands[folder.name] = override(get(name), dict(changes))
            else:
                (Path(name) / "report").mkdir(parents=True)
                (Path(name) / "report" / "metrics.json").touch()

        monkeypatch.setattr(few_labels, "sertk", sertk)
        options = SimpleNamespace(output=tmp_path, ravdess="ravdess", emovo="emovo")
        few_labels.train_arm(options, tmp_path / "parts-0.csv", arm, 0)
        return commands

    return ask


def measured(run, uar):
    """Writes the report of a run whose UAR is some tenths: of each of two emotions as many of ten clips are right."""
    right = round(10 * uar)
    said = pd.DataFrame({"path": [f"{i}.wav" for i in range(20)], "emotion": ["happy"] * 10 + ["sad"] * 10})
    happy = [1.0 if (i % 10 < right) == (i < 10) else 0.0 for i in range(20)]
    table = predictions_table(said, [[p, 1 - p] for p in happy], ["happy", "sad"])
    write_report(run / "report", table, metrics(table), title="a run", protocol={"corpus": "none"})


@pytest.mark.parametrize(("arm", "cut"), [("tri", 0.5), ("masks", 0.0)])
def test_an_arm_is_a_pretraining_and_four_starts_from_four_shares(asked, arm, cut):
    recipes = asked(arm)
    assert len(recipes) == 1 + 4 * 4
    assert {recipe.augmentation.tri_cut for recipe in recipes.values()} == {cut}
    assert recipes.pop(f"{arm}-0-simclr").contrastive.loss == "nt_xent"
    shares = {name.rpartition("-")[2]: recipe.split.labelled for name, recipe in recipes.items()}
    assert shares == {"0.01": 0.01, "0.05": 0.05, "0.1": 0.1, "1": 1.0}
    assert {recipe.split.fractions for recipe in recipes.values()} == {(16, 4, 4)}
    assert {recipe.split.seed for recipe in recipes.values()} == {0}


def test_the_starts_differ_in_where_their_weights_come_from(asked, tmp_path):
    recipes = asked("tri")
    simclr = str(tmp_path / "tri-0-simclr")
    starts = {name: recipes[f"tri-0-{name}-0.05"] for name in ("random", "encoder", "middle", "student")}
    assert {name: recipe.start.source for name, recipe in starts.items()} == {
        "random": None,
        "encoder": simclr,
        "middle": simclr,
        "student": simclr,
    }
    assert [starts[name].start.layer for name in ("encoder", "middle")] == [0, 1]
    assert starts["student"].teacher.source == str(tmp_path / "tri-0-middle-0.05")


def test_what_was_measured_is_not_done_again(asked):
    first = asked("tri")
    assert set(first) - set(asked("tri")) == set(first) - {"tri-0-simclr"}  # whose weights nobody wrote here


def test_the_table_has_mean_and_standard_deviation_over_seeds(few_labels, tmp_path):
    """Of 20, 30 and 40 % the mean is 30 and the standard deviation 10."""
    for seed, uar in enumerate((0.2, 0.3, 0.4)):
        measured(tmp_path / f"masks-{seed}-encoder-0.05", uar)
    measured(tmp_path / "tri-1-student-1", 0.5)
    rows = few_labels.collect(tmp_path)
    assert len(rows) == 4
    table = few_labels.summary(rows)
    assert table.loc[("masks alone", "encoder"), 0.05] == "30.0% ± 10.0 (3)"
    assert table.loc[("tri-cut, tri-mix too", "student"), 1.0] == "50.0% (1)"
    assert pd.isna(table.loc[("masks alone", "encoder"), 1.0])
    few_labels.draw(rows, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
