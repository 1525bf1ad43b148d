"""Carrying out a recipe: from a manifest to trained models, and from there to a report."""

import gc
import json
import os

import pandas as pd

import sertk.corpora
import sertk.evaluation
from sertk.atomic import replacing, sweep
from sertk.lock import only_writer
from sertk.recipes import environment, tell
from sertk.recipes.few_labels import classes_of
from sertk.recipes.learner import check
from sertk.recipes.prepared import prepare
from sertk.recipes.recipe import Recipe
from sertk.recipes.recipe import settings as recipe_settings
from sertk.recipes.run import Run
from sertk.recipes.single import predict_part, train_split

# What a run writes before it is one: a folder with nothing else in it is a run that was killed as it began.
BEGINNINGS = {"split.csv", "skipped.csv", "environment.json"}
# What makes a clip the same clip in a run that goes on.
IDENTITY = ["part", "emotion", "speaker", "corpus"]


def train(recipe, manifest, directory, *, changes=None, cache=None, skip_bad=False, verbose=None, command=None):
    """Trains a recipe's network on a corpus and keeps the run in a folder; in a cross-validation, fold after fold.

    A run that was killed goes on where it stopped when the same call is made again.

    Args:
        recipe: `Recipe`, or the name of one, such as `"004-parallel-mfcc-awgn"`.
        manifest: DataFrame of `sertk.corpora.load`, or several joined by `sertk.corpora.join`.
        directory: the run's folder, new, empty or with this very run in it.
        changes: dict of settings to override, as in `sertk.recipes.override`. `split.kind` may be any kind or
            protocol of `sertk.corpora.divide`. Defaults to None.
        cache: folder for decoded waveforms. Defaults to that of `sertk.audio.WaveformCache`.
        skip_bad: bool, whether clips that can't be decoded are left out, before the corpus is split, and listed with
            their reasons in the run's `skipped.csv`; otherwise they are an error. Defaults to False.
        verbose: Keras's: 0 silent, 1 bars, 2 a line an epoch. Defaults to bars on a terminal, lines elsewhere.
        command: str, the command that does it again, for the report. Defaults to this call.

    Returns:
        `Run`; of a cross-validation `Run.folds` has one for each fold.

    Raises:
        ValueError: if the folder holds another run or is being written to, a setting is wrong, the corpus can't be
            split as asked, or a file can't be decoded.
        OSError: if the disk is full; the same call goes on once there is room.

    Example:
        >>> manifest = sertk.corpora.load("ravdess", "data/ravdess")
        >>> run = train("004-cnn-mfcc", manifest, "runs/folds", changes={"split.kind": "ravdess-emobox"})
        >>> len(run.folds)
        6
    """
    recipe, manifest, parts = prepare(recipe, manifest, changes, cache=cache, skip_bad=skip_bad, progress=verbose != 0)
    skipped = list(manifest.attrs.get("skipped", []))
    common = {
        "recipe": recipe.to_dict(),
        "classes": classes_of(recipe, manifest),
        "corpora": sorted(set(manifest["corpus"])),
        "command": command or _call(recipe, directory, changes),
    }
    run = Run(directory)
    _refuse_foreign(run)
    with only_writer(run.directory):
        sweep(run.directory)
        if _only_begun(run):
            check(recipe, len(common["classes"]), [split for _, split in parts])
        if len(parts) == 1:
            _begin(run, common, skipped, parts[0][1])
            train_split(run, cache, verbose)
            return run
        _begin(run, {**common, "folds": [name for name, _ in parts]}, skipped)
        # All folds are settled before the first one trains: a corpus that changes meanwhile can't come between them.
        for fold, (_, split) in zip(run.folds, parts, strict=True):
            _begin(fold, common, [], split)
        for number, (fold, (name, _)) in enumerate(zip(run.folds, parts, strict=True), start=1):
            if verbose != 0:
                state = "finished before" if fold.finished else fold.directory
                print(f"\n{name} ({number}/{len(parts)}): {state}", flush=True)
            with only_writer(fold.directory):
                train_split(fold, cache, verbose)
            gc.collect()  # the fold's features hang in a circle of references
    return run


