"""`sertk corpora audit`: what it prints, and the status that a script asks for."""

import functools
import json

import numpy as np
import pandas as pd
import pytest
import soundfile

from sertk.corpora import split


@pytest.fixture
def audit(sertk):
    """Runs `sertk corpora audit ...`: returns status, standard output and standard error."""
    return functools.partial(sertk, "corpora", "audit")


@pytest.fixture
def table(tiny_corpus):
    return split(tiny_corpus, fractions=(0.5, 0.25, 0.25))


def test_a_sound_split_has_status_0(audit, table, tmp_path):
    table.to_csv(tmp_path / "split.csv", index=False)
    status, out, err = audit(tmp_path / "split.csv")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert "train 42 clips" in lines[0]
    assert "ok       speakers    none of 6 is in several parts" in lines
    assert lines[-1].startswith("Nothing leaks")


def test_a_leak_has_status_3(audit, table, tmp_path):
    table.loc[table.index[0], "part"] = "train" if table["part"].iloc[0] != "train" else "test"
    table.to_csv(tmp_path / "split.csv", index=False)
    status, out, err = audit(tmp_path / "split.csv")
    assert (status, err) == (3, "")
    assert "LEAK     speakers    1 of 6 is in several parts: " in out
    assert out.splitlines()[-1] == "This split leaks speakers."


def test_json_holds_everything(audit, table, tmp_path):
    pd.concat([table, table.head(1).assign(part="test")]).to_csv(tmp_path / "split.csv", index=False)
    status, out, _ = audit(tmp_path / "split.csv", "--json")
    told = json.loads(out)
    assert (status, told["leaks"]) == (3, True)
    assert {"findings", "parts", "emotions", "speakers", "files", "duplicates", "sentences", "missing"} < set(told)


def test_what_can_not_be_judged_is_no_leak(audit, table, tmp_path):
    table[["path", "part"]].to_csv(tmp_path / "split.csv", index=False)
    status, out, _ = audit(tmp_path / "split.csv")
    assert status == 0
    assert "unknown  speakers" in out
    assert out.splitlines()[-1] == "Nothing leaks, as far as can be judged."


def test_a_reader_of_another_corpus_is_told_in_one_line(audit, table, tmp_path):
    table[["path", "part"]].to_csv(tmp_path / "split.csv", index=False)
    status, out, err = audit(tmp_path / "split.csv", "--corpus-reader", "ravdess")
    assert (status, out) == (1, "")
    assert err.startswith("sertk: `reader`: 'ravdess' finds nothing in the folder of the split's files")
    assert "`directory` must hold clips of the corpus 'ravdess'" in err
    assert err.count("\n") == 1


def test_the_reader_looks_through_the_root(audit, tmp_path):
    """To whom a folder is an emotion; by themselves the files would be in no such folder."""
    for seed, name in enumerate("ab"):
        path = tmp_path / "corpus" / "joy" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.random.default_rng(seed).normal(0, 0.1, 800), 16_000)
    (tmp_path / "split.csv").write_text("path,part\njoy/a.wav,train\njoy/b.wav,test\n")
    arguments = tmp_path / "split.csv", "--root", tmp_path / "corpus", "--corpus-reader", "folders"
    status, out, err = audit(*arguments, "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["emotions"] == [{"part": "train", "happy": 1}, {"part": "test", "happy": 1}]


def test_errors_are_one_line(audit, tmp_path):
    for text, word in ((None, "exists"), ("a,b\n1,2\n", "`path`"), ("path,part\na.wav,train\n", "two parts")):
        if text:
            (tmp_path / "split.csv").write_text(text)
        status, out, err = audit(tmp_path / "split.csv")
        assert (status, out) == (1, "")
        assert err.startswith("sertk: ")
        assert err.count("\n") == 1
        assert word in err
