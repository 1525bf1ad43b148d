"""The command line, called in this process."""

import sys
import warnings

import pytest

from sertk import cli


@pytest.fixture
def sertk(monkeypatch, capsys):
    """Runs `sertk ...` in this process: returns status, standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["sertk", *map(str, arguments)])
        monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # `main` changes it: put it back after
        status = 0
        try:
            cli.main()
        except SystemExit as exit_:
            status = exit_.code or 0
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.fixture
def one_line():
    """Holds an error to the rule: status 1, nothing but one line on the standard error."""

    def check(result, *words):
        status, out, err = result
        assert status == 1
        assert out == ""
        (line,) = err.strip().splitlines()
        assert line.startswith("sertk: ")
        for word in words:
            assert word in line

    return check
