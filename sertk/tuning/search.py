"""A search's folder: what was asked, what came out, and everything needed to go on."""

import dataclasses
import json
from pathlib import Path

import pandas as pd


@dataclasses.dataclass(frozen=True)
class Search:
    """A search on disk.

    ```
    search.json        space, recipe, method, seed, command; environment.json   machine and package versions
    split.csv          the training and validation parts; there is no test part
    oracle.json        Keras Tuner's: what was drawn, what goes on
    trial_0000/        trial.json, Keras Tuner's; run/: the run without its weights; hparams/: for TensorBoard
    results.csv        a row a trial
    best.json          the settings of the best trial, as `sertk train RECIPE --config` takes them
    ```

    Args:
        directory: the folder.
    """

    directory: Path

    def __post_init__(self):
        object.__setattr__(self, "directory", Path(self.directory))

    @classmethod
    def open(cls, directory):
        """The search in a folder.

        Raises:
            FileNotFoundError: if there is no such folder.
            ValueError: if the folder holds no search.
        """
        search = cls(directory)
        if not search.directory.is_dir():
            raise FileNotFoundError(f"{search.directory}: there is no such folder; `sertk tune` makes one")
        if not search.path("search.json").is_file():
            raise ValueError(
                f"{search.directory}: holds no search, which would have a search.json; pass the folder of one"
            )
        return search

    def path(self, *parts):
        """A path in the search's folder."""
        return self.directory.joinpath(*parts)

    @property
    def settings(self):
        """dict, what `search.json` holds."""
        return json.loads(self.path("search.json").read_text())

    @property
    def results(self):
        """DataFrame, a row a trial in the order in which they were begun, as `results_table` gives it."""
        path = self.path("results.csv")
        return pd.read_csv(path, dtype={"trial": str, "goes_on_from": str}) if path.is_file() else pd.DataFrame()

    @property
    def best(self):
        """dict, the best trial's settings so far, as `sertk.recipes.override` takes them; None before one ended."""
        path = self.path("best.json")
        return json.loads(path.read_text()) if path.is_file() else None
