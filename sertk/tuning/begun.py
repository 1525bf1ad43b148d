"""What a search begins with: its folder, with the settings in it, or the same search in it already."""

import json

import pandas as pd

from sertk.atomic import replacing
from sertk.corpora import load_manifest, save_manifest
from sertk.recipes import environment

# What is written before search.json, which comes last.
BEGINNINGS = {"split.csv", "environment.json"}
# What a search may be gone on with: another number of trials, from another machine.
FREE = ("trials", "command", "corpora")


def begin_search(search, settings, split):
    """Writes what a search is, or makes sure that what is there is the same.

    Args:
        search: `Search`; who calls holds its folder.
        settings: dict for `search.json`.
        split: manifest with `part`, without a test part.

    Raises:
        ValueError: if the folder holds another search.
    """
    if search.path("search.json").is_file():
        check_same(search, settings)
        if _clips(load_manifest(search.path("split.csv"))) != _clips(split):
            raise ValueError(
                f"{search.directory}: holds a search on other clips; choose another folder, or delete that one. "
                f"Received: {len(split)} clips"
            )
        if search.settings["trials"] == settings["trials"]:
            return
    else:
        with replacing(search.path("split.csv")) as unfinished:
            save_manifest(split, unfinished)
        _write_json(search.path("environment.json"), environment.describe())
    _write_json(search.path("search.json"), settings)


def check_same(search, settings):
    """Refuses to go on with another search.

    Raises:
        ValueError: if the settings differ in more than the number of trials.
    """
    there, here = search.settings, json.loads(json.dumps(settings))
    other = [name for name in here if name not in FREE and there.get(name) != here[name]]
    if other:
        raise ValueError(
            f"{search.directory}: holds another search; choose another folder, or delete that one. "
            f"Received: another {', '.join(other)}"
        )


def refuse_foreign(search):
    """Leaves a folder alone that holds something else than a search.

    Raises:
        ValueError: if this one does.
    """
    directory = search.directory
    if search.path("search.json").is_file() or not directory.exists():
        return
    if not directory.is_dir():
        raise ValueError(f"{directory}: is a file; choose a folder for the search. Received: the name of a file")
    others = {path.name for path in directory.iterdir() if not path.name.startswith(".")} - BEGINNINGS
    if others:
        raise ValueError(
            f"{directory}: is neither empty nor a search's folder; choose another one for the search. "
            f"Received: a folder with {', '.join(sorted(others)[:3])}"
        )


def _clips(split):
    """The clips of a split with their parts and emotions, whatever their order."""
    table = pd.DataFrame({name: split[name].astype(str) for name in ("path", "part", "emotion")})
    if "chunk_start" in split:
        table["chunk_start"] = split["chunk_start"]
    return sorted(table.itertuples(index=False, name=None))


def _write_json(path, values):
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(values, indent=2) + "\n")
