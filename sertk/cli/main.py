"""The door: one line for a user's error, a status that is not 0, a traceback only if asked for."""

import logging
import os
import sys
import warnings

import typer

from sertk.cli.app import app

INTERRUPTED = 130
# Commands that keep nothing of what they have done by then.
FORGETFUL = ("demo", "export", "listen", "predict")


def main():
    """Runs the command line: one line for a user's error, a status that is not 0, a traceback only if asked for."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # several models in a process are no fault of the user's
    warnings.showwarning = lambda message, *_, **__: typer.echo(f"sertk: warning: {message}", err=True)
    warnings.filterwarnings("ignore", module=r"(keras|tensorflow|librosa)\b")
    try:
        status = app(sys.argv[1:] or ["--help"], prog_name="sertk", standalone_mode=False)
        if status == INTERRUPTED:  # typer turns the interrupt into it, and says nothing
            todo = "begins anew" if next(iter(sys.argv[1:]), "") in FORGETFUL else "goes on with what is unfinished"
            typer.echo(f"sertk: interrupted; the same command {todo}", err=True)
        sys.exit(status)
    except Exception as error:
        if os.environ.get("SERTK_DEBUG"):
            raise
        if hasattr(error, "format_message"):  # a slip in the command itself, told by typer
            command = error.ctx.command_path if error.ctx else "sertk"
            typer.echo(f"sertk: {' '.join(error.format_message().split())} `{command} --help` tells more", err=True)
            sys.exit(error.exit_code)
        # A package that the user has to install: our own words, without the name that Python gives its own.
        missing = isinstance(error, ImportError) and error.name is None
        expected = missing or isinstance(error, ValueError | OSError)
        lines = str(error).strip().splitlines() or [""]
        message = " ".join(lines) if expected else f"{type(error).__name__}: {lines[0]} (SERTK_DEBUG=1 shows where)"
        typer.echo(f"sertk: {message}", err=True)
        sys.exit(1)
