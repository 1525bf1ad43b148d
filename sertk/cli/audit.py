"""`sertk corpora audit`: what a split leaks."""

import json
from pathlib import Path
from typing import Annotated

import typer

# The status of what was looked into and found wanting; an error's is 1, and 2 that of a slip in the command.
UNSOUND = 3


def audit(
    split: Annotated[Path, typer.Argument(metavar="SPLIT.csv", help="A table with `path`, and `part` or `fold`.")],
    root: Annotated[
        Path | None,
        typer.Option(
            "--root",
            metavar="DIR",
            help="The corpus' folder: relative paths start there, and the reader looks through it. By default paths "
            "start from the CSV's folder, and the reader looks through the one that all files are in.",
        ),
    ] = None,
    reader: Annotated[
        str | None,
        typer.Option(
            "--corpus-reader", metavar="NAME", help="Let this reader tell speakers and emotions by file name."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
):
    """Say what a split leaks: speakers, files, recordings. Status 0 if nothing leaks, 3 if it does, 1 on an error."""
    from sertk.corpora import audit as audit_split
    from sertk.corpora import load_split

    report = audit_split(load_split(split, root), reader, root)
    if as_json:
        typer.echo(json.dumps(report.to_dict(), indent=2))
    else:
        clips = "; ".join(f"{row['part']} {row['clips']:,} clips" for row in report.parts.to_dict("records"))
        typer.echo(f"{split}: {clips}")
        for finding in report.findings:
            typer.echo(f"{finding.verdict:8} {finding.what:11} {finding.text}")
        leaking = [finding.what for finding in report.findings if finding.verdict == "LEAK"]
        unknown = any(finding.verdict == "unknown" for finding in report.findings)
        sound = f"Nothing leaks{', as far as can be judged' * unknown}."
        typer.echo(f"This split leaks {' and '.join(leaking)}." if leaking else sound)
    raise typer.Exit(UNSOUND if report.leaks else 0)
