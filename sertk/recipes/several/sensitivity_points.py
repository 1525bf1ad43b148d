"""How much a result hangs on a setting: many runs that differ in it, as points of a picture."""

import statistics
from pathlib import Path

import pandas as pd

from sertk.atomic import replacing
from sertk.evaluation import align, metrics, plot_sensitivity
from sertk.evaluation.sensitivity_plot import ordered
from sertk.recipes.recipe import settings
from sertk.recipes.run import refuse_runs_folder
from sertk.recipes.several.measured import measured, open_runs, refuse_repeated

SEED = "training.seed"
# The paper's validation figures are of networks that the validation part did not train, its test figures of others.
JOINED = "training.join_validation"
MEASURES = ("uar", "accuracy")


def sensitivity(runs, directory=None, *, x, group=None, lines=None, baseline=(), cache=None):
    """Sets runs side by side that differ in one to three settings, as figure 2 of paper 003 does.

    A point is the mean over runs that differ in `training.seed` alone; of a cross-validation the mean over its folds
    counts as one run. Runs that were not measured yet are measured now, on the validation part too if all have one. Of
    chunks the figures are those of clips. Where there are runs with `training.join_validation`, the test figures are
    theirs alone, as the paper's are, and the validation figures those of the others.

    With a directory it then holds `sensitivity.png`, as `sertk.evaluation.plot_sensitivity` draws it, and
    `sensitivity.csv`, the points.

    To pick the setting with the highest test UAR, as the paper does, flatters: of many settings the best is partly the
    luckiest. `best_point` picks on the validation part.

    Args:
        runs: list of folders of finished runs.
        directory: where to write, no run's folder. Defaults to None: nowhere.
        x: str, the full name of the setting that runs along the axis, such as "graph.multiplier".
        group: str, the setting that has a panel for each of its values, such as "graph.neighbors". Defaults to None.
        lines: str, the setting that has a line for each of its values, such as "graph.layer". Defaults to None.
        baseline: list of folders of finished runs, which differ among themselves in `training.seed` alone. Defaults to
            none.
        cache: folder for decoded waveforms. Defaults to that of `sertk.audio.WaveformCache`.

    Returns:
        DataFrame with a row a point and part: `part`, "validation" or "test"; `baseline`, bool; a column for each of
        `group`, `lines` and `x`, by its name, None of the baseline; `runs`, how many; `uar`, `uar_sd`, `accuracy`,
        `accuracy_sd`, mean and standard deviation (n - 1 in the denominator; NaN of one run).

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if a folder holds no finished run, a setting is unknown or named twice, runs differ in other
            settings too or in their clips, or a point has two runs of one seed.

    Example:
        >>> points = sensitivity(folders, "figure", x="graph.multiplier", group="graph.neighbors", lines="graph.layer")
    """
    keys = _checked_keys(x, group, lines)
    refuse_runs_folder(directory, "the picture")
    runs = open_runs(runs)
    baseline = open_runs(baseline, "baseline") if baseline else []
    refuse_repeated([*runs, *baseline], "runs` and `baseline")
    values = _settings_of(runs, keys)
    _refuse_other_settings(runs, keys, "runs")
    _refuse_other_settings(baseline, (), "baseline")

    orders = [ordered(column) for column in zip(*values, strict=True)]
    ranks = {value: [order.index(one) for order, one in zip(orders, value, strict=True)] for value in values}
    places = {}
    for value in sorted(ranks, key=ranks.get):
        places[False, value] = [run for run, there in zip(runs, values, strict=True) if there == value]
    if baseline:
        places[True, (None,) * len(keys)] = baseline
    for together in places.values():
        _refuse_repeated_seeds(together)
    rows = []
    for part, measurable in _by_part([*runs, *baseline]).items():
        figures = _figures(measurable, part, cache)
        for (is_baseline, value), together in places.items():
            several = [figures[run.directory] for run in together if run.directory in figures]
            if several:
                row = {"part": part, "baseline": is_baseline, **dict(zip(keys, value, strict=True))}
                rows.append(row | {"runs": len(several), **_spreads(several)})
    points = pd.DataFrame(rows)
    for key in keys:  # of None and numbers pandas would make floats
        points[key] = pd.Series([row[key] for row in rows], dtype="object")
    if directory is not None:
        directory = Path(directory)
        plot_sensitivity(points, directory / "sensitivity.png", x=x, group=group, lines=lines)
        with replacing(directory / "sensitivity.csv") as unfinished:
            points.to_csv(unfinished, index=False, lineterminator="\n", encoding="utf-8")
    return points


