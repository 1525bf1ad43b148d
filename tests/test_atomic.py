"""A file is whole or not there."""

import subprocess
import sys

import pytest

from sertk.atomic import replacing, sweep


def test_folder_is_made_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "new" / "page.md"
    with replacing(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.suffix == ".md"
    assert path.read_text() == "whole"
    assert [file.name for file in path.parent.iterdir()] == ["page.md"]


def test_an_error_leaves_the_older_file(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("old")

    def write_half():
        with replacing(path) as temporary:
            temporary.write_text("ha")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_others_may_read_the_file_as_any_other(tmp_path):
    (tmp_path / "plain").write_text("")
    with replacing(tmp_path / "replaced") as temporary:
        temporary.write_text("")
    assert (tmp_path / "replaced").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_sweep_deletes_what_a_killed_writer_left_and_nothing_else(tmp_path):
    kept = [tmp_path / ".hidden", tmp_path / "a" / "log.csv", tmp_path / "a" / f".{'g' * 32}-log.csv"]
    for path in kept:
        path.parent.mkdir(exist_ok=True)
        path.write_text("kept")
    code = """if True:
        import os, sys
        from sertk.atomic import replacing
        with replacing(sys.argv[1]) as path:
            path.touch()
            os._exit(9)
    """
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a" / "model.keras")], check=False)
    assert killed.returncode == 9
    assert len(list(tmp_path.rglob("*model.keras"))) == 1
    sweep(tmp_path)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)
