"""A search's folder: what was asked, what came out, and everything needed to go on."""

import dataclasses

import pandas as pd

from sertk.folder import Folder
from sertk.plain_csv import read_figures
from sertk.plain_json import read_object


@dataclasses.dataclass(frozen=True)
class Search(Folder):
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

    kind, told_by, made_by = "search", "search.json", "sertk tune"

    @property
    def results(self):
        """DataFrame, a row a trial in the order in which they were begun, as `results_table` gives it."""
        path = self.path("results.csv")
        return read_figures(path, dtype={"trial": str, "goes_on_from": str}) if path.is_file() else pd.DataFrame()

    @property
    def best(self):
        """dict, the best trial's settings so far, as `sertk.recipes.override` takes them; None before one ended."""
        path = self.path("best.json")
        return read_object(path) if path.is_file() else None
