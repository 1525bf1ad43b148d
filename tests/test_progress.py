"""Bars are drawn where somebody watches."""

import io
import sys
import types

import pytest

from sertk.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def drawn(monkeypatch, stream, **options):
    monkeypatch.setattr(sys, "stderr", stream)
    assert list(progress_bar(range(3), desc="clips", **options)) == [0, 1, 2]
    return "clips: 100%" in stream.getvalue()


@pytest.fixture(autouse=True)
def outside_of_a_notebook(monkeypatch):
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)


def test_a_terminal_has_a_bar_and_a_log_file_none(monkeypatch):
    assert drawn(monkeypatch, Terminal())
    assert not drawn(monkeypatch, io.StringIO())


def test_a_notebook_has_a_bar_though_it_is_no_terminal(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    assert drawn(monkeypatch, io.StringIO())


def test_no_bar_is_drawn_where_none_is_wanted(monkeypatch):
    assert not drawn(monkeypatch, Terminal(), show=False)
