"""`sertk corpora download`: a corpus from its publisher."""

from pathlib import Path
from typing import Annotated

import typer

from sertk.cli.audit import UNSOUND


def download(
    name: Annotated[str, typer.Argument(help="The reader's name: `sertk corpora list` shows them.")],
    directory: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A new folder for the corpus; by default data/NAME.")
    ] = None,
    keep_archive: Annotated[
        bool, typer.Option("--keep-archive", help="Keep the archive too, beside the folder.")
    ] = False,
):
    """Download a corpus, or say how to ask for it. The same command goes on where an earlier one broke off.

    Status 0 if the corpus has all its clips, 3 if not, 1 on an error.
    """
    from sertk.corpora import OFFICIAL, READERS
    from sertk.corpora import download as download_corpus

    wanted = name.lower().replace("-", "_")
    folder = download_corpus(name, directory or Path("data") / wanted, keep_archive=keep_archive)
    facts, found = OFFICIAL[wanted], len(READERS[wanted](folder))
    shown = directory or Path("data") / wanted
    typer.echo(f"{shown} holds {found:,} of the {facts.clips:,} clips of {wanted}")
    typer.echo(f"licence: {facts.licence}; {facts.source}")
    why = "decodes all of it" if found == facts.clips else "says what is missing or too much"
    typer.echo(f"next: sertk corpora check {wanted} {shown}   # {why}")
    raise typer.Exit(0 if found == facts.clips else UNSOUND)