def best_point(points):
    """The point with the highest UAR on the validation part.

    Args:
        points: DataFrame that `sensitivity` made.

    Returns:
        Two dicts, the point's rows of the validation part and of the test part, the second None if it was not tested;
        or None where nothing was validated.
    """
    own = points[~points["baseline"]]
    validation = own[own["part"] == "validation"]
    if validation.empty:
        return None
    best = validation.loc[validation["uar"].idxmax()]
    keys = list(points.columns[2 : points.columns.get_loc("runs")])
    test = own[own["part"] == "test"]
    same = [all(row[key] == best[key] for key in keys) for row in test.to_dict("records")]
    return best.to_dict(), test[same].iloc[0].to_dict() if any(same) else None


def _checked_keys(x, group, lines):
    keys = [key for key in (group, lines, x) if key is not None]
    if len(set(keys)) < len(keys) or {SEED, JOINED} & set(keys):
        raise ValueError(
            f"`x`, `group` and `lines` must be settings of their own; {SEED} is averaged over, and {JOINED} says which "
            "part a run's figures are of. "
            f"Received: x={x!r}, group={group!r}, lines={lines!r}"
        )
    return keys


def _settings_of(runs, keys):
    """Of each run the values of the settings that are shown."""
    found = []
    for run in runs:
        there = settings(run.recipe)
        for key in keys:
            if key not in there:
                raise ValueError(
                    f"`x`, `group` and `lines` must be settings of all runs, by their full names, such as "
                    f"training.learning_rate; `sertk recipes {run.recipe.name}` lists those of {run.directory}. "
                    f"Received: {key}"
                )
        found.append(tuple(_plain(there[key]) for key in keys))
    return found


def _plain(value):
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _refuse_other_settings(runs, keys, argument):
    """Refuses runs that differ in settings that are not shown: their mean would be of apples and pears."""
    if not runs:
        return
    hidden = [{k: v for k, v in settings(run.recipe).items() if k not in (*keys, SEED, JOINED)} for run in runs]
    for run, there in zip(runs, hidden, strict=True):
        for name in {**hidden[0], **there}:
            values = [each.get(name, "not set") for each in (hidden[0], there)]
            if values[0] != values[1]:
                shown = f"{', '.join(keys)} and {SEED}" if keys else SEED
                raise ValueError(
                    f"`{argument}` must share all settings but {shown}; leave out those that do not. "
                    f"Received: {name} is {values[0]} in {runs[0].directory} and {values[1]} in {run.directory}"
                )


def _refuse_repeated_seeds(runs):
    found = {}
    for run in runs:
        training = run.recipe.training
        first = found.setdefault((training.seed, training.join_validation), run)
        if first is not run:
            raise ValueError(
                f"`runs` must hold one run for each point and {SEED}; leave out one. "
                f"Received: {first.directory} and {run.directory}, both of seed {training.seed}"
            )


def _by_part(runs):
    """The runs whose figures count, by part."""
    joined = [run for run in runs if run.recipe.training.join_validation]
    others = [run for run in runs if not run.recipe.training.join_validation]
    validated = others if all(run.has_part("validation") for run in others) else []
    return {part: there for part, there in (("validation", validated), ("test", joined or others)) if there}


def _spreads(figures):
    """Mean and standard deviation of several runs' figures."""
    spreads = {}
    for measure in MEASURES:
        values = [figure[measure] for figure in figures]
        spreads[measure] = statistics.fmean(values)
        spreads[f"{measure}_sd"] = statistics.stdev(values) if len(values) > 1 else float("nan")
    return spreads


def _figures(runs, part, cache):
    """UAR and accuracy of each run by its folder, means over the folds; all about the same clips."""
    figures, first = {}, None
    for run in runs:
        folds = measured(run, part, cache)
        table = pd.concat([fold.table.assign(**{"fold": fold.fold} if fold.fold else {}) for fold in folds])
        first = first or (table, str(run.directory))
        if str(run.directory) != first[1]:
            align([first[0], table], [first[1], str(run.directory)])
        each = [metrics(fold.table, run.classes, resamples=0) for fold in folds]
        figures[run.directory] = {measure: statistics.fmean(fold[measure] for fold in each) for measure in MEASURES}
    return figures
