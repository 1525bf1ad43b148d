"""A file is whole or not there."""

import pytest

from sertk.atomic import replacing


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
