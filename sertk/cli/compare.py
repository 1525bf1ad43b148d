"""`sertk compare`: runs beside baseline runs with the same seeds and splits."""

import json
from pathlib import Path
from typing import Annotated

import typer

from sertk.cli.options import Cache, command_line, load_tensorflow, table


def compare(
    baseline: Annotated[
        list[Path], typer.Argument(metavar="BASE_RUN...", help="Folders of finished runs: what is to be beaten.")
    ],
    runs: Annotated[
        list[Path],
        typer.Option("--with", metavar="RUN...", help="Finished runs with the same seeds on the same splits or folds."),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Where a page with pictures goes.")
    ] = None,
    names: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="NAME NAME", help="What the two groups are called; by default as their folders."),
    ] = None,
    part: Annotated[str, typer.Option(help='"test" or "validation".')] = "test",
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    cache: Cache = None,
):
    """Say whether runs differ from baseline runs, pair by pair: figures, paired tests, McNemar's test."""
    from sertk.evaluation import paired_sentences, paired_tests
    from sertk.evaluation.paired_words import TESTS_HEADER
    from sertk.recipes import compare_runs
    from sertk.recipes.several.measured import unmeasured

    if unmeasured([*baseline, *runs], [part]):
        load_tensorflow()
    said = compare_runs(baseline, runs, output, names=names, part=part, cache=cache, command=command_line())
    if as_json:
        typer.echo(json.dumps(said, indent=2))
        return
    typer.echo(table(["", "UAR", "accuracy"], _groups(said)))
    typer.echo(f"\n{table(*_pairs(said))}")
    typer.echo(f"\n{table(TESTS_HEADER, paired_tests(said), left=2)}\n")
    typer.echo("\n".join(paired_sentences(said)))
    if output is not None:
        typer.echo(f"The page is {output / 'comparison.md'}.")


def _groups(said):
    rows = []
    for name, figures in said["groups"].items():
        spreads = ["" if figure["sd"] is None else f" ± {100 * figure['sd']:.1f}" for figure in figures.values()]
        rows.append(
            [name, *(f"{figure['mean']:.1%}{sd}" for figure, sd in zip(figures.values(), spreads, strict=True))]
        )
    return rows


def _pairs(said):
    first, second = said["names"]
    rows = []
    for pair in said["pairs"]:
        test = pair["mcnemar"]
        rows.append(
            [
                ", ".join(filter(None, [f"seed {pair['seed']}", pair["fold"]])),
                *(f"{pair[key]:.1%}" for key in ("baseline_uar", "uar")),
                f"{100 * (pair['uar'] - pair['baseline_uar']):+.1f}",
                f"{pair['z_test']['p']:.3g}",
                f"{test['only_second']}/{test['only_first']}",
                f"{test['p']:.3g}",
            ]
        )
    return ["", f"UAR {first}", f"UAR {second}", "points", "z-test's p", "right alone", "McNemar's p"], rows
