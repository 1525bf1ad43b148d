"""Learning from few labels on the command line: what each step says, and what comes after it."""

import json
from pathlib import Path

import pytest

from sertk.corpora import write_synthetic

pytestmark = pytest.mark.usefixtures("eagerly")

SMALL = [
    *("--set", "model.builder=cnn", "--set", "model.batch_norm=channels", "--set", "audio.seconds=1.1"),
    *("--set", "training.epochs=1", "--set", "labels=null", "--set", "split.fractions=[0.5,0.25,0.25]"),
]


@pytest.fixture
def corpus(tiny_corpus):
    return Path(tiny_corpus["path"][0]).parents[1]


def test_a_contrastive_run_tells_what_begins_with_it(sertk, corpus, cache, tmp_path):
    shared = ["-c", f"synthetic={corpus}", "--split", "speaker", "--cache", cache, *SMALL]
    status, out, _ = sertk("train", "000-cnn6-simclr", *shared, "-o", tmp_path / "simclr")
    assert status == 0
    assert "Last epoch 1 of 1: validation loss" in out
    assert "contrastive accuracy" in out
    assert f"sertk train 000-cnn6-teacher --set start.source={tmp_path / 'simclr'}" in out
    assert "sertk evaluate" not in out
    status, _, err = sertk("evaluate", tmp_path / "simclr")
    assert status != 0
    assert err.count("\n") == 1
    assert "has learnt to tell clips apart" in err


@pytest.mark.slow
def test_algorithm_1_is_one_command(sertk, corpus, cache, tmp_path, tmp_path_factory):
    given = ["--target", f"synthetic={corpus}", "--encoder", "cnn6", "--labels", "0.25", "--split", "speaker"]
    given += ["--cache", cache, *SMALL]
    # The same corpus may not be source and target: its voices would be known.
    refused = sertk("simclrv2", "--source", f"synthetic={corpus}", *given, "-o", tmp_path / "refused")
    assert refused[0] != 0
    assert "`sources` must have no clip of the target" in refused[2]
    assert not (tmp_path / "refused").exists()
    other = write_synthetic(tmp_path_factory.mktemp("other"), speakers=2, clips=1, seconds=(1.1, 1.2), seed=7)
    status, out, _ = sertk("simclrv2", "--source", f"synthetic={other}", *given, "-o", tmp_path / "runs")
    assert status == 0
    told = json.loads((tmp_path / "runs" / "summary.json").read_text())
    (line,) = [line for line in out.splitlines() if line.startswith("student")]
    assert line.split() == ["student", *(f"{100 * told[name]['student']['mean']:.1f}" for name in ("uar", "accuracy"))]
