"""Carrying out a recipe: from a manifest to a trained model, and from there to a report."""

import json

import keras
import numpy as np
import pandas as pd

import sertk.corpora
import sertk.evaluation
from sertk.atomic import replacing
from sertk.audio import WaveformCache
from sertk.learning import fit
from sertk.models import from_waveform, without_fixed_length
from sertk.pipeline import Clips
from sertk.recipes import assemble, environment
from sertk.recipes.book import get
from sertk.recipes.recipe import Recipe, override
from sertk.recipes.run import Run


def train(recipe, manifest, directory, *, changes=None, cache=None, verbose=None, command=None):
    """Trains a recipe's network on a corpus and keeps the run in a folder.

    A run that was killed goes on where it stopped when the same call is made again.

    Args:
        recipe: `Recipe`, or the name of one, such as `"004-parallel-mfcc-awgn"`.
        manifest: DataFrame of `sertk.corpora.load`, or several joined by `pandas.concat`.
        directory: the run's folder, new, empty or with this very run in it.
        changes: dict of settings to override, as in `sertk.recipes.override`. Defaults to None.
        cache: folder for decoded waveforms. Defaults to that of `sertk.audio.WaveformCache`.
        verbose: Keras's: 0 silent, 1 bars, 2 a line an epoch. Defaults to bars on a terminal, lines elsewhere.
        command: str, the command that does it again, for the report. Defaults to this call.

    Returns:
        `Run`.

    Raises:
        ValueError: if the folder holds another run, a setting is wrong, the corpus can't be split as asked, or a file
            can't be decoded.

    Example:
        >>> manifest = sertk.corpora.load("ravdess", "data/ravdess")
        >>> run = train("004-parallel-mfcc-awgn", manifest, "runs/first", changes={"split.kind": "speaker"})
    """
    recipe = override(recipe if isinstance(recipe, Recipe) else get(recipe), changes or {})
    skipped = manifest.attrs.get("skipped", [])
    manifest = sertk.corpora.map_labels(manifest, recipe.labels)
    split = sertk.corpora.split(manifest, recipe.split.kind, recipe.split.fractions, recipe.split.seed)
    classes = sorted(set(split["emotion"]))
    run = Run(directory)
    _write_settings(run, recipe, classes, split, skipped, command or _call(recipe, directory, changes))
    if run.finished:
        return run
    split = run.split  # as it was written, so that the order of the clips is that of the first call

    seed = recipe.training.seed
    keras.utils.set_random_seed(seed)
    cutting = assemble.fixed_length(recipe)
    waveforms = WaveformCache(cache, recipe.audio.sample_rate)
    shared = {"classes": classes, "cache": waveforms, "fixed_length": cutting, "progress": verbose != 0}
    training = Clips(
        split[split["part"] == "train"],
        batch_size=recipe.training.batch_size,
        shuffle=True,
        noisy_copies=recipe.noise.copies,
        snr=recipe.noise.snr,
        seed=seed,
        **shared,
    )
    validation = Clips(split[split["part"] == "validation"], batch_size=recipe.training.batch_size, **shared)

    steps = {"features": assemble.features(recipe), "normalization": None}
    if recipe.features.normalize:
        steps["normalization"] = keras.layers.Normalization(name="normalization")
        steps["normalization"].adapt(training.dataset.map(lambda clips, _: steps["features"](clips)))
    settings = {
        "learning_rate": recipe.training.learning_rate,
        "epochs": recipe.training.epochs,
        "patience": recipe.training.patience,
        "verbose": verbose,
    }
    network = _network(recipe, steps["features"], cutting.samples, len(classes))
    model = from_waveform(network, samples=cutting.samples, noise=assemble.noise(recipe), **steps)
    log = fit(model, training, validation, run.path("training"), **settings)
    if recipe.training.retrain:
        keras.utils.set_random_seed(seed)
        network = _network(recipe, steps["features"], cutting.samples, len(classes))
        model = from_waveform(network, samples=cutting.samples, noise=assemble.noise(recipe), **steps)
        fit(model, training, None, run.path("retraining"), **{**settings, "epochs": log.best_epoch})

    served = from_waveform(network, fixed_length=cutting, **steps)
    with replacing(run.path("model.keras")) as unfinished:
        served.save(unfinished)
    return run


