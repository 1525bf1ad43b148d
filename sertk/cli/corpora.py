"""The commands that work on corpora: `sertk corpora ...`."""

import typer

from sertk.cli.audit import audit

corpora = typer.Typer(
    help="Look into corpora and splits.", add_completion=False, rich_markup_mode=None, no_args_is_help=True
)


@corpora.callback()
def _group():
    """Look into corpora and splits."""


corpora.command()(audit)
