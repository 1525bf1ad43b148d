"""The command line: `sertk ...`."""

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Speech emotion recognition: from a folder of speech to a served model.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Corpora = Annotated[
    list[str],
    typer.Option(
        "--corpus", "-c", metavar="NAME=DIR", help="A corpus: the reader's name and its folder. Several are joined."
    ),
]
Settings = Annotated[
    list[str],
    typer.Option(
        "--set", "-s", metavar="KEY=VALUE", help="Changes a setting of the recipe, such as training.learning_rate=1e-3."
    ),
]
Cache = Annotated[
    Path | None, typer.Option(help="Folder for decoded waveforms; by default $SERTK_CACHE or the user's cache folder.")
]


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
    settings: Settings = [],  # noqa: B006  (typer wants the default itself)
    cache: Cache = None,
):
    """Train a recipe's network on a corpus. The same command goes on with a run that was stopped."""
    from sertk.recipes.book import get
    from sertk.recipes.recipe import override

    changes = _settings(settings)
    override(get(recipe), changes)  # a slip of the pen is told before the corpus is read
    manifest = _manifest(corpus)
    sertk = _sertk()
    run = sertk.train(recipe, manifest, output, changes=changes, cache=cache, command=_command())
    best = run.log.loc[run.log["val_loss"].idxmin()]
    typer.echo(
        f"\nBest epoch {best['epoch']:.0f} of {len(run.log)}: validation loss {best['val_loss']:.3f}, "
        f"accuracy {best['val_accuracy']:.1%}. Everything is in {output}.\n"
        f"  sertk evaluate {output}\n  sertk export {output} -o saved_models/{recipe}/1"
    )


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="The folder of a finished run.")],
    part: Annotated[str, typer.Option(help='"test" or "validation".')] = "test",
    as_json: Annotated[bool, typer.Option("--json", help="Print all metrics as JSON.")] = False,
    cache: Cache = None,
):
    """Measure a run on its test part and write the report."""
    metrics = _sertk().evaluate(run, part, cache=cache)
    if as_json:
        typer.echo(json.dumps(metrics, indent=2))
        return
    folder = run / ("report" if part == "test" else f"report-{part}")
    typer.echo(f"{_headline(metrics)}\nThe report is {folder / 'report.md'}.")


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(metavar="RUN_DIR_OR_SAVEDMODEL", help="A run's folder or a SavedModel.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Audio files, and folders of them.")],
    windows: Annotated[
        bool, typer.Option("--windows", help="Average over the whole of a long recording, half-overlapping windows.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
):
    """Predict the emotion of audio files of any length."""
    _load_tensorflow()
    from sertk.inference import Predictor, predict

    predictor = Predictor(model)
    table = predict(predictor, files, windows=windows)
    if as_json:
        typer.echo(json.dumps(_records(table, predictor.classes), indent=2))
        return
    _echo_table(table, predictor.classes)
    heard = predictor.samples / predictor.sample_rate
    longer = (table["seconds"] > 2 * heard).sum()
    if longer and not windows:
        typer.echo(
            f"sertk: {longer} files are over twice as long as the {heard:g} s that the model hears; --windows averages "
            "over the whole",
            err=True,
        )


@app.command()
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="The folder of a finished run.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Such as saved_models/NAME/1.")],
):
    """Export a run's model as a SavedModel that takes raw waveforms."""
    _sertk().export_saved_model(run, output)
    typer.echo(f"{output} takes waveforms, float32 (batch, samples), and gives label, classes and probabilities.")


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
    _load_tensorflow()
    from sertk.quickstart import quickstart as run_quickstart

    run_quickstart(
        output, _manifest(corpus) if corpus else None, changes=_settings(settings), cache=cache, command=_command()
    )


