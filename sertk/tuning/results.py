"""What came out of a search: a row a trial, and the settings of the best one."""

import json
from pathlib import Path

import pandas as pd

from sertk.atomic import replacing
from sertk.recipes import get
from sertk.recipes.recipe import settings as recipe_settings
from sertk.tuning.tuner import own_values


def results_table(oracle, directory):
    """The trials of a search in the order in which they were begun.

    Args:
        oracle: the search's.
        directory: its folder, for the reasons of failed trials.

    Returns:
        DataFrame with the columns `trial`, `status` ("completed", "failed" or "running"), `goes_on_from`, one for each
        parameter of the space, `score` (the objective), one for each figure, and `reason`, why it failed.
    """
    rows = []
    for name in oracle.start_order:
        trial = oracle.trials[name]
        reason = Path(directory) / f"trial_{name}" / "failed.txt"
        rows.append(
            {
                "trial": name,
                "status": trial.status.lower() if trial.status in ("COMPLETED", "FAILED") else "running",
                "goes_on_from": trial.hyperparameters.values.get("tuner/trial_id"),
                **own_values(trial.hyperparameters),
                "score": trial.score,
                **{figure: history.get_best_value() for figure, history in trial.metrics.metrics.items()},
                "reason": reason.read_text().strip() if trial.status == "FAILED" and reason.is_file() else None,
            }
        )
    return pd.DataFrame(rows)


def best_changes(recipe, chosen):
    """The settings in which the best recipe differs from that of its name, and those that were searched.

    Args:
        recipe: `Recipe` of the best trial, with its settings.
        chosen: names of the settings that the space chose.

    Returns:
        dict, as `sertk.recipes.override` takes it.
    """
    own = recipe_settings(get(recipe.name))
    return {
        name: value
        for name, value in recipe_settings(recipe).items()
        if name in chosen or name not in own or own[name] != value
    }


def write_results(search, oracle, hypermodel):
    """Writes `results.csv` and, once a trial is completed, `best.json`.

    Args:
        search: `Search`.
        oracle: the search's.
        hypermodel: `RecipeHyperModel`.
    """
    with replacing(search.path("results.csv")) as unfinished:
        results_table(oracle, search.directory).to_csv(unfinished, index=False, lineterminator="\n", encoding="utf-8")
    best = oracle.get_best_trials(1)
    if best and best[0].status == "COMPLETED":
        hp = best[0].hyperparameters
        config = best_changes(hypermodel.recipe(hp), hypermodel.changes(hp))
        with replacing(search.path("best.json")) as unfinished:
            unfinished.write_text(json.dumps(config, indent=2) + "\n")
