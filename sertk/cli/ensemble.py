"""`sertk ensemble`: several runs or predictions that vote, beside each of them."""

import json
from pathlib import Path
from typing import Annotated

import typer

from sertk.cli.options import Cache, command_line, load_tensorflow


def ensemble(
    members: Annotated[
        list[str],
        typer.Argument(
            metavar="MEMBER...",
            help="predictions.csv files and folders of finished runs, or the name of a published ensemble (002-vote-3, "
            "002-vote-5) with --runs.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where everything goes.")],
    how: Annotated[
        str, typer.Option("--vote", metavar="HOW", help="hard: the most votes; soft: the highest mean probability.")
    ] = "hard",
    ties: Annotated[
        str,
        typer.Option(
            metavar="RULE",
            help="Who wins a tied hard vote: probability, the likeliest of the tied classes; first, the first one in "
            "the alphabet, as in paper 002.",
        ),
    ] = "probability",
    part: Annotated[str, typer.Option(help='"test" or "validation".')] = "test",
    choose: Annotated[
        int | None,
        typer.Option(
            metavar="K", help="Try all combinations of K members on the validation part; the best of them votes."
        ),
    ] = None,
    by: Annotated[
        str, typer.Option(metavar="FIGURE", help="accuracy or uar: what the best member and combination are picked by.")
    ] = "accuracy",
    validation: Annotated[
        list[Path],
        typer.Option(
            metavar="CSV", help="A member's predictions of the validation part; once for each, in the members' order."
        ),
    ] = [],  # noqa: B006  (typer wants the default itself)
    runs: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder that holds the runs of a published ensemble.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    cache: Cache = None,
):
    """Let several runs or predictions vote, and say whether the ensemble beats the best of them."""
    if runs is not None or any(Path(member).is_dir() for member in members):
        load_tensorflow()
    from sertk.recipes import ENSEMBLES, evaluate_ensemble

    named = len(members) == 1 and (members[0] in ENSEMBLES or runs is not None)
    said = evaluate_ensemble(
        members[0] if named else members,
        output,
        how=how,
        ties=ties,
        part=part,
        choose=choose,
        by=by,
        validation=validation or None,
        runs=runs,
        cache=cache,
        command=command_line(),
    )
    if as_json:
        typer.echo(json.dumps(said, indent=2))
        return
    typer.echo(_table(said["members"]))
    typer.echo("\n".join(["", *said["sentences"]]))
    typer.echo(f"The report is {output / ('report' if part == 'test' else f'report-{part}') / 'report.md'}.")


def _table(rows):
    width = max(len(row["name"]) for row in rows)
    lines = [f"{'':{width}}  {'accuracy':>24}  {'UAR':>24}  to the best"]
    for row in rows:
        cells = [_with_interval(row, measure) for measure in ("accuracy", "uar")]
        marks = [word for word, there in (("best", row["best"]), ("no vote", not row["votes"])) if there]
        difference = f"{100 * row['accuracy_difference']:+.1f}"
        line = f"{row['name']:{width}}  {cells[0]:>24}  {cells[1]:>24}  {difference:>11}"
        lines.append("  ".join([line, *marks]))
    return "\n".join(lines)


def _with_interval(row, measure):
    low, high = row[f"{measure}_low"], row[f"{measure}_high"]
    return f"{row[measure]:.1%}" if low is None else f"{row[measure]:.1%} ({100 * low:.1f} to {high:.1%})"