def evaluate(run, part="test", *, cache=None, resamples=1000):
    """Measures a run's model on one part of its split and writes the report.

    Of a cross-validation each fold is measured and has a report of its own; the report of the whole gives mean and
    standard deviation over the folds, and pools what the folds' models said about their parts.

    Args:
        run: `Run`, or its folder.
        part: `"test"` or `"validation"`. Defaults to `"test"`.
        cache: folder for decoded waveforms. Defaults to that of `sertk.audio.WaveformCache`.
        resamples: int, of the bootstrap. Defaults to 1000.

    Returns:
        dict, `sertk.evaluation.metrics`; of a cross-validation over the pooled predictions, and with `"folds"`, as
        `sertk.evaluation.over_folds` gives it; of chunks also with `"by_clip"`, the metrics of whole clips. The report
        is `report/report.md` in the run's folder, for the test part, else `report-validation/report.md`.

    Raises:
        ValueError: if the folder holds no finished run, `part` is another word, or the split has no such part.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    if part not in ("test", "validation"):
        raise ValueError(f'`part` must be "test" or "validation". Received: part={part!r}')
    if not run.folds:
        predictions = predict_part(run, part, cache)
        metrics = _measured(run, predictions, resamples)
        _report(run, part, predictions, metrics, history=run.log)
        return metrics
    unfinished = [fold.directory.name for fold in run.folds if not fold.finished]
    if unfinished:
        raise ValueError(
            f"{run.directory}: {len(unfinished)} of {len(run.folds)} folds have not been trained to their end; the "
            f"command that began it goes on with it: {run.settings['command']}. Received: {', '.join(unfinished)}"
        )
    tables, by_fold = [], []
    for fold in run.folds:
        predictions = predict_part(fold, part, cache)
        by_fold.append(_measured(run, predictions, resamples))
        _report(fold, part, predictions, by_fold[-1], history=fold.log)
        tables.append(predictions.assign(fold=fold.directory.name))
    pooled = pd.concat(tables, ignore_index=True)
    metrics = _measured(run, pooled, resamples)
    names = [fold.directory.name for fold in run.folds]
    metrics["folds"] = sertk.evaluation.over_folds(by_fold, names)
    if "by_clip" in metrics:
        metrics["by_clip"]["folds"] = sertk.evaluation.over_folds([fold["by_clip"] for fold in by_fold], names)
    _report(run, part, pooled, metrics)
    return metrics


def _measured(run, predictions, resamples):
    """The metrics of a run's predictions; where these are chunks', the clips' too."""
    metrics = sertk.evaluation.metrics(predictions, run.classes, resamples=resamples)
    if "chunk_start" in predictions:
        clips = sertk.evaluation.by_clip(predictions)
        metrics["by_clip"] = sertk.evaluation.metrics(clips, run.classes, resamples=resamples)
    return metrics


def _report(run, part, predictions, metrics, history=None):
    recipe = run.recipe
    sertk.evaluation.write_report(
        run.path("report" if part == "test" else f"report-{part}"),
        predictions,
        metrics,
        title=f"{recipe.title} ({recipe.name})",
        protocol=tell.protocol(run, part),
        history=history,
        facts=tell.facts(run),
        notes=tell.notes(run),
    )


def _refuse_foreign(run):
    """Leaves a folder alone that holds something else than a run."""
    if run.path("recipe.json").is_file() or not run.directory.exists():
        return
    if not run.directory.is_dir():
        raise ValueError(f"{run.directory}: is a file; choose a folder for the run. Received: the name of a file")
    others = {path.name for path in run.directory.iterdir() if not path.name.startswith(".")} - BEGINNINGS
    if others:
        raise ValueError(
            f"{run.directory}: is neither empty nor a run's folder; choose another one for the run. "
            f"Received: a folder with {', '.join(sorted(others)[:3])}"
        )


def _begin(run, settings, skipped, split=None):
    """Writes what the run is before it begins, or makes sure that what is there is the same.

    `recipe.json` comes last: where it is, the rest is. A run that ended before it had anything to keep, as where its
    graph can't be made, gives way to another one.
    """
    if run.path("recipe.json").is_file():
        there = {name: run.settings.get(name) for name in ("classes", "folds")}
        same = there == {name: settings.get(name) for name in there} and _same_settings(run.recipe, settings["recipe"])
        same_clips = split is None or _same_clips(run.split, split)
        if same and same_clips:
            return
        if not _only_begun(run):
            raise ValueError(
                f"{run.directory}: holds a run with {'other clips' if same else 'other settings'}; choose another "
                f"folder, or delete that one. Received: {settings['recipe']['name']}"
            )
        run.path("recipe.json").unlink()
    if split is not None:
        with replacing(run.path("split.csv")) as unfinished:
            sertk.corpora.save_manifest(split, unfinished)
    run.path("skipped.csv").unlink(missing_ok=True)  # of a run that was killed as it began
    if skipped:
        with replacing(run.path("skipped.csv")) as unfinished:
            pd.DataFrame(skipped).to_csv(unfinished, index=False)
    _write_json(run.path("environment.json"), environment.describe())
    _write_json(run.path("recipe.json"), settings)


def _only_begun(run):
    """Whether a folder holds nothing but what a run begins with."""
    return {path.name for path in run.directory.iterdir() if not path.name.startswith(".")} <= BEGINNINGS | {
        "recipe.json"
    }


def _same_settings(there, recipe):
    """Whether two recipes do the same: a run of an older version lacks settings that have their defaults here."""
    return recipe_settings(there) == recipe_settings(Recipe.from_dict(recipe))


def _same_clips(there, split):
    """Whether two splits hold the same clips, with the same labels and speakers, in the same parts."""

    def clips(table, place):
        identity = table[IDENTITY].astype("string").fillna("").itertuples(index=False, name=None)
        starts = table["chunk_start"] if "chunk_start" in table else [0] * len(table)
        return dict(zip(zip(table["path"].map(place), starts, strict=True), identity, strict=True))

    # The same file may go by another name: a link, or a folder named from another place.
    return clips(there, str) == clips(split, str) or clips(there, os.path.realpath) == clips(split, os.path.realpath)


def _write_json(path, values):
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(values, indent=2) + "\n")


def _call(recipe, directory, changes):
    return f"sertk.train({recipe.name!r}, manifest, {str(directory)!r}, changes={changes!r})"
