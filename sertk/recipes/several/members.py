"""The members of an ensemble: runs and predictions files, and what they say about a part."""

from dataclasses import dataclass
from pathlib import Path

from sertk.evaluation import load_predictions
from sertk.recipes.papers.paper_002_ensembles import ENSEMBLES
from sertk.recipes.run import Run


@dataclass(frozen=True)
class Member:
    """One of an ensemble.

    Args:
        name: str, by which it is told from the others.
        path: `Path`, a run's folder or a predictions CSV.
        run: `Run`, or None where there is just the CSV.
    """

    name: str
    path: Path
    run: Run | None

    def has_validation(self):
        """Whether this is a run that can be measured on a validation part, which did not train it."""
        return self.run is not None and self.run.has_part("validation")

    def predictions(self, part, cache=None):
        """What the member says about a part: the file's table, or that of the run's report.

        A run that was not measured on the part yet is measured now.

        Args:
            part: "test" or "validation".
            cache: folder for decoded waveforms.

        Returns:
            DataFrame, `sertk.evaluation.predictions_table`.
        """
        if self.run is None:
            return load_predictions(self.path)
        path = self.run.path("report" if part == "test" else f"report-{part}", "predictions.csv")
        if not path.is_file():
            from sertk.recipes.experiment import evaluate

            evaluate(self.run, part, cache=cache)
        return load_predictions(path)


def open_members(sources):
    """Opens the members of an ensemble.

    They are called by the names of their folders or files, where these differ; else by their paths.

    Args:
        sources: list of paths, each a predictions CSV or the folder of a finished run, at least two.

    Returns:
        list of `Member`.

    Raises:
        FileNotFoundError: if there is nothing at a path.
        ValueError: if there are fewer than two, one is given twice, a folder holds no run, or a run has not ended.
    """
    paths = [Path(source) for source in sources]
    if len(paths) < 2:
        raise ValueError(
            "`members` must be at least two predictions CSVs or run folders, or the name of an ensemble with `runs` "
            f"({', '.join(ENSEMBLES)}). Received: {', '.join(map(str, paths)) or 'none'}"
        )
    places = [path.absolute().resolve() for path in paths]
    twice = sorted({str(path) for path, place in zip(paths, places, strict=True) if places.count(place) > 1})
    if twice:
        raise ValueError(f"`members` must be given once each, they vote once. Received: {', '.join(twice)} again")
    runs = [_run(path) for path in paths]
    names = [_label(place) for place in places]
    if len(set(names)) < len(names) or "ensemble" in names:
        names = [str(place) for place in places]
    return [Member(name, path, run) for name, path, run in zip(names, paths, runs, strict=True)]


def find_runs(name, directory):
    """The finished runs of a published ensemble's members.

    Args:
        name: str, one of `sertk.recipes.ENSEMBLES`.
        directory: the folder that holds the runs' folders.

    Returns:
        list of paths, in the order of the ensemble's members.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if there is no such ensemble, a member has no finished run there, or several.
    """
    if name not in ENSEMBLES:
        raise ValueError(f"There is no ensemble {name!r}; choose one of {', '.join(ENSEMBLES)}. Received: {name!r}")
    directory = Path(directory)
    if not directory.is_dir():
        raise FileNotFoundError(f"`runs` must be a folder that holds runs. Received: {directory}, which is none")
    there = {}
    for path in sorted(directory.glob("*/recipe.json")):
        run = Run(path.parent)
        there.setdefault(run.settings["recipe"]["name"], []).append(run)
    found, missing = [], []
    for recipe in ENSEMBLES[name].members:
        runs = there.get(recipe, [])
        finished = [run for run in runs if run.finished]
        if len(finished) > 1:
            raise ValueError(
                f"{directory}: holds several finished runs of {recipe}; name the members one by one. "
                f"Received: {', '.join(str(run.directory) for run in finished)}"
            )
        if finished:
            found.append(finished[0].directory)
        elif runs:
            missing.append(f"{recipe} has not ended: {runs[0].settings['command']}")
        else:
            missing.append(f"{recipe}: sertk train {recipe} --corpus ravdess=DIR -o {directory / recipe}")
    if missing:
        raise ValueError(
            f"{directory}: {name} votes with {len(ENSEMBLES[name].members)} finished runs; train those that are "
            f"missing. Received: {len(found)} of them, without {'; '.join(missing)}"
        )
    return found


def _run(path):
    if path.is_file():
        return None
    if not path.exists():
        known = f"; {path} is an ensemble's name, which needs `runs`" if str(path) in ENSEMBLES else ""
        raise FileNotFoundError(
            f"{path}: there is no such file or folder; a member is a predictions.csv or the folder of a run{known}"
        )
    run = Run.open(path)
    if not run.finished:
        raise ValueError(
            f"{path}: training has not ended; the command that began it goes on with it: {run.settings['command']}"
        )
    return run


def _label(place):
    """What a member is called: the run's folder, also where its report's table is given, or the file."""
    if place.is_dir() or place.name != "predictions.csv":
        return place.name if place.is_dir() else place.stem
    return place.parents[1].name if place.parent.name.startswith("report") else place.parent.name
