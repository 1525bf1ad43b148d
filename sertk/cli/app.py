"""The commands that work on recipes, runs and models: `sertk train ...`."""

import json
import statistics
from pathlib import Path
from typing import Annotated

import typer

from sertk.cli.compare import compare
from sertk.cli.corpora import corpora
from sertk.cli.demo import demo
from sertk.cli.embed import embed
from sertk.cli.ensemble import ensemble
from sertk.cli.export import export
from sertk.cli.graph import graph
from sertk.cli.images import images
from sertk.cli.listen import listen
from sertk.cli.options import (
    Cache,
    Config,
    Corpora,
    Settings,
    SkipBad,
    changes_of,
    command_line,
    config_of,
    load_tensorflow,
    manifest_of,
    package,
    split_of,
)
from sertk.cli.predict import predict
from sertk.cli.sensitivity import sensitivity
from sertk.cli.several import TakesSeveral
from sertk.cli.simclrv2 import simclrv2
from sertk.cli.tune import tune

app = typer.Typer(
    help="Speech emotion recognition: from a folder of speech to a served model.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(corpora, name="corpora")
app.command(cls=TakesSeveral)(compare)
app.command()(demo)
app.command()(embed)
app.command()(ensemble)
app.command()(export)
app.command()(graph)
app.command()(images)
app.command()(listen)
app.command()(predict)
app.command(cls=TakesSeveral)(sensitivity)
app.command()(simclrv2)
app.command()(tune)


@app.command()
def recipes(
    name: Annotated[str | None, typer.Argument(help="Show every setting of this recipe.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
):
    """List the recipes, with paper and table; or show one."""
    from sertk.recipes.book import RECIPES, get
    from sertk.recipes.recipe import settings

    if name is not None:
        recipe = get(name)
        if as_json:
            typer.echo(json.dumps(recipe.to_dict(), indent=2))
            return
        typer.echo(f"{recipe.name}: {recipe.title} ({recipe.source})")
        for key, value in settings(recipe).items():
            typer.echo(f"  {key} = {json.dumps(value)}")
        return
    if as_json:
        typer.echo(json.dumps([recipe.to_dict() for recipe in RECIPES.values()], indent=2))
        return
    width, title_width = max(map(len, RECIPES)), max(len(recipe.title) for recipe in RECIPES.values())
    for recipe in RECIPES.values():
        typer.echo(f"{recipe.name:{width}}  {recipe.title:{title_width}}  {recipe.source}")
    typer.echo("\nsertk recipes NAME shows the settings of one; sertk train NAME --set KEY=VALUE changes them.")


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="A recipe's name: `sertk recipes` lists them.")],
    corpus: Corpora,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="RUN_DIR", help="The run's folder.")],
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            metavar="KIND",
            help="How to divide the corpus: random, speaker; a cross-validation (k-fold, speaker-k-fold, "
            "leave-one-speaker-out, leave-one-session-out); a published protocol, such as ravdess-emobox; or a CSV of "
            "folds.",
        ),
    ] = None,
    config: Config = None,
    settings: Settings = [],  # noqa: B006  (typer wants the default itself)
    skip_bad: SkipBad = False,
    cache: Cache = None,
):
    """Train a recipe's network on a corpus. The same command goes on with a run that was stopped."""
    from sertk.corpora import KINDS, PROTOCOLS
    from sertk.corpora.splits.leaks import check_kind
    from sertk.recipes.book import get
    from sertk.recipes.recipe import override

    changes = changes_of(settings)
    if split is not None and {"split.kind", "kind"} & set(changes):
        raise ValueError(
            f"`--split` and `--set split.kind` say the same; give one of them. Received: {split} and {changes}"
        )
    changes = {**config_of(config, split), **changes, **split_of(split)}
    check_kind(
        override(get(recipe), changes).split.kind, {**KINDS, **PROTOCOLS}
    )  # slips of the pen are told before the corpus is read
    manifest = manifest_of(corpus)
    run = package().train(
        recipe, manifest, output, changes=changes, cache=cache, skip_bad=skip_bad, command=command_line()
    )
    typer.echo(f"\n{_training(run)} Everything is in {output}.")
    if run.recipe.contrastive.loss is not None:
        typer.echo(f"  sertk train {recipe.rpartition('-')[0]}-teacher --set start.source={output} ...")
        return
    typer.echo(f"  sertk evaluate {output}")
    if not run.folds:
        typer.echo(f"  sertk export {output} -o saved_models/{recipe}/1")


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="The folder of a finished run.")],
    part: Annotated[str, typer.Option(help='"test" or "validation".')] = "test",
    as_json: Annotated[bool, typer.Option("--json", help="Print all metrics as JSON.")] = False,
    cache: Cache = None,
):
    """Measure a run on its test part and write the report."""
    metrics = package().evaluate(run, part, cache=cache)
    if as_json:
        typer.echo(json.dumps(metrics, indent=2))
        return
    folder = run / ("report" if part == "test" else f"report-{part}")
    if "folds" in metrics:
        typer.echo(_by_fold(metrics["folds"]))
    typer.echo(f"{_headline(metrics)}\nThe report is {folder / 'report.md'}.")


