"""What finished runs were measured at: their predictions, a split or fold at a time."""

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sertk.evaluation import by_clip
from sertk.recipes.run import Run
from sertk.recipes.several.members import Member


@dataclass(frozen=True)
class Measured:
    """A network and what it says about one part of its split.

    Args:
        run: `Run`, whose settings these are; of a fold the cross-validation.
        fold: str, the fold's name; "" for a run on a single split.
        table: DataFrame, the predictions of clips; of chunks their clips'.
    """

    run: Run
    fold: str
    table: pd.DataFrame

    @property
    def name(self):
        """str, what it is called in errors: the folder of the run or the fold."""
        return str(self.run.path(self.fold))

    @property
    def training_clips(self):
        """int, how many clips it was trained on."""
        split = Run(self.run.path(self.fold)).split
        parts = ["train", *["validation"] * self.run.recipe.training.join_validation]
        return split.loc[split["part"].isin(parts), "path"].nunique()


def open_runs(directories, argument="runs"):
    """Opens finished runs, each once.

    Args:
        directories: list of folders, or of `Run`, at least one.
        argument: what the list is called in errors. Defaults to "runs".

    Returns:
        list of `Run`.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if there is none, one is given twice, a folder holds no run, or training has not ended.
    """
    if isinstance(directories, str | Path | Run) or not directories:
        raise ValueError(f"`{argument}` must be a list of at least one run's folder. Received: {directories!r}")
    runs = [each if isinstance(each, Run) else Run.open(each) for each in directories]
    refuse_repeated(runs, argument)
    for run in runs:
        if not run.finished:
            raise ValueError(
                f"{run.directory}: training has not ended; the command that began it goes on with it: "
                f"{run.settings['command']}"
            )
    return runs


def refuse_repeated(runs, argument):
    """Refuses runs that are given twice, by whatever name."""
    places = [os.path.realpath(run.directory) for run in runs]
    twice = sorted({str(run.directory) for run, place in zip(runs, places, strict=True) if places.count(place) > 1})
    if twice:
        raise ValueError(f"`{argument}` must hold each run once. Received: {', '.join(twice)} again")


def unmeasured(directories, parts=("test",)):
    """Those of some folders that are finished runs without the report of a part that they can be measured on.

    To measure them takes TensorFlow.

    Args:
        directories: list of folders; what is no run is passed over.
        parts: which parts. Defaults to the test part.

    Returns:
        list of `Run`.
    """
    runs = [Run(directory) for directory in directories if (Path(directory) / "recipe.json").is_file()]
    return [
        run
        for run in runs
        if run.finished and any(run.has_part(part) and not _predictions(run, part).is_file() for part in parts)
    ]


def measured(run, part="test", cache=None):
    """What a run says about a part, from its report; a run that was not measured yet is measured now.

    Args:
        run: `Run`, finished.
        part: "test" or "validation". Defaults to "test".
        cache: folder for decoded waveforms. Defaults to that of `sertk.audio.WaveformCache`.

    Returns:
        list of `Measured`, one a fold; of a single split one.

    Raises:
        ValueError: if the split has no such part, or the predictions are not those of the run's folds.
    """
    table = Member(str(run.directory), run.directory, run).predictions(part, cache)
    table = by_clip(table) if "chunk_start" in table else table
    if not run.folds:
        return [Measured(run, "", table)]
    names = [fold.directory.name for fold in run.folds]
    there = list(dict.fromkeys(table["fold"])) if "fold" in table else []
    if set(there) != set(names):
        raise ValueError(
            f"{_predictions(run, part)}: must hold the predictions of each fold; `sertk evaluate {run.directory}` "
            f"writes them anew. Received: {', '.join(map(str, there)) or 'none'} of {', '.join(names)}"
        )
    return [
        Measured(run, name, table[table["fold"] == name].drop(columns="fold").reset_index(drop=True)) for name in names
    ]


def _predictions(run, part):
    return run.path("report" if part == "test" else f"report-{part}", "predictions.csv")
