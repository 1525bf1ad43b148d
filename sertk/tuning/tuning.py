"""Searching: from a space and a manifest to a table of trials and the best settings."""

import contextlib
import io

import keras_tuner

from sertk.atomic import sweep
from sertk.lock import only_writer
from sertk.recipes.book import get
from sertk.recipes.few_labels import classes_of
from sertk.recipes.learner import check
from sertk.recipes.optimizer import optimizer
from sertk.recipes.prepared import prepare
from sertk.recipes.recipe import override
from sertk.recipes.recipe import settings as recipe_settings
from sertk.tuning.begun import begin_search, check_same, refuse_foreign
from sertk.tuning.book import get_space
from sertk.tuning.distributed import check_connection, role, told_of_a_lost_chief
from sertk.tuning.hparams import write_experiment
from sertk.tuning.hyperband import HyperbandOracle
from sertk.tuning.hypermodel import RecipeHyperModel
from sertk.tuning.oracles import BayesianOracle, GridOracle, RandomOracle
from sertk.tuning.results import write_results
from sertk.tuning.search import Search
from sertk.tuning.space import SearchSpace
from sertk.tuning.trial_run import Material, drop_weights, of_trial
from sertk.tuning.tuner import RunTuner

METHODS = ("hyperband", "bayesian", "random", "grid")
# Of the methods that know no end themselves.
TRIALS = 20
FACTOR = 3
FIGURES = ("accuracy", "loss", "val_accuracy", "val_loss")


def tune(
    space,
    manifest,
    directory,
    *,
    recipe=None,
    method="hyperband",
    max_epochs=None,
    trials=None,
    points=4,
    changes=None,
    seed=0,
    cache=None,
    skip_bad=False,
    verbose=None,
    command=None,
):
    """Searches a space for the settings that do best on the validation part.

    A trial is a run: the network, the clips and the training are those of `sertk.train` with the trial's settings, but
    trained once (`training.retrain`) and one member. The test part is taken away as soon as the corpus is divided. A
    search that was killed goes on where it stopped when the same call is made again: trials that ended are not
    repeated, and the one that was going on continues after its last finished epoch.

    Where Keras Tuner's environment variables are set, this process is the chief of a search, or one of its workers.

    Args:
        space: `SearchSpace`, or the name of one, such as "parallel-cnn".
        manifest: DataFrame of `sertk.corpora.load`.
        directory: the search's folder, new, empty or with this very search in it.
        recipe: str, the name of one of the space's recipes. Defaults to the first.
        method: "hyperband", "bayesian", "random" or "grid". Defaults to "hyperband".
        max_epochs: int, the most epochs of a trial; Hyperband gives only the best so many. Defaults to the recipe's.
        trials: int, the most trials. Defaults to 20 for "bayesian" and "random", and to no limit for the others.
        points: int, the values that "grid" takes of a continuous parameter. Defaults to 4.
        changes: dict of settings to override for all trials, as in `sertk.train`. Defaults to None.
        seed: int, of what is drawn; the networks' is `training.seed`. Defaults to 0.
        cache, skip_bad: as in `sertk.train`.
        verbose: 0 silent, 1 a line as a trial begins and ends, 2 its epochs too. Defaults to 1.
        command: str, the command that does it again. Defaults to this call.

    Returns:
        `Search`.

    Raises:
        ConnectionError: if a chief can't listen, or no chief answers a worker.
        ValueError: if a setting is wrong, the split has no validation part, the folder holds something else or is being
            written to, or the first five trials have failed.
        OSError: if the disk is full; the same call goes on once there is room.

    Example:
        >>> manifest = sertk.corpora.load("ravdess", "data/ravdess")
        >>> search = tune("parallel-cnn", manifest, "searches/rate", recipe="004-cnn-mfcc", method="grid")
        >>> search.results[["training.learning_rate", "accuracy", "val_accuracy", "loss", "val_loss"]]
        >>> sertk.train("004-cnn-mfcc", manifest, "runs/best", changes=search.best)
    """
    space = space if isinstance(space, SearchSpace) else get_space(space)
    here = role()
    say = (lambda line: None) if verbose == 0 else (lambda line: print(line, flush=True))
    _check_arguments(method, max_epochs, trials, points, seed)
    given = override(get(space.recipe_name(recipe)), {**space.changes, **(changes or {})})
    _refuse_searched(space, given, changes or {})
    base, manifest, parts = prepare(given, manifest, cache=cache, skip_bad=skip_bad, progress=verbose != 0)
    split = _training_and_validation(base, parts)
    max_epochs = base.training.epochs if max_epochs is None else max_epochs
    search, classes = Search(directory), classes_of(base, manifest)
    hypermodel = RecipeHyperModel(space, base, len(classes))
    oracle = _oracle(method, space, max_epochs, trials, points, seed)
    default = keras_tuner.HyperParameters()
    _check_trials(hypermodel.recipe(default), oracle, max_epochs)
    settings = {
        "space": space.name,
        "recipe": base.to_dict(),
        "method": method,
        "max_epochs": max_epochs,
        "trials": trials,
        "points": points if method == "grid" else None,
        "seed": seed,
        "objective": space.objective,
        "classes": classes,
        "corpora": sorted(set(manifest["corpus"])),
        "command": command or f"sertk.tuning.tune({space.name!r}, manifest, {str(directory)!r}, method={method!r})",
    }
    material = Material(
        split, classes, settings["corpora"], settings["command"], space.objective, cache, _epochs_shown(verbose)
    )
    refuse_foreign(search)
    if here == "worker":
        check_connection()
        if search.path("search.json").is_file():
            check_same(search, settings)
        _carry_out(oracle, hypermodel, search, material, max_epochs, say)
        return search
    with only_writer(search.directory):
        if here == "alone":  # else workers may be writing
            sweep(search.directory)
        if not search.path("search.json").is_file():
            # Of a network that knows clips of the test part the settings would be chosen by it.
            check(of_trial(hypermodel.recipe(default), max_epochs), len(classes), [parts[0][1]])
        if here == "chief":
            check_connection()
        begin_search(search, settings, split)
        write_experiment(search.path("hparams"), default.space, dict.fromkeys((space.objective, *FIGURES)))

        def ended(trial):
            needed = getattr(oracle, "needed", ())
            for name in [name for name in oracle.end_order if name not in needed]:
                drop_weights(search.path(f"trial_{name}"))
            write_results(search, oracle, hypermodel)
            if here == "chief":
                say(f"trial {trial.trial_id}: {trial.status.lower()}")

        oracle.ended = ended
        oracle.update_space(default)
        known = "" if oracle.planned is None else f", at most {oracle.planned} trial{'s' * (oracle.planned > 1)}"
        say(f"{space.title}: {base.name} by {method}{known}; the objective is {space.objective}")
        _carry_out(oracle, hypermodel, search, material, max_epochs, say)
        write_results(search, oracle, hypermodel)
    return search


