"""`sertk sensitivity`: how much a result hangs on a setting, over many runs."""

from pathlib import Path
from typing import Annotated

import typer

from sertk.cli.options import Cache, load_tensorflow, table


def sensitivity(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of finished runs.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where picture and points go.")],
    x: Annotated[str, typer.Option("--x", metavar="KEY", help="The setting along the axis, such as graph.multiplier.")],
    group: Annotated[
        str | None, typer.Option(metavar="KEY", help="A panel for each value of this setting, such as graph.neighbors.")
    ] = None,
    lines: Annotated[
        str | None, typer.Option(metavar="KEY", help="A line for each value of this setting, such as graph.layer.")
    ] = None,
    baseline: Annotated[
        list[Path], typer.Option(metavar="RUN...", help="Finished runs whose mean is drawn across all panels.")
    ] = [],  # noqa: B006  (typer wants the default itself)
    as_json: Annotated[bool, typer.Option("--json", help="Print the points as JSON.")] = False,
    cache: Cache = None,
):
    """Draw UAR over one to three settings, as the mean of runs that differ in their seed alone."""
    from sertk.recipes import best_point
    from sertk.recipes import sensitivity as points_of
    from sertk.recipes.several.measured import unmeasured

    if unmeasured([*runs, *baseline], ["validation", "test"]):
        load_tensorflow()
    points = points_of(runs, output, x=x, group=group, lines=lines, baseline=baseline, cache=cache)
    if as_json:
        typer.echo(points.to_json(orient="records", indent=2, double_precision=15))
        return
    keys = [key for key in (group, lines, x) if key is not None]
    typer.echo(table(["part", *keys, "runs", "UAR", "accuracy"], _rows(points, keys)))
    best = best_point(points)
    if best is not None:
        validation, test = best
        where = ", ".join(f"{key} {validation[key]}" for key in keys)
        tested = "" if test is None else f" and {test['uar']:.1%} on the test part"
        typer.echo(f"\nBest on the validation part: {where}, UAR {validation['uar']:.1%} there{tested}.")
    typer.echo(f"The picture is {output / 'sensitivity.png'}, its points are {output / 'sensitivity.csv'}.")


def _rows(points, keys):
    return [
        [
            row["part"],
            *(["baseline", *[""] * (len(keys) - 1)] if row["baseline"] else [str(row[key]) for key in keys]),
            str(row["runs"]),
            *(_mean(row[measure], row[f"{measure}_sd"]) for measure in ("uar", "accuracy")),
        ]
        for row in points.to_dict("records")
    ]


def _mean(mean, sd):
    return f"{mean:.1%}" if sd != sd else f"{mean:.1%} ± {100 * sd:.1f}"
