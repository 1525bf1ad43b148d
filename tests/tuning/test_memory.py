"""Thirty trials in one process: no graph, no dataset and no weights of a trial stay in memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "tuning.py"


def test_memory_does_not_grow_over_thirty_trials(tmp_path):
    """About 1 MB a trial stays in native code, 28 MB from the fifth trial on; graphs that stayed would be hundreds."""
    command = [sys.executable, str(SCRIPT), "--trials", "30", "--json", str(tmp_path / "memory.json")]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=3600)
    rows = json.loads((tmp_path / "memory.json").read_text())
    assert len(rows) == 30
    assert max(rows[5:]) - rows[4] < 60
