"""`sertk predict` on long recordings, and why: windows, timelines, explanations."""

import json

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image


@pytest.fixture
def talk(tmp_path):
    """4 s of noise, loud in its second second."""
    sound = np.random.default_rng(0).uniform(-0.02, 0.02, 64_000)
    sound[16_000:32_000] *= 20
    soundfile.write(tmp_path / "talk.wav", sound, 16_000)
    return tmp_path / "talk.wav"


def test_a_timeline_is_written_in_every_format_asked_for(sertk, finished_run, talk, tmp_path):
    names = [tmp_path / "out" / f"timeline.{ending}" for ending in ("csv", "json", "png")]
    arguments = [word for name in names for word in ("--timeline", name)]
    status, out, err = sertk("predict", finished_run.directory, talk, "--hop", 0.25, "--json", *arguments)
    assert status == 0
    assert err.splitlines() == [f"sertk: 13 windows are in {name}" for name in names]
    table = pd.read_csv(names[0])
    assert list(table["start"]) == [0.25 * n for n in range(13)]
    assert table["level_db"].idxmax() == 4
    (recording,) = json.loads(names[1].read_text())
    assert [moment["start"] for moment in recording["moments"]] == list(table["start"])
    assert (recording["hop"], recording["window"]) == (0.25, 1.0)
    with Image.open(names[2]) as picture:
        assert picture.size == (1950, 900)
    (answer,) = json.loads(out)
    for name, probability in answer["probabilities"].items():
        assert probability == pytest.approx(table[f"p_{name}"].mean(), abs=1e-6)


def test_windows_alone_are_half_over_each_other(sertk, finished_run, talk):
    (plain,) = json.loads(sertk("predict", finished_run.directory, talk, "--windows", "--json")[1])
    (told,) = json.loads(sertk("predict", finished_run.directory, talk, "--hop", 0.5, "--json")[1])
    assert plain == told
    (short,) = json.loads(sertk("predict", finished_run.directory, talk, "--window", 0.5, "--json")[1])
    assert short["probabilities"] != plain["probabilities"]


def test_one_file_and_one_window_are_told_as_one(sertk, finished_run, talk, tmp_path):
    _, _, err = sertk("predict", finished_run.directory, talk)
    assert err.startswith("sertk: 1 file is over twice as long as the 1 s that the model hears; --windows averages")
    short = tmp_path / "short.wav"
    soundfile.write(short, soundfile.read(talk)[0][:8_000], 16_000)
    _, _, err = sertk("predict", finished_run.directory, short, "--timeline", tmp_path / "short.csv")
    assert err == f"sertk: 1 window is in {tmp_path / 'short.csv'}\n"


def test_an_explanation_is_a_picture_and_a_sentence(sertk, finished_run, talk, tmp_path):
    status, out, err = sertk("predict", finished_run.directory, talk, "--explain", tmp_path / "why.png", "--windows")
    assert status == 0
    assert out.splitlines()[1].startswith(str(talk))
    assert "of what speaks for it lies within" in err or "nothing that is heard speaks for it" in err
    assert err.strip().endswith(f"The picture is {tmp_path / 'why.png'}")
    with Image.open(tmp_path / "why.png") as picture:
        assert picture.size == (1650, 1200)


def test_the_window_that_says_it_most_clearly_is_explained(energy_like, tmp_path):
    from sertk.inference.part import part_of, strongest

    predictor, path = energy_like
    start, samples = strongest(predictor, {"path": path, "predicted": "early"})
    assert (start, samples) == (24_000, 16_000)  # the click, 0.1 s after 1.5 s, is in its first half as in no other
    waveform = part_of(path, 16_000, start, samples)
    assert len(waveform) == 16_000
    assert np.flatnonzero(np.abs(waveform) > 0.4).tolist() == [1_600]
    assert len(part_of(path, 16_000)) == 64_000
    assert len(part_of(path, 16_000, 60_000, 16_000)) == 4_000


@pytest.fixture
def energy_like(tmp_path, monkeypatch):
    from sertk.inference import Predictor
    from sertk.inference.loading import Loaded

    def answer(windows):
        early = np.abs(windows[:, :4_000]).max(axis=1) > 0.4
        return np.stack([0.2 + 0.7 * early, 0.8 - 0.7 * early], axis=1).astype("float32")

    described = {"classes": ["early", "late"], "sample_rate": 16_000, "seconds": 1.0, "alone": False}
    monkeypatch.setattr("sertk.inference.predictor.load", lambda _: Loaded(answer, described, None))
    monkeypatch.setattr("sertk.audio.decode.BLOCK", 10_000)  # so that the part lies in several
    click = np.zeros(64_000)
    click[24_000 + 1_600] = 0.5
    soundfile.write(tmp_path / "click.wav", click, 16_000)
    return Predictor("nowhere"), str(tmp_path / "click.wav")


def test_slips_end_in_one_line_before_anything_is_loaded(sertk, one_line, tmp_path):
    one_line(sertk("predict", tmp_path, "x.wav", "--timeline", "t.xls"), "must end in .csv, .json or .png")
    one_line(sertk("predict", tmp_path, "x.wav", "--explain", "why.jpg"), "must end in .png. Received: why.jpg")
    one_line(sertk("predict", tmp_path, "x.wav", "--method", "grad-cam"), "`--method` is of no use without --explain")
    one_line(sertk("predict", tmp_path / "no-run", tmp_path / "x.wav"), "x.wav: there is no such file")


def test_one_picture_of_several_files_is_refused_before_anything_is_loaded(sertk, one_line, talk, tmp_path):
    for name in ("timeline", "explain"):
        told = sertk("predict", tmp_path / "no-run", talk, talk, f"--{name}", tmp_path / "picture.png")
        one_line(told, f"`--{name}` draws one recording at a time", "Received: 2 files")


def test_one_picture_of_what_is_left_of_several_files_is_drawn(sertk, one_line, finished_run, talk, tmp_path):
    (tmp_path / "cut.wav").write_bytes(talk.read_bytes()[:50_000])
    picture, run = tmp_path / "timeline.png", finished_run.directory
    assert sertk("predict", run, talk, tmp_path / "cut.wav", "--skip-bad", "--timeline", picture)[0] == 0
    assert picture.is_file()
    told = sertk("predict", run, talk, talk, "--skip-bad", "--timeline", tmp_path / "t.csv", "--timeline", picture)
    assert told[1:] == (
        "",
        "sertk: `--timeline` draws one recording at a time; .csv and .json take several. Received: 2 files\n",
    )
    assert not (tmp_path / "t.csv").exists()


def test_slips_end_in_one_line(sertk, one_line, finished_run, talk, tmp_path):
    run = finished_run.directory
    one_line(sertk("predict", run, talk, "--hop", 2), "`hop` must be at most a window, 1 s")
    one_line(sertk("predict", run, talk, "--window", 2), "`window` must be at most 1 s")
    told = sertk("predict", run, talk, "--explain", tmp_path / "why.png", "--method", "lime")
    one_line(told, "`--method` must be one of auto, grad-cam, integrated-gradients. Received: lime")
    assert not (tmp_path / "why.png").exists()
