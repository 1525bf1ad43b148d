"""Two groups of runs set beside each other, pair by pair: the same seed on the same split or fold."""

import itertools
import os
import statistics
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sertk.evaluation import align, mcnemar, metrics, paired_test, uar_z_test, write_pairs
from sertk.evaluation.paired import match_pairs
from sertk.recipes.recipe import settings
from sertk.recipes.run import refuse_runs_folder
from sertk.recipes.several.measured import measured, open_runs, refuse_repeated

MEASURES = ("uar", "accuracy")
NAMES = ("baseline", "compared")


class Key(NamedTuple):
    """What makes a pair: the seed, and the fold or what tells the split from the others."""

    seed: int
    fold: str

    def __str__(self):
        return ", ".join(filter(None, [f"seed {self.seed}", self.fold]))


def compare_runs(baseline, runs, directory=None, *, names=None, part="test", cache=None, command=None):
    """Compares runs with baseline runs that were trained with the same seeds on the same splits.

    Runs are matched by `training.seed`, by fold, and by what of `split` differs within a group. Each pair has to be
    measured on the same clips. A run that was not measured yet is measured now. Of chunks the figures are those of
    clips.

    With a directory it then holds `comparison.md`, `pairs.png`, `pairs.csv`, and of each group `confusion-baseline.png`
    and `confusion-compared.png`, over all its predictions; a clip that several runs were tested on counts as often.

    Args:
        baseline: list of folders of finished runs, single splits or cross-validations.
        runs: list of folders of finished runs, one for each of `baseline`.
        directory: where to write, no run's folder. Defaults to None: nowhere.
        names: two str, what `baseline` and `runs` are called. Defaults to what the names of their folders begin with,
            or "baseline" and "compared".
        part: "test" or "validation", what they were measured on. Defaults to "test".
        cache: folder for decoded waveforms. Defaults to that of `sertk.audio.WaveformCache`.
        command: str, the command that does it again, for the page. Defaults to None.

    Returns:
        dict, ready for JSON:

        - `part`, `names`; `pairs`, a list of dicts: `seed`, `fold` (of single splits what they differ in, or ""),
          `baseline_run`, `run`, `clips`, `baseline_uar`, `uar`, `baseline_accuracy`, `accuracy`, `z_test` and
          `mcnemar`, whose first is `runs`'
        - `groups`: of each name `uar` and `accuracy`, dicts of `mean` and `sd` (None of one run) over the pairs
        - `tests`: `uar` and `accuracy`, of `sertk.evaluation.paired_test`; where pairs were measured on several folds
          or splits, with the corrected resampled t-test
        - `z_test`: paper 003's test of the mean UARs, `sertk.evaluation.uar_z_test`, with `clips`, those that the runs
          of one seed are measured on
        - `differing`: dict from each setting that the groups differ in to the two lists of values, empty where no run
          of a group has the setting

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if a folder holds no finished run, a run is given twice, a pair is incomplete or not about the same
            clips, or the arguments do not fit together.

    Example:
        >>> said = compare_runs(["runs/base-0", "runs/base-1"], ["runs/nsl-0", "runs/nsl-1"], "compared/nsl")
        >>> said["tests"]["uar"]["difference"], said["tests"]["uar"]["p"]
    """
    if part not in ("test", "validation"):
        raise ValueError(f'`part` must be "test" or "validation". Received: part={part!r}')
    refuse_runs_folder(directory, "the comparison")
    groups = [open_runs(baseline, "baseline"), open_runs(runs)]
    refuse_repeated([run for group in groups for run in group], "baseline` and `runs")
    names = _names(groups, names)
    varying = _varying(groups)
    tables = [_by_pair(group, name, varying, part, cache) for group, name in zip(groups, names, strict=True)]
    keys = match_pairs(tables[1], tables[0], (names[1], names[0]))
    pairs = [_pair(key, tables[0][key], tables[1][key]) for key in keys]
    several = len({pair["fold"] for pair in pairs}) > 1
    share = _test_to_train([tables[0][key] for key in keys]) if several else None
    said = {
        "part": part,
        "names": names,
        "groups": {
            name: {measure: _spread([pair[prefix + measure] for pair in pairs]) for measure in MEASURES}
            for name, prefix in zip(names, ("baseline_", ""), strict=True)
        },
        "tests": {measure: _paired(keys, pairs, measure, share) for measure in MEASURES},
        "z_test": _z_test_of_means(pairs),
        "pairs": pairs,
        "differing": _differing(groups),
    }
    if directory is not None:
        pooled = [
            metrics(pd.concat([table[key].table for key in keys], ignore_index=True), group[0].classes, resamples=0)
            for table, group in zip(tables, groups, strict=True)
        ]
        write_pairs(directory, said, pooled, command=command)
    return said


