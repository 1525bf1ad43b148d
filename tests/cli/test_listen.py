"""`sertk listen`: a line a hop, at once; an end by EOF, Ctrl-C or a closed pipe is an end, not an error."""

import io
import json
import signal
import subprocess
import sys
import types

import numpy as np
import pytest

# A model that needs no TensorFlow, in the command itself: what is proven here is the command.
COMMAND = """
import sys
sys.path.insert(0, {folder!r})
import sertk.cli.listen, sertk.inference
from conftest import EnergyPredictor
sertk.cli.listen.load_tensorflow = lambda model: None
sertk.inference.Predictor = lambda directory: EnergyPredictor(1.0)
from sertk.cli import main
main()
"""


@pytest.fixture
def listening(request):
    """Starts `sertk listen RUN - ...` in a process of its own."""
    folder = str(request.config.rootpath / "tests" / "inference")
    started = []

    def start(*arguments):
        command = [sys.executable, "-c", COMMAND.format(folder=folder), "listen", "run", "-", *map(str, arguments)]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def pcm(seconds):
    return np.random.default_rng(0).integers(-9_000, 9_000, round(16_000 * seconds), dtype="<i2").tobytes()


def test_answers_come_at_once_and_ctrl_c_ends_it_well(listening):
    process = listening("--hop", 0.5, "--json")
    process.stdin.write(pcm(2))
    process.stdin.flush()
    # The pipe stays open: these lines would not come if anything held them back.
    told = [json.loads(process.stdout.readline()) for _ in range(3)]
    assert [moment["end"] for moment in told] == [1, 1.5, 2]
    assert told[0]["probabilities"]["early"] + told[0]["probabilities"]["late"] == pytest.approx(1)
    assert all(0 <= moment["latency"] < 60 for moment in told)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, out) == (0, b"")
    *_, summary = err.decode().splitlines()
    assert summary.startswith("sertk: 2.0 s of sound, 3 answers; each came ")
    assert b"Traceback" not in err


def test_the_end_of_the_sound_is_the_end(listening):
    out, err = listening("--hop", 0.5).communicate(pcm(2.25), timeout=300)
    header, *lines = out.decode().splitlines()
    assert header.split() == ["from", "to", "dB", "predicted", "early", "late"]
    assert [line.split()[:2] for line in lines] == [
        ["0.00", "1.00"],
        ["0.50", "1.50"],
        ["1.00", "2.00"],
        ["1.25", "2.25"],
    ]
    first, last = err.decode().splitlines()
    assert first == "sertk: listening; every 0.5 s an answer about the last 1 s. Ctrl-C ends it"
    assert "2.2 s of sound, 4 answers" in last


def test_who_has_read_enough_is_no_error(listening):
    process = listening("--hop", 0.1)
    process.stdin.write(pcm(1.5))
    process.stdin.flush()
    process.stdout.readline()
    process.stdout.close()
    process.stdin.write(pcm(1))  # ten answers more, of which nobody reads the first
    process.stdin.close()
    process.stdin = process.stdout = None
    process.wait(timeout=300)
    err = process.stderr.read().decode()
    assert process.returncode == 0
    assert "Broken pipe" not in err
    assert "Exception ignored" not in err
    assert err.splitlines()[-1].startswith("sertk: ")


def standard_input(monkeypatch, content, terminal=False):
    fake = types.SimpleNamespace(buffer=io.BytesIO(content), isatty=lambda: terminal)
    monkeypatch.setattr("sys.stdin", fake)


def test_a_runs_network_hears_what_it_hears_in_a_file(sertk, finished_run, tmp_path, monkeypatch):
    import soundfile

    sound = np.frombuffer(pcm(3), "<i2")
    soundfile.write(tmp_path / "sound.wav", sound, 16_000)
    standard_input(monkeypatch, (sound / 32_768).astype("<f4").tobytes())
    status, out, err = sertk("listen", finished_run.directory, "-", "--format", "f32le", "--hop", 0.25, "--json")
    assert status == 0
    assert err.count("\n") == 2
    told = [json.loads(line) for line in out.splitlines()]
    arguments = ("predict", finished_run.directory, tmp_path / "sound.wav", "--hop", 0.25)
    assert sertk(*arguments, "--timeline", tmp_path / "timeline.json")[0] == 0
    (recording,) = json.loads((tmp_path / "timeline.json").read_text())
    assert len(recording["moments"]) == len(told) == 9
    for moment, other in zip(recording["moments"], told, strict=True):
        assert (moment["start"], moment["end"], moment["level_db"]) == (other["start"], other["end"], other["level_db"])
        assert moment["probabilities"] == pytest.approx(other["probabilities"], abs=2e-6)


def test_one_answer_is_told_as_one(listening):
    _, err = listening().communicate(pcm(1), timeout=300)
    assert "sertk: 1.0 s of sound, 1 answer, which came " in err.decode()


def test_too_little_sound_is_told(sertk, finished_run, monkeypatch):
    standard_input(monkeypatch, b"")
    status, _, err = sertk("listen", finished_run.directory, "-", "--json")
    assert status == 0
    assert "0.0 s of sound, too little for an answer, which takes 1 s" in err


def test_slips_end_in_one_line(sertk, one_line, monkeypatch, tmp_path):
    one_line(sertk("listen", tmp_path, "talk.wav"), "for a file call `sertk predict", "--windows")
    standard_input(monkeypatch, b"", terminal=True)
    one_line(sertk("listen", tmp_path, "-"), "pipe it in. Received: a terminal")
    standard_input(monkeypatch, b"")
    one_line(sertk("listen", tmp_path, "-", "--format", "mp3"), "`encoding` must be one of s16le, f32le")
    one_line(sertk("listen", tmp_path, "-", "--device", 1), "`--device` is of no use with `-`, raw PCM. Received: 1")
    for name, value in (("--rate", 48_000), ("--format", "f32le"), ("--channels", 2)):
        told = sertk("listen", tmp_path, name, value)
        one_line(told, f"`{name}` is of no use with a microphone; for raw PCM add `-`. Received: {value}")
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    one_line(sertk("listen", tmp_path), "pip install 'sertk[listen]'")
