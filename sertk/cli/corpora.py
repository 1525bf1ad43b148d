"""The commands that work on corpora: `sertk corpora ...`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from sertk.cli.audit import UNSOUND, audit
from sertk.cli.download import download
from sertk.cli.options import Corpora, manifest_of

corpora = typer.Typer(
    help="Look into corpora and splits.", add_completion=False, rich_markup_mode=None, no_args_is_help=True
)


@corpora.callback()
def _group():
    """Look into corpora and splits."""


corpora.command()(audit)
corpora.command()(download)


@corpora.command("list")
def list_readers(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False):
    """List the corpora that can be read, with clips, speakers, language and licence."""
    from dataclasses import asdict

    from sertk.corpora import OFFICIAL, READERS

    if as_json:
        facts = {name: asdict(OFFICIAL[name]) if name in OFFICIAL else None for name in sorted(READERS)}
        typer.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    width, licences = max(map(len, READERS)), max(len(facts.licence) for facts in OFFICIAL.values())
    for name, facts in sorted(OFFICIAL.items()):
        typer.echo(
            f"{name:{width}}  {facts.clips:>6,} clips  {facts.speakers:>2} speakers  {facts.language}  "
            f"{facts.licence:{licences}}  {facts.title}"
        )
    own = sorted(set(READERS) - set(OFFICIAL))
    typer.echo(
        f"\nYour own corpora are read as {', '.join(own)}; `sertk corpora check NAME DIR` looks into any of them."
    )


@corpora.command()
def check(
    name: Annotated[str, typer.Argument(help="The reader's name: `sertk corpora list` shows them.")],
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The corpus' folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
):
    """Compare a corpus with its official counts, decode all of it. Status 0 if complete and sound, 3 if not, 1 on an
    error.
    """
    from sertk.corpora import check as check_corpus

    found = check_corpus(name, directory)
    typer.echo(json.dumps(found.to_dict(), indent=2, ensure_ascii=False) if as_json else _report(found))
    raise typer.Exit(0 if found.complete and found.sound else UNSOUND)


@corpora.command()
def manifest(
    corpus: Corpora,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="CSV", help="The file to write.")],
    labels: Annotated[
        str | None, typer.Option(metavar="MAP", help="Merge or drop emotions by this label map, such as seven.")
    ] = None,
    relative: Annotated[
        bool, typer.Option("--relative", help="Write paths relative to the file, to move both together.")
    ] = False,
):
    """Write the clips of one or several corpora as one CSV file, which the reader csv reads back."""
    from sertk.corpora import join, map_labels, save_manifest

    # One by one, so that a clip of two corpora is found.
    joined = join([manifest_of([spec]) for spec in corpus])
    dropped = {}
    if labels is not None:
        joined = map_labels(joined, labels)
        dropped = joined.attrs["dropped"]
    save_manifest(joined, output, relative=relative)
    counts = joined.assign(emotion=joined["emotion"].fillna("(none)")).groupby(["corpus", "emotion"]).size()
    for name, emotions in counts.groupby(level="corpus"):
        words = ", ".join(f"{emotion} {clips:,}" for (_, emotion), clips in emotions.items())
        typer.echo(f"{name}: {emotions.sum():,} clips ({words})")
    if dropped:
        typer.echo("dropped: " + ", ".join(f"{emotion} {clips:,}" for emotion, clips in dropped.items()))
    typer.echo(f"{output} holds {len(joined):,} clips; read it with --corpus csv={output}")


def _report(found):
    lines = [f"{found.corpus} in {found.directory}"]
    names = found.counts["of"].where(found.counts["name"] == "", found.counts["of"] + " " + found.counts["name"])
    width = max(map(len, names))
    lines.append(f"{'':{width}}  {'found':>7}  {'official':>8}")
    for name, row in zip(names, found.counts.to_dict("records"), strict=True):
        official = row["official"]
        known = isinstance(official, int)
        lines.append(
            f"{name:{width}}  {row['found']:>7,}  {f'{official:,}' if known else '-':>8}{_verdict(row)}".rstrip()
        )
    sections = {"Not understood, not decoded or missing": found.problems, "Left out": found.left_out}
    for title, entries in sections.items():
        if entries:
            lines.append(f"\n{title}: {len(entries):,}")
            lines += [f"  {entry['path']}: {entry['reason']}" for entry in entries]
    verdict = "Complete" if found.complete else "Not complete"
    if found.counts["official"].isna().all():
        verdict = "No official counts to compare with"
    lines.append(f"\n{verdict}; {'sound' if found.sound else 'not sound'}.")
    return "\n".join(lines)


def _verdict(row):
    found, official = row["found"], row["official"]
    if not isinstance(official, int):
        return "" if found else "  missing"
    if found == official:
        return ""
    return f"  {official - found:,} missing" if found < official else f"  {found - official:,} too many"