def _names(groups, names):
    if names is not None:
        names = list(names)
        if len(names) != 2 or len(set(names)) < 2 or not all(isinstance(name, str) and name.strip() for name in names):
            raise ValueError(f"`names` must be two names, of the baseline and of the others. Received: names={names!r}")
        return names
    found = []
    for group in groups:
        folders = [Path(os.path.realpath(run.directory)).name for run in group]
        found.append(folders[0] if len(folders) == 1 else _beginning(folders))
    return found if all(found) and len(set(found)) == 2 else list(NAMES)


def _beginning(names):
    """What several names begin with, without the first digits of their numbers: "base" of base-10 and base-11."""
    same = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    shared = "".join(letters[0] for letters in same)
    if any(name[len(shared) :][:1].isdigit() for name in names):
        shared = shared.rstrip("0123456789")
    return shared.rstrip("-_. ")


def _varying(groups):
    """The settings of `split` that runs of one group differ in."""
    found = {}
    for group in groups:
        values = [_split(run) for run in group]
        found |= dict.fromkeys(name for name in values[0] if len({repr(value[name]) for value in values}) > 1)
    return list(found)


def _split(run):
    return {name: value for name, value in settings(run.recipe).items() if name.startswith("split.")}


def _by_pair(group, name, varying, part, cache):
    """What the runs of a group say, by seed and fold."""
    found = {}
    for run in group:
        split = ", ".join(f"{key}={_split(run)[key]}" for key in varying)
        for one in measured(run, part, cache):
            key = Key(run.recipe.training.seed, ", ".join(filter(None, [split, one.fold])))
            if key in found:
                raise ValueError(
                    f"`{name}` must hold one run for each training.seed and split; leave out one. "
                    f"Received: {found[key].name} and {one.name}, both {key}"
                )
            found[key] = one
    return found


def _pair(key, base, other):
    names = [other.name, base.name]
    tables = align([other.table, base.table], names)
    figures, baseline = (
        metrics(table, one.run.classes, resamples=0) for table, one in zip(tables, (other, base), strict=True)
    )
    return {
        "seed": key.seed,
        "fold": key.fold,
        "baseline_run": base.name,
        "run": other.name,
        "clips": figures["clips"],
        **{f"baseline_{measure}": baseline[measure] for measure in MEASURES},
        **{measure: figures[measure] for measure in MEASURES},
        "z_test": uar_z_test(figures["uar"], baseline["uar"], figures["clips"]),
        "mcnemar": mcnemar(*tables, names=names),
    }


def _spread(values):
    return {"mean": statistics.fmean(values), "sd": statistics.stdev(values) if len(values) > 1 else None}


def _paired(keys, pairs, measure, share):
    scores, baseline = (
        dict(zip(keys, (pair[prefix + measure] for pair in pairs), strict=True)) for prefix in ("", "baseline_")
    )
    return paired_test(scores, baseline, test_to_train=share)


def _test_to_train(ones):
    """The mean size of the parts that were measured by that of their training parts."""
    return statistics.fmean(len(one.table) for one in ones) / statistics.fmean(one.training_clips for one in ones)


def _z_test_of_means(pairs):
    clips = {}
    for pair in pairs:
        clips[pair["seed"]] = clips.get(pair["seed"], 0) + pair["clips"]
    fewest = min(clips.values())
    means = [statistics.fmean(pair[key] for pair in pairs) for key in ("uar", "baseline_uar")]
    return {"clips": fewest, **uar_z_test(*means, fewest)}


def _differing(groups):
    """The settings that the groups differ in, each with its values in both, as they first come."""
    values = [[settings(run.recipe) for run in group] for group in groups]
    found = {}
    for name in dict.fromkeys(name for group in values for run in group for name in run):
        sides = [list({repr(run[name]): run[name] for run in group if name in run}.values()) for group in values]
        if {repr(value) for value in sides[0]} != {repr(value) for value in sides[1]}:
            found[name] = [[list(value) if isinstance(value, tuple) else value for value in side] for side in sides]
    return found