def _carry_out(oracle, hypermodel, search, material, max_epochs, say):
    """Carries the search out, in this process's role."""
    with contextlib.redirect_stdout(io.StringIO()):  # where it reloads from
        tuner = RunTuner(oracle, hypermodel, search.directory, material, max_epochs, say)
    with told_of_a_lost_chief():
        tuner.search(verbose=0)


def _oracle(method, space, max_epochs, trials, points, seed):
    options = {"objective": keras_tuner.Objective(space.objective, "max"), "seed": seed + 1}  # 0 is any seed
    if method == "hyperband":
        return HyperbandOracle(limit=trials, max_epochs=max_epochs, factor=FACTOR, **options)
    if method == "grid":
        return GridOracle(points=points, limit=trials, **options)
    oracle = {"bayesian": BayesianOracle, "random": RandomOracle}[method]
    return oracle(limit=TRIALS if trials is None else trials, **options)


def _epochs_shown(verbose):
    return None if verbose == 2 else 0


def _training_and_validation(recipe, parts):
    """The one split of a search, without its test part."""
    if len(parts) > 1:
        raise ValueError(
            "`split.kind` must give one split: of a cross-validation each clip is tested on, and the search would see "
            f"it in other folds; use speaker, random or a table of one split. Received: {recipe.split.kind}, "
            f"{len(parts)} folds"
        )
    split = parts[0][1]
    if recipe.training.join_validation or not (split["part"] == "validation").any():
        joined = recipe.training.join_validation
        raise ValueError(
            "`split` must have a validation part, by which trials are judged; "
            + ("set training.join_validation=false. " if joined else "give it a share, such as 0.1. ")
            + f"Received: {'training.join_validation=True' if joined else recipe.split.kind} without one"
        )
    return split[split["part"] != "test"].reset_index(drop=True)


def _refuse_searched(space, recipe, changes):
    """Refuses to fix what the space searches."""
    probe = keras_tuner.HyperParameters()
    searched = space.choose(probe)
    known = recipe_settings(recipe)
    for name in changes:
        full = [one for one in known if name in (one, one.partition(".")[2])]
        both = sorted({name, *full} & set(searched))
        if both:
            raise ValueError(
                f"`{name}` is what the space {space.name} searches; leave it out, or train with it. "
                f"Received: {name}={changes[name]!r}"
            )


def _check_trials(recipe, oracle, max_epochs):
    """Refuses settings that do not go with the fewest epochs that a trial has."""
    shortest = max_epochs
    if isinstance(oracle, HyperbandOracle):
        shortest = oracle.shortest
    optimizer(of_trial(recipe, shortest), steps=1)


def _check_arguments(method, max_epochs, trials, points, seed):
    if method not in METHODS:
        raise ValueError(f"`method` must be one of {', '.join(METHODS)}. Received: method={method!r}")
    for name, value in (("max_epochs", max_epochs), ("trials", trials), ("points", points)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise ValueError(f"`{name}` must be a whole number, at least 1. Received: {name}={value!r}")
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"`seed` must be a whole number, at least 0. Received: seed={seed!r}")
