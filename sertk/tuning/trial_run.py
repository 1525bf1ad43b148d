"""A trial as a run: trained by the code that `sertk train` runs, on the training and validation parts alone."""

import dataclasses
import json
import shutil

from sertk.atomic import replacing, sweep
from sertk.corpora import save_manifest
from sertk.lock import only_writer
from sertk.recipes.recipe import override
from sertk.recipes.run import Run
from sertk.recipes.single import train_split
from sertk.tuning.linear_evaluation import linear_evaluation

# What a row of a run's log holds besides figures of the network.
NO_FIGURES = ("epoch", "step", "seconds", "learning_rate")


@dataclasses.dataclass(frozen=True)
class Material:
    """What all trials of a search have in common.

    Args:
        split: manifest with `part`, which has no test part.
        classes: list of str.
        corpora: list of str.
        command: str, for `recipe.json`.
        objective: str, that of the space.
        cache: folder for decoded waveforms.
        verbose: Keras's, for the epochs of a trial.
    """

    split: object
    classes: list
    corpora: list
    command: str
    objective: str
    cache: object = None
    verbose: int = 0


def of_trial(recipe, epochs):
    """The recipe of a trial: so many epochs at most, trained once, one member."""
    return override(recipe, {"training.epochs": epochs, "training.retrain": False, "training.members": 1})


def train_trial(recipe, directory, material, past=None):
    """Trains a trial in its folder, or goes on with it; the same call again gives the same figures.

    Args:
        recipe: `Recipe`, of `of_trial`.
        directory: the trial's folder; the run is in `run/`.
        material: `Material`.
        past: the folder of the trial that it goes on from, with the same settings but fewer epochs, or None. Its
            weights and its optimiser are taken over, so that both together are one training, wherever an epoch does not
            depend on how many there will be; with a learning rate that falls until the last epoch it begins anew.
            Defaults to None.

    Returns:
        dict of floats: the row of the kept epoch in the run's log, `epochs`, `kept_epoch`, `seconds`, and the objective
        of the space.

    Raises:
        ValueError: if training diverges.
    """
    run = Run(directory / "run")
    with only_writer(directory):
        sweep(directory)
        if not run.path("recipe.json").is_file() or run.recipe != recipe:
            _begin(run, recipe, material, past)
        train_split(run, material.cache, material.verbose)
    log = run.log
    row = log.loc[log["epoch"] == run.kept_epoch].iloc[0]
    figures = {name: float(value) for name, value in row.items() if name not in NO_FIGURES}
    figures |= {"epochs": float(len(log)), "kept_epoch": float(run.kept_epoch), "seconds": float(log["seconds"].sum())}
    if material.objective == "val_linear_accuracy":
        figures |= linear_evaluation(run, cache=material.cache)
    return figures


def drop_weights(directory):
    """Deletes the weights of a trial that nobody will go on from; what was measured stays.

    Args:
        directory: the trial's folder.
    """
    run = Run(directory / "run")
    for path in (run.path("model.keras"), *run.path("training").glob("epoch-*.weights.h5")):
        path.unlink(missing_ok=True)


def goes_on(recipe):
    """Whether an epoch of a recipe is the same however many follow it."""
    return recipe.training.schedule not in ("cosine", "linear") and recipe.training.evaluate_every is None


def _begin(run, recipe, material, past):
    """Writes what the run is; `recipe.json` comes last, so that what is half begun is begun again."""
    shutil.rmtree(run.directory, ignore_errors=True)
    run.directory.mkdir(parents=True)
    if past is not None and goes_on(recipe):
        shutil.copytree(past / "run" / "training", run.path("training"), dirs_exist_ok=True)
    with replacing(run.path("split.csv")) as unfinished:
        save_manifest(material.split, unfinished)
    settings = {
        "recipe": recipe.to_dict(),
        "classes": material.classes,
        "corpora": material.corpora,
        "command": material.command,
    }
    with replacing(run.path("recipe.json")) as unfinished:
        unfinished.write_text(json.dumps(settings, indent=2) + "\n")