def evaluate(run, part="test", *, cache=None, resamples=1000):
    """Measures a run's model on one part of its split and writes the report.

    Args:
        run: `Run`, or its folder.
        part: `"test"` or `"validation"`. Defaults to `"test"`.
        cache: folder for decoded waveforms. Defaults to that of `sertk.audio.WaveformCache`.
        resamples: int, of the bootstrap. Defaults to 1000.

    Returns:
        dict, `sertk.evaluation.metrics`. The report is `report/report.md` in the run's folder, for the test part, else
        `report-validation/report.md`.

    Raises:
        ValueError: if the folder holds no finished run, or `part` is another word.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    if part not in ("test", "validation"):
        raise ValueError(f'`part` must be "test" or "validation". Received: part={part!r}')
    model = run.model()
    recipe, classes, split = run.recipe, run.classes, run.split
    clips = split[split["part"] == part].reset_index(drop=True)
    waveforms = WaveformCache(cache, recipe.audio.sample_rate)
    batches = Clips(clips, classes, waveforms, assemble.fixed_length(recipe), batch_size=recipe.training.batch_size)
    probabilities = without_fixed_length(model).predict(batches.dataset.map(lambda waveform, _: waveform), verbose=0)
    predictions = sertk.evaluation.predictions_table(clips.drop(columns="part"), probabilities, classes)
    metrics = sertk.evaluation.metrics(predictions, classes, resamples=resamples)
    sertk.evaluation.write_report(
        run.path("report" if part == "test" else f"report-{part}"),
        predictions,
        metrics,
        title=f"{recipe.title} ({recipe.name})",
        protocol=_protocol(recipe, split, part),
        history=run.log,
        facts=_facts(run, model),
        notes=_notes(recipe, split),
    )
    return metrics


def _network(recipe, features, samples, num_classes):
    return assemble.network(recipe, features.compute_output_shape((None, samples))[1:], num_classes)


def _write_settings(run, recipe, classes, split, skipped, command):
    """Writes what the run is before it begins, or makes sure that what is there is the same."""
    wanted = {"recipe": recipe.to_dict(), "classes": classes}
    if run.path("recipe.json").is_file():
        there = {name: run.settings[name] for name in wanted}
        same_clips = _parts(run.split) == _parts(split)
        if there != wanted or not same_clips:
            raise ValueError(
                f"{run.directory}: holds a run with {'other settings' if there != wanted else 'other clips'}; choose "
                "another folder, or delete that one. "
                f"Received: {recipe.name}"
            )
        return
    if run.directory.exists() and any(run.directory.iterdir()):
        raise ValueError(f"{run.directory}: is neither empty nor a run's folder; choose another one for the run")
    sertk.corpora.save_manifest(split, _made(run.path("split.csv")))
    if skipped:
        pd.DataFrame(skipped).to_csv(run.path("skipped.csv"), index=False)
    _write_json(run.path("environment.json"), environment.describe())
    _write_json(run.path("recipe.json"), {**wanted, "corpora": sorted(set(split["corpus"])), "command": command})


def _parts(split):
    return dict(zip(split["path"], split["part"], strict=True))


def _made(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write_json(path, values):
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(values, indent=2) + "\n")


def _call(recipe, directory, changes):
    return f"sertk.train({recipe.name!r}, manifest, {str(directory)!r}, changes={changes!r})"


def _protocol(recipe, split, part):
    keys = sertk.corpora.speaker_keys(split)

    def size(rows):
        speakers = keys[rows.index].nunique()
        return f"{len(rows):,} clips of {speakers} speakers" if speakers else f"{len(rows):,} clips, speakers unknown"

    parts = {name: size(rows) for name, rows in split.groupby("part", sort=False)}
    audio = recipe.audio
    trimming = "" if audio.trim_top_db is None else f", silent ends trimmed at -{audio.trim_top_db:g} dB"
    return {
        "corpus": ", ".join(sorted(set(split["corpus"]))),
        "emotions": f"{split['emotion'].nunique()} ({recipe.labels or 'as labelled'})",
        "split": f"{recipe.split.kind}, {'/'.join(map(str, recipe.split.fractions))}, seed {recipe.split.seed}",
        "measured on": part,
        **{f"{name} part": parts[name] for name in ("train", "validation", "test")},
        "clips": f"{audio.seconds:g} s at {audio.sample_rate:,} Hz, cropped {audio.crop}, padded {audio.pad}{trimming}",
        "features": recipe.features.kind,
        "normalisation": "by band, fitted on the training part" if recipe.features.normalize else "none",
        "noise": _noise(recipe.noise),
        "training seed": recipe.training.seed,
        "seeds or folds": 1,
    }


def _noise(noise):
    kinds = [f"{noise.copies} copies"] * bool(noise.copies) + ["fresh every epoch"] * noise.fresh
    return f"{' and '.join(kinds)}, {noise.snr[0]:g} to {noise.snr[1]:g} dB SNR, training only" if kinds else "none"


def _facts(run, model):
    log, there = run.log, json.loads(run.path("environment.json").read_text())
    best = int(log["epoch"][np.argmin(log["val_loss"])])
    return {
        "parameters": model.count_params(),
        "epochs": len(log),
        "best epoch": best,
        "training time": f"{log['seconds'].sum() / 60:.1f} min",
        "machine": f"{there['processor']}, {there['cores']} cores, {len(there['gpus'])} GPUs",
        "versions": ", ".join(f"{name} {version}" for name, version in there["packages"].items()),
        "command": run.settings["command"],
    }


def _notes(recipe, split):
    notes = []
    if "synthetic" in set(split["corpus"]):
        notes.append(
            "The corpus is synthetic: made by a program, not spoken by people. The figures say that the path works."
        )
    if recipe.split.kind == "random":
        notes.append(
            "The split is random: the test speakers are in training too, so the figures say nothing about new speakers."
        )
    return notes
