"""Thousands of damaged files: each gives a waveform or one error; none a crash, a hang or memory beyond a bound."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("fuzz.py")


def run(folder, cases, seed):
    """The counts of what became of the files; fails with the description of each that became anything else."""
    command = [sys.executable, str(SCRIPT), str(folder), str(cases), str(seed)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    last = (result.stdout.splitlines() or ["nothing"])[-1]
    if result.returncode:
        pytest.fail(f"ended with {result.returncode} in {last}; the file is in {folder}\n{result.stderr[-2_000:]}")
    told = json.loads(last)
    assert told["failures"] == []
    return told["counts"]


def test_no_damage_crashes_hangs_or_eats_memory(tmp_path):
    counts = run(tmp_path, 5_000, seed=0)
    assert counts["waveform"] + counts["refused"] == 5_000
    # Damage that every file survives, or none, would prove little.
    assert min(counts["waveform"], counts["refused"]) > 1_000


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 4))
def test_nor_do_hundreds_of_thousands(tmp_path, seed):
    run(tmp_path, 100_000, seed)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("os.abort()", r"ended with -6 in case 0 of seed 0: .*; the file is in "),
        ("while True: pass", r"ended with -14 in case 0 of seed 0: "),
        ("return np.zeros(2**26, 'f4')", r"case 0 of seed 0: .*Unable to allocate"),
        ("return np.array([np.nan], 'f4')", r"that is not finite"),
        ("raise KeyError(path)", r"KeyError: "),
        ("raise ValueError('two\\nlines')", r"message: 'two"),
    ],
)
def test_the_script_finds_faults(tmp_path, monkeypatch, fault, told):
    """What it looks for, put into a decoder's place."""
    script = SCRIPT.read_text()
    door = "from sertk.audio.decode import read\n"
    assert door in script
    faulty = f'def read(path):\n    if Path(path).stem == "whole":\n        return np.zeros(1, "f4")\n    {fault}\n'
    (tmp_path / "fuzz.py").write_text(script.replace(door, faulty).replace("SECONDS = 5", "SECONDS = 1"))
    monkeypatch.setitem(globals(), "SCRIPT", tmp_path / "fuzz.py")
    with pytest.raises((AssertionError, pytest.fail.Exception), match=told):
        run(tmp_path, 1, seed=0)
