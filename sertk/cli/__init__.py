"""The command line: `sertk ...`."""

from sertk.cli.main import main

__all__ = ["main"]