def main():
    """Runs the command line: one line for a user's error, a status that is not 0, a traceback only if asked for."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.showwarning = lambda message, *_, **__: typer.echo(f"sertk: warning: {message}", err=True)
    warnings.filterwarnings("ignore", module=r"(keras|tensorflow|librosa)\b")
    try:
        sys.exit(app(sys.argv[1:] or ["--help"], prog_name="sertk", standalone_mode=False))
    except KeyboardInterrupt:
        typer.echo("sertk: interrupted; `sertk train` goes on where it was when it is called again", err=True)
        sys.exit(130)
    except Exception as error:
        if os.environ.get("SERTK_DEBUG"):
            raise
        if hasattr(error, "format_message"):  # a slip in the command itself, told by typer
            command = error.ctx.command_path if error.ctx else "sertk"
            typer.echo(f"sertk: {' '.join(error.format_message().split())} `{command} --help` tells more", err=True)
            sys.exit(error.exit_code)
        expected = isinstance(error, ValueError | OSError)
        lines = str(error).strip().splitlines() or [""]
        message = " ".join(lines) if expected else f"{type(error).__name__}: {lines[0]} (SERTK_DEBUG=1 shows where)"
        typer.echo(f"sertk: {message}", err=True)
        sys.exit(1)


def _sertk():
    """The package, with the rooms loaded that need TensorFlow."""
    import sertk

    _load_tensorflow()
    return sertk


def _load_tensorflow():
    """Loads TensorFlow and lets it look for GPUs, without the lines that both print."""
    from sertk.quiet import quiet_loading

    with quiet_loading():
        import tensorflow as tf

        tf.config.list_physical_devices("GPU")


def _manifest(corpora):
    import pandas as pd

    import sertk.corpora

    manifests = []
    for spec in corpora:
        name, separator, directory = spec.partition("=")
        if not separator or not directory:
            raise ValueError(f"`--corpus` must be NAME=DIR, such as ravdess=data/ravdess. Received: {spec}")
        manifests.append(sertk.corpora.load(name, Path(directory).expanduser()))
    joined = pd.concat(manifests, ignore_index=True)
    joined.attrs["skipped"] = [skipped for manifest in manifests for skipped in manifest.attrs.get("skipped", [])]
    return joined


def _settings(pairs):
    changes = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator:
            raise ValueError(f"`--set` must be KEY=VALUE, such as training.epochs=20. Received: {pair}")
        try:
            changes[key] = json.loads(value)
        except json.JSONDecodeError:
            changes[key] = None if value.lower() == "none" else value
    return changes


def _command():
    import shlex

    return shlex.join(["sertk", *sys.argv[1:]])


def _headline(metrics):
    interval = metrics["interval"]
    span = ""
    if interval.get("uar"):
        low, high = interval["uar"]
        span = f" (95 % interval over {interval['over']}: {low:.1%} to {high:.1%})"
    return (
        f"UAR {metrics['uar']:.1%}{span}, accuracy {metrics['accuracy']:.1%} on {metrics['clips']} clips; "
        f"chance is {metrics['chance']['uar']:.1%}."
    )


def _records(table, classes):
    return [
        {
            "path": row["path"],
            "seconds": row["seconds"],
            "predicted": row["predicted"],
            "probabilities": {name: row[f"p_{name}"] for name in classes},
        }
        for row in table.to_dict("records")
    ]


def _echo_table(table, classes):
    path_width = max(len("file"), *table["path"].map(len))
    widths = [max(len(name), 5) for name in classes]
    label_width = max(map(len, classes))
    header = "  ".join(f"{name:>{width}}" for name, width in zip(classes, widths, strict=True))
    typer.echo(f"{'file':{path_width}}  {'predicted':{max(9, label_width)}}  {header}")
    for row in table.to_dict("records"):
        cells = "  ".join(f"{row[f'p_{name}']:>{width}.3f}" for name, width in zip(classes, widths, strict=True))
        typer.echo(f"{row['path']:{path_width}}  {row['predicted']:{max(9, label_width)}}  {cells}")


if __name__ == "__main__":
    main()
