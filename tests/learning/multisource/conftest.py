"""Constructed domains, which the benchmark makes too."""

import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


@pytest.fixture(scope="session")
def benchmark_of_transfer():
    """`benchmarks/transfer.py`, which finds its neighbours in its own folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        return importlib.import_module("transfer")


@pytest.fixture(scope="session")
def constructed(benchmark_of_transfer):
    """A function that makes two sources and a target from a seed."""
    return benchmark_of_transfer.turned_and_moved


@pytest.fixture(scope="session")
def easy(constructed):
    """Four classes far apart, hardly turned: two sources of 45 clips, each without one class, and a target of 60."""
    return constructed(0, lacking=((3,), (0,)), classes=4, channels=8, clips=15, angle=0.3, shift=1, apart=8)
