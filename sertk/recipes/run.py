"""A run's folder: what was asked, what came out, and everything needed to do it again."""

import dataclasses
from pathlib import Path

from sertk.corpora import load_manifest
from sertk.folder import Folder
from sertk.learning.kept_epoch import kept_epoch
from sertk.plain_csv import read_figures
from sertk.plain_json import read_object
from sertk.recipes.recipe import Recipe


@dataclasses.dataclass(frozen=True)
class Run(Folder):
    """A training run on disk.

    ```
    recipe.json        every setting           environment.json   machine and package versions
    split.csv          the manifest, a clip a row, with its part; skipped.csv: the files that were no clip
    training/          log.csv, tensorboard/, the checkpoints of the last and the best epoch; training-2/: a 2nd member
    retraining/        the same of the second training, where the recipe has one
    examples/          where the network sees images, one of each emotion
    model.keras        waveform of any length in, probabilities out
    report/            report.md, metrics.json, predictions.csv, pictures
    ```

    A cross-validation holds a run for each fold instead, `fold-1/`, `fold-2/`, ..., beside its own `recipe.json`,
    `environment.json`, `skipped.csv` and `report/`. `settings` is what `recipe.json` holds: `recipe`, `classes`,
    `corpora`, `command`, and `folds` of a cross-validation.

    Args:
        directory: the folder.
    """

    kind, told_by, made_by = "run", "recipe.json", "sertk train"

    @property
    def recipe(self):
        """`Recipe`, with whatever was overridden."""
        return Recipe.from_dict(self._told("recipe", dict))

    @property
    def classes(self):
        """tuple of str, the emotions in the order of the network's outputs."""
        return tuple(self._told("classes", list))

    @property
    def folds(self):
        """list of `Run`, one a fold; empty for a run on a single split."""
        names = self._told("folds", list) if "folds" in self.settings else []
        for name in names:
            if not isinstance(name, str) or name in ("", ".", "..") or set(name) & set("/\\\0"):
                raise ValueError(
                    f"{self.path(self.told_by)}: names a fold that is no folder of this run. Received: {name!r}"
                )
        return [Run(self.path(name)) for name in names]

    def _told(self, name, kind):
        """A setting that every run has, of the kind that it has there."""
        return _held(self.path(self.told_by), self.settings, name, kind)

    @property
    def environment(self):
        """dict, machine and package versions: `processor`, `cores`, `gpus`, `packages`, ..."""
        path = self.path("environment.json")
        there = read_object(path)
        for name, kind in (("processor", str), ("cores", int), ("gpus", list), ("packages", dict)):
            _held(path, there, name, kind)
        return there

    @property
    def split(self):
        """The manifest with its column `part`."""
        return load_manifest(self.path("split.csv"))

    @property
    def log(self):
        """DataFrame, one row an epoch of the training."""
        return read_figures(self.path("training", "log.csv"), ["epoch"])

    @property
    def kept_epoch(self):
        """int, the epoch whose weights the model has, counted from 1; of an ensemble its first member."""
        return kept_epoch(self.log, self.recipe.training.patience, self.recipe.training.monitor)

    @property
    def description(self):
        """dict, what who asks the model must know: `classes`, `sample_rate` (Hz), `seconds` that it hears at once, None
        for all of a clip, and `chunks_top_db`, by which a recording's chunks are found, None where it hears clips."""
        recipe = self.recipe
        return {
            "classes": self.classes,
            "sample_rate": recipe.audio.sample_rate,
            "seconds": recipe.length,
            "chunks_top_db": None if recipe.chunks.seconds is None else recipe.chunks.top_db,
        }

    @property
    def finished(self):
        """Whether training has ended and the model is there, of each fold."""
        return all(fold.finished for fold in self.folds) if self.folds else self.path("model.keras").is_file()

    def has_part(self, part):
        """Whether it can be measured on a part: its split has it, in each of its folds, and it was not trained on it.

        Args:
            part: "test" or "validation".
        """
        if part == "validation" and self.recipe.training.join_validation:
            return False
        return all((one.split["part"] == part).any() for one in self.folds or [self])

    def classifier(self):
        """The trained model, from waveforms of any length to probabilities.

        Raises:
            ValueError: as `model` does, or if the run is one of contrastive learning, which tells no emotions apart.
        """
        self.check_classifier()
        return self.model()

    def check_classifier(self):
        """Refuses a run of contrastive learning: it tells no emotions apart.

        Raises:
            ValueError: if this is one.
        """
        loss = self.recipe.contrastive.loss
        if loss is not None:
            raise ValueError(
                f"{self.directory}: has learnt to tell clips apart, and no emotions yet; train a classifier from it, "
                f"with start.source={self.directory}. Received: a run with contrastive.loss={loss!r}"
            )

    def model(self):
        """The trained model, from waveforms of any length to probabilities; of contrastive learning to z.

        Raises:
            ValueError: if training has not ended, or this is a cross-validation, which has a model a fold.
        """
        if self.folds:
            raise ValueError(
                f"{self.directory}: is a cross-validation, which has a model a fold; choose one, such as "
                f"{self.folds[0].directory}. Received: a run of {len(self.folds)} folds"
            )
        if not self.finished:
            raise ValueError(
                f"{self.directory}: training has not ended; the command that began it goes on with it: "
                f"{self.settings['command']}"
            )
        import sertk.models

        return sertk.models.load(self.path("model.keras"))


def _held(path, values, name, kind):
    value = values.get(name)
    if not isinstance(value, kind):
        raise ValueError(f"{path}: is no run's; it must hold `{name}`, a {kind.__name__}. Received: {str(value)[:100]}")
    return value


def refuse_runs_folder(directory, purpose):
    """Refuses to write something else into the folder of a run.

    Args:
        directory: the folder, or None.
        purpose: str, what it is for.

    Raises:
        ValueError: if it holds a run.
    """
    if directory is not None and (Path(directory) / "recipe.json").exists():
        raise ValueError(
            f"{directory}: is a run's folder; choose another one for {purpose}. Received: a folder with recipe.json"
        )
