"""A disk that is full: what `sertk train` says, and what it does when there is room again."""

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture
def small_disk(tmp_path):
    """A function that mounts a disk of some kilobytes, or makes it larger; skips where that is not allowed."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def resize(kilobytes):
        options = f"size={kilobytes}k" + (",remount" if disk.is_mount() else "")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], capture_output=True)
        if mounted.returncode:
            pytest.skip("mounting a small disk needs more rights")
        return disk

    yield resize
    if disk.is_mount():
        subprocess.run(["umount", str(disk)], check=True)


def epochs(run):
    """How many rows the logs of the folds hold, as far as there are any."""
    logs = [run / name / "training" / "log.csv" for name in ("fold-1", "fold-2")]
    return [len(pd.read_csv(path)) if path.exists() else 0 for path in logs]


@pytest.mark.slow
def test_a_full_disk_ends_in_one_line_and_loses_nothing(sertk, small_disk, tiny_corpus, small, cache):
    """A checkpoint takes about 350 kB: no room for the first one, room for one but not for two, room for all."""
    changes = {**small, "split.kind": "speaker-k-fold", "split.k": 2, "split.validation": 1, "training.batch_size": 16}
    corpus = Path(tiny_corpus["path"].iloc[0]).parents[1]
    arguments = ["train", "004-cnn-mfcc", "--corpus", f"synthetic={corpus}", "--cache", cache]
    arguments += [word for key, value in changes.items() for word in ("--set", f"{key}={json.dumps(value)}")]
    done = []
    for kilobytes in (20, 120, 480, 20_000):
        disk = small_disk(kilobytes)
        status, _, err = sertk(*arguments, "-o", disk / "run")
        done.append(epochs(disk / "run"))
        if kilobytes < 20_000:
            assert status == 1, err
            line = err.strip().splitlines()[-1]
            assert line.startswith(f"sertk: {disk}")
            assert line.endswith("Received: No space left on device")
            assert "Traceback" not in err
        else:
            assert status == 0, err
    assert done == [[0, 0], [0, 0], [1, 0], [2, 2]]
