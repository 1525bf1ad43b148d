"""What every test may use: real speech where it is at hand."""

import os
from pathlib import Path

import pytest

BESIDE_THE_PROJECT = Path(__file__).resolve().parents[2] / "shared" / "corpora"


@pytest.fixture(scope="session")
def corpora_dir():
    """The folder of real corpora: `SERTK_CORPORA`, or `../shared/corpora`; skips where there is none."""
    folder = Path(os.environ.get("SERTK_CORPORA", BESIDE_THE_PROJECT))
    if not folder.is_dir():
        pytest.skip("no real corpora at hand: set SERTK_CORPORA to a folder that holds ravdess-16k")
    return folder


@pytest.fixture(scope="session")
def ravdess_dir(corpora_dir):
    """All 1,440 RAVDESS speech clips at 16 kHz; skips where they are not at hand."""
    folder = corpora_dir / "ravdess-16k"
    if not folder.is_dir():
        pytest.skip(f"no RAVDESS at {folder}")
    return folder