@app.command()
def quickstart(
    output: Annotated[Path, typer.Option("--output", "-o", help="Where everything goes.")] = Path("quickstart"),
    corpus: Annotated[
        list[str], typer.Option("--corpus", "-c", metavar="NAME=DIR", help="Real speech in place of the synthetic.")
    ] = [],  # noqa: B006
    settings: Settings = [],  # noqa: B006
    cache: Cache = None,
):
    """Show the whole path in minutes: corpus, split, training, report, SavedModel, prediction."""
    load_tensorflow()
    from sertk.quickstart import quickstart as run_quickstart

    run_quickstart(
        output,
        manifest_of(corpus) if corpus else None,
        changes=changes_of(settings),
        cache=cache,
        command=command_line(),
    )


def _training(run):
    """How training went, on the validation part; the test part is `evaluate`'s."""
    kept = []
    for one in run.folds or [run]:
        log = one.log
        if "val_loss" not in log:
            joined = run.recipe.training.join_validation and (one.split["part"] == "validation").any()
            return (
                f"{len(log)} epochs; the {'validation part trained too' if joined else 'split has no validation part'}."
            )
        kept.append(log.loc[log["epoch"] == one.kept_epoch].iloc[0])
    members = run.recipe.training.members
    of = f" The first of {members} members is told of." if members > 1 else ""
    which = "last" if run.recipe.training.patience is None else "best"
    word = "accuracy" if run.recipe.contrastive.loss is None else "contrastive accuracy"
    accuracy = f"val_{word.replace(' ', '_')}"
    if not run.folds:
        (row,) = kept
        unit, last = ("step", run.log["step"].iloc[-1]) if "step" in row else ("epoch", len(run.log))
        return (
            f"{which.capitalize()} {unit} {row[unit]:.0f} of {last}: validation loss {row['val_loss']:.3f}, "
            f"{word} {row[accuracy]:.1%}.{of}"
        )
    said = [
        f"{name} {statistics.fmean(values):{form}} ± {statistics.stdev(values):{form}}"
        for name, form, values in (
            ("loss", ".3f", [row["val_loss"] for row in kept]),
            (word, ".1%", [row[accuracy] for row in kept]),
        )
    ]
    return (
        f"{len(kept)} folds, the {which} epoch of each: validation {' and '.join(said)}, mean and standard "
        f"deviation.{of}"
    )


def _by_fold(folds):
    uar, accuracy = folds["uar"], folds["accuracy"]
    lines = [
        f"{name}  UAR {a:6.1%}  accuracy {b:6.1%}"
        for name, a, b in zip(folds["names"], uar["values"], accuracy["values"], strict=True)
    ]
    over = f"over {len(lines)} folds (mean ± standard deviation)"
    both = f"UAR {uar['mean']:.1%} ± {uar['sd']:.1%}, accuracy {accuracy['mean']:.1%} ± {accuracy['sd']:.1%}"
    return "\n".join([*lines, f"{both} {over}.", "All folds' predictions pooled:"])


def _headline(metrics):
    interval = metrics["interval"]
    span = ""
    if interval.get("uar"):
        low, high = interval["uar"]
        span = f" (95 % interval over {interval['over']}: {low:.1%} to {high:.1%})"
    what = "chunks" if "by_clip" in metrics else "clips"
    said = (
        f"UAR {metrics['uar']:.1%}{span}, accuracy {metrics['accuracy']:.1%} on {metrics['clips']} {what}; "
        f"chance is {metrics['chance']['uar']:.1%}."
    )
    return f"{said}\nBy clip: {_headline(metrics['by_clip'])}" if "by_clip" in metrics else said
