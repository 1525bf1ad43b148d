"""`sertk corpora ...` as a user meets it."""

import functools
import json
import re
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from sertk.corpora import OFFICIAL, READERS, load


@pytest.fixture
def corpora(sertk):
    """Runs `sertk corpora ...`: returns status, standard output and standard error."""
    return functools.partial(sertk, "corpora")


@pytest.fixture
def savee(tmp_path):
    """All 480 clips of SAVEE by name, of 0.01 s."""
    for speaker in ("DC", "JE", "JK", "KL"):
        (tmp_path / "savee" / speaker).mkdir(parents=True)
        for emotion, most in {"a": 15, "d": 15, "f": 15, "h": 15, "n": 30, "sa": 15, "su": 15}.items():
            for number in range(1, most + 1):
                path = tmp_path / "savee" / speaker / f"{emotion}{number:02d}.wav"
                soundfile.write(path, np.full(160, 0.1), 16_000)
    return tmp_path / "savee"


@pytest.fixture
def emo_db(tmp_path):
    (tmp_path / "emo").mkdir()
    for name in ("03a01Fa", "16b10Wb", "08a02La"):
        soundfile.write(tmp_path / "emo" / f"{name}.wav", np.full(160, 0.1), 16_000)
    return tmp_path / "emo"


def test_every_reader_is_listed(corpora):
    status, out, _ = corpora("list")
    assert status == 0
    assert set(READERS) <= set(re.split(r"[\s,;]+", out))
    (line,) = [line for line in out.splitlines() if line.startswith("iemocap ")]
    assert "10,039 clips  10 speakers  en" in line
    facts = json.loads(corpora("list", "--json")[1])
    assert facts["tess"]["licence"] == OFFICIAL["tess"].licence
    assert facts["csv"] is None


def test_listing_and_checking_do_without_tensorflow():
    code = (
        "import sys, sertk.corpora as corpora; corpora.check; corpora.join; corpora.READERS;"
        "print('tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False", "False"]


def test_a_complete_corpus_ends_with_status_0(corpora, savee):
    status, out, _ = corpora("check", "savee", savee)
    assert status == 0
    lines = {line.rsplit(maxsplit=2)[0]: line.split()[-2:] for line in out.splitlines()[2:-2]}
    assert lines["clips"] == ["480", "480"]
    assert lines["emotion neutral"] == ["120", "120"]
    assert lines["speaker KL"] == ["120", "120"]
    assert out.splitlines()[-1] == "Complete; sound."


def test_a_damaged_corpus_ends_with_status_3_after_the_whole_report(corpora, savee):
    (savee / "DC" / "a01.wav").unlink()
    (savee / "JK" / "n30.wav").write_bytes((savee / "JK" / "n30.wav").read_bytes()[:100])
    (savee / "odd.wav").write_bytes(b"odd")
    (savee / "DC_a02 (1).wav").write_bytes((savee / "DC" / "a02.wav").read_bytes())
    status, out, _ = corpora("check", "savee", savee)
    assert status == 3
    lines = out.splitlines()
    assert any(line.startswith("clips") and line.endswith("2 missing") for line in lines)
    assert any(line.startswith("speaker DC") and line.endswith("1 missing") for line in lines)
    assert any(f"{savee}/odd.wav: the name is not of the form sa05" in line for line in lines)
    assert any(line.startswith("speaker JK") and line.endswith("1 missing") for line in lines)
    assert any(f"  {savee}/JK/n30.wav: is cut off" in line for line in lines)
    assert "Left out: 1" in lines
    assert lines[-1] == "Not complete; not sound."
    status, out, _ = corpora("check", "savee", savee, "--json")
    assert status == 3
    found = json.loads(out)
    assert (found["complete"], found["sound"], len(found["problems"])) == (False, False, 2)


def test_own_corpus_has_nothing_to_be_compared_with(corpora, tmp_path):
    (tmp_path / "mine" / "happy").mkdir(parents=True)
    soundfile.write(tmp_path / "mine" / "happy" / "a.wav", np.full(160, 0.1), 16_000)
    status, out, _ = corpora("check", "folders", tmp_path / "mine")
    assert status == 0
    assert out.splitlines()[-1] == "No official counts to compare with; sound."


def test_manifest_joins_corpora_and_is_read_back(corpora, savee, emo_db, tmp_path):
    output = tmp_path / "joined.csv"
    status, out, _ = corpora("manifest", "-c", f"savee={savee}", "-c", f"emo-db={emo_db}", "-o", output, "--relative")
    assert status == 0
    assert "emo_db: 3 clips (angry 1, boredom 1, happy 1)" in out.splitlines()
    assert out.splitlines()[-1] == f"{output} holds 483 clips; read it with --corpus csv={output}"
    manifest = load("csv", output)
    assert manifest["corpus"].value_counts().to_dict() == {"savee": 480, "emo_db": 3}
    assert str(tmp_path) not in output.read_text()


def test_manifest_with_a_label_map_says_what_was_dropped(corpora, savee, tmp_path):
    status, out, _ = corpora("manifest", "-c", f"savee={savee}", "-o", tmp_path / "a.csv", "--labels", "three")
    assert status == 0
    assert "savee: 180 clips (angry 60, neutral 120)" in out.splitlines()
    assert "dropped: disgust 60, fear 60, happy 60, sad 60, surprise 60" in out.splitlines()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check", "savee", "{tmp}/nowhere"), "`directory` must name the folder that holds the corpus."),
        (("check", "saveee", "{tmp}"), "`name` must be one of 'children'"),
        (("manifest", "-c", "savee", "-o", "{tmp}/a.csv"), "`--corpus` must be NAME=DIR"),
        (("manifest", "-c", "emo_db={emo}", "-c", "emo_db={emo}", "-o", "{tmp}/a.csv"), "must hold each clip once"),
        (("manifest", "-c", "emo_db={emo}", "-o", "{tmp}/a.csv", "--labels", "nine"), "`label_map` must be one of"),
        (("manifest", "-c", "emo_db={emo}", "-o", "{tmp}/a.csv", "--labels", "seven"), "the emotion boredom (1 clips)"),
    ],
)
def test_slips_end_in_one_line_and_write_nothing(corpora, emo_db, tmp_path, arguments, words):
    status, out, err = corpora(*(argument.format(tmp=tmp_path, emo=emo_db) for argument in arguments))
    assert (status, out) == (1, "")
    (line,) = err.strip().splitlines()
    assert line.startswith("sertk: ")
    assert words in line
    assert not (tmp_path / "a.csv").exists()
