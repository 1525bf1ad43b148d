"""One writer a folder, as long as it lives and no longer."""

import subprocess
import sys

import pytest

from sertk.lock import only_writer

HOLD = """
import sys
from sertk.lock import only_writer
with only_writer(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def another_process(tmp_path):
    """A process that holds the folder until it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_folder_that_another_process_writes_to_is_refused(another_process, tmp_path):
    with pytest.raises(ValueError, match="another process is writing to this folder") as refusal, only_writer(tmp_path):
        pass
    assert str(tmp_path) in str(refusal.value)


def test_a_killed_process_holds_nothing(another_process, tmp_path):
    another_process.kill()
    another_process.wait()
    with only_writer(tmp_path):
        pass


def test_a_second_call_in_this_process_is_refused_and_the_first_goes_on(tmp_path):
    with only_writer(tmp_path / "new"):
        with pytest.raises(ValueError, match="another process is writing"), only_writer(tmp_path / "new"):
            pass
        with pytest.raises(ValueError, match="another process is writing"), only_writer(tmp_path / "new"):
            pass
    with only_writer(tmp_path / "new"), only_writer(tmp_path / "other"):
        pass


def test_an_error_lets_go(tmp_path):
    with pytest.raises(RuntimeError), only_writer(tmp_path):
        raise RuntimeError
    with only_writer(tmp_path):
        pass
