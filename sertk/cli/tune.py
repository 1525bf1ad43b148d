"""`sertk tune`: searching for settings."""

import json
from pathlib import Path
from typing import Annotated

import typer

from sertk.cli.options import (
    Cache,
    Corpora,
    Settings,
    SkipBad,
    changes_of,
    command_line,
    load_tensorflow,
    manifest_of,
    split_of,
    table,
)

BEST = 10


def tune(
    space: Annotated[
        str, typer.Argument(help="A search space: parallel-cnn, vgg16-head, transfer-head, nsl or simclr.")
    ],
    corpus: Corpora,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The search's folder.")],
    recipe: Annotated[
        str | None, typer.Option(metavar="NAME", help="One of the space's recipes; by default its first.")
    ] = None,
    method: Annotated[str, typer.Option(help="hyperband, bayesian, random or grid.")] = "hyperband",
    max_epochs: Annotated[
        int | None, typer.Option("--max-epochs", help="The most epochs of a trial; by default the recipe's.")
    ] = None,
    trials: Annotated[
        int | None, typer.Option(help="The most trials; by default 20 of bayesian and random, all of the others.")
    ] = None,
    points: Annotated[int, typer.Option(help="Of a grid: how many values of a continuous setting.")] = 4,
    seed: Annotated[int, typer.Option(help="Of what is drawn; the networks' own is --set training.seed.")] = 0,
    split: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="How to divide the corpus, as in `sertk train`: one split, no folds."),
    ] = None,
    settings: Settings = [],  # noqa: B006  (typer wants the default itself)
    skip_bad: SkipBad = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the trials as JSON, and nothing else.")] = False,
    cache: Cache = None,
):
    """Search for the settings that do best on the validation part. The same command goes on with a search."""
    from sertk.tuning.book import get_space

    chosen = get_space(space)
    chosen.recipe_name(recipe)  # slips of the pen are told before the corpus is read
    manifest = manifest_of(corpus)
    load_tensorflow()
    from sertk.tuning import tune as search_space

    search = search_space(
        chosen,
        manifest,
        output,
        recipe=recipe,
        method=method,
        max_epochs=max_epochs,
        trials=trials,
        points=points,
        changes={**changes_of(settings), **split_of(split)},
        seed=seed,
        cache=cache,
        skip_bad=skip_bad,
        verbose=0 if as_json else 1,
        command=command_line(),
    )
    results = search.results
    if as_json:
        typer.echo(results.to_json(orient="records", indent=2, double_precision=15))
        return
    if results.empty:  # of a worker that came when the chief had nothing written yet
        typer.echo(f"No trial is left. Everything is in {output}.")
        return
    completed = results[results["status"] == "completed"].sort_values("score", ascending=False, kind="stable")
    header, rows = _table(completed[:BEST], chosen)
    typer.echo("\n" + table(header, rows))
    counts = ", ".join(f"{count} {status}" for status, count in results["status"].value_counts().items())
    shown = f"; the best {BEST} are shown" if len(completed) > BEST else ""
    typer.echo(f"\n{counts}{shown}. {output / 'results.csv'} has all of them; tensorboard --logdir {output}")
    if search.best is not None:
        name = search.settings["recipe"]["name"]
        typer.echo(f"The best settings are {json.dumps(search.best)}.")
        typer.echo(f"  sertk train {name} --config {output / 'best.json'} ...")


def _table(results, space):
    """The header and the rows that tell of trials: settings and figures."""
    figures = [name for name in ("accuracy", "val_accuracy", "loss", "val_loss", space.objective) if name in results]
    figures = list(dict.fromkeys(figures))
    first = results.columns.get_loc("goes_on_from") + 1
    parameters = list(results.columns[first : results.columns.get_loc("score")])
    rows = [
        [
            row["trial"],
            *(f"{row[name]:.3g}" if isinstance(row[name], float) else str(row[name]) for name in parameters),
            *(f"{row[name]:.1%}" if "accuracy" in name else f"{row[name]:.3f}" for name in figures),
            f"{row['kept_epoch']:.0f} of {row['epochs']:.0f}",
        ]
        for row in results.to_dict("records")
    ]
    return ["trial", *parameters, *figures, "epoch"], rows
