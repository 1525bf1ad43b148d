"""One search on several processes: a chief and two workers, one of whom dies."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from sertk.tuning import distributed

RUN = Path(__file__).resolve().parents[2] / "tuning" / "run.py"
VARIABLES = ("KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT", "KERASTUNER_TUNER_ID")


@pytest.fixture
def variables(monkeypatch):
    def put(*values):
        for name, value in zip(VARIABLES, values, strict=True):
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

    return put


@pytest.mark.parametrize(
    ("values", "role"),
    [
        ((None, None, None), "alone"),
        ((None, None, "a"), "alone"),
        (("127.0.0.1", "8000", "chief"), "chief"),
        (("127.0.0.1", "8000", "a"), "worker"),
    ],
)
def test_the_role_is_told_by_keras_tuners_variables(variables, values, role):
    variables(*values)
    assert distributed.role() == role


@pytest.mark.parametrize("missing", range(3))
def test_a_variable_that_is_missing_is_named(variables, missing):
    values = ["127.0.0.1", "8000", "chief"]
    if missing == 2:
        values[2] = ""
    else:
        values[missing] = None
    variables(*values)
    with pytest.raises(ValueError, match=f"belong together: set {VARIABLES[missing]} too"):
        distributed.role()


def test_a_port_that_is_taken_and_a_chief_who_is_not_there_are_told(variables, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        variables("127.0.0.1", port, "chief")
        with pytest.raises(ConnectionError, match=f"127.0.0.1:{port}: the chief can't listen there"):
            distributed.check_connection()
    variables("127.0.0.1", port, "worker")
    monkeypatch.setattr(distributed, "PATIENCE", 0.5)
    with pytest.raises(ConnectionError, match=f"127.0.0.1:{port}: no chief answers.*KERASTUNER_TUNER_ID=chief"):
        distributed.check_connection()


@pytest.fixture
def command(tiny_corpus, small, cache, tmp_path):
    """What `sertk tune` takes for eight short trials by Hyperband."""
    own = {name: value for name, value in small.items() if name != "training.learning_rate"}
    settings = [word for name, value in own.items() for word in ("--set", f"{name}={json.dumps(value)}")]
    corpus = f"synthetic={Path(tiny_corpus['path'][0]).parents[1]}"
    options = ["--recipe", "004-cnn-mfcc", "--max-epochs", "3", "--cache", str(cache), "-o", str(tmp_path / "search")]
    return ["parallel-cnn", "-c", corpus, *options, *settings]


def lines(path, what):
    return [line for line in path.read_text().splitlines() if what in line] if path.exists() else []


@pytest.mark.slow
def test_two_workers_share_a_search_and_one_of_them_dies(command, tmp_path):
    """A worker is killed in a trial and started again under its name: each trial is trained to its end, once."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])

    def start(name, log):
        with (tmp_path / log).open("w") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "sertk.cli", "tune", *command],
                env={**os.environ, **dict(zip(VARIABLES, ("127.0.0.1", port, name), strict=True))},
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    processes = [start("chief", "chief"), start("a", "a"), start("b", "b")]
    try:
        ends = time.monotonic() + 900
        while not lines(tmp_path / "b", "epochs 1 to") and time.monotonic() < ends:
            time.sleep(0.2)
        processes[2].send_signal(signal.SIGKILL)
        processes[2].wait()
        processes.append(start("b", "b-again"))
        for process in (*processes[:2], processes[3]):
            process.wait(timeout=1800)
    finally:
        for process in processes:
            process.kill()
    told = {name: (tmp_path / name).read_text() for name in ("chief", "a", "b", "b-again")}
    assert [process.returncode for process in processes] == [0, 0, -signal.SIGKILL, 0], told
    table = pd.read_csv(tmp_path / "search" / "results.csv", dtype=str)
    assert list(table["status"]) == ["completed"] * 6, told  # 3 of one epoch, the best of them of 3, 2 of 3
    ended = {name: [line.split()[1] for line in lines(tmp_path / name, "validation accuracy ")] for name in told}
    first, second = ended["a"], ended["b"] + ended["b-again"]
    assert sorted(first + second) == [f"{name}:" for name in table["trial"]], told
    assert first, told
    assert second, told
    assert "best settings are" in told["chief"]
    killed = lines(tmp_path / "b", "epochs 1 to")[-1].split()[1]
    assert lines(tmp_path / "b-again", "epochs 1 to")[0].split()[1] == killed


@pytest.mark.slow
def test_the_script_starts_them_all(command, tmp_path):
    done = subprocess.run(
        [sys.executable, str(RUN), "--workers", "2", "--", *command],
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(pd.read_csv(tmp_path / "search" / "results.csv")) == 6
    assert (tmp_path / "search" / "best.json").is_file()
