"""Your own corpus: a table of clips, or a folder for each emotion."""

from pathlib import Path

import pandas as pd

from sertk.corpora.emotions import canonical_emotion
from sertk.corpora.manifest import GENDERS, corpus_of, load_manifest
from sertk.corpora.readers.scan import Skip, duration, existing_folder, finish, is_sound, left_out, read_folder


def read_csv(directory, unlabelled=False):
    """Reads a corpus from a CSV table with one row a clip.

    `path` (relative ones are relative to the table) and `emotion` are needed; `speaker`, `gender`, `corpus`,
    `statement`, `intensity`, `session` and `language` are read where present, and all further columns are kept. Where
    `corpus` is missing or empty, it is the table's stem, or its folder's name if it is called `manifest.csv`. A
    speaker called 01 stays "01"; gender is female or male, also as f and m. The duration is the one in the clip's
    header. A table without any sound may be
    one of images, PNG or JPEG, such as `sertk images` writes; they have no duration.

    Args:
        directory: the CSV file, or a folder that holds one called `manifest.csv`.
        unlabelled: whether rows without an emotion are read too, with emotion NA. Defaults to False.

    Returns:
        The manifest, ordered by path. A row without emotion or without readable file is listed as skipped.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the table has no `path` or `emotion`, or no clip can be read.
    """
    table_path = _table_path(directory)
    table = load_manifest(table_path)
    rows, skipped, seen = {}, [], set()
    images = not any(is_sound(path) for path in table["path"].dropna())
    for row in table.to_dict("records"):
        path = "" if pd.isna(row["path"]) else row["path"]
        try:
            row = _clean(row, unlabelled)
            if path in seen:
                raise Skip("duplicate: the table has an earlier row for this file")
            row["duration"] = duration(Path(path), images)
            seen.add(path)
            rows[_relative(path, table_path.parent)] = row
        except Skip as reason:
            skipped.append(left_out(path, reason))
    return finish([rows[path] for path in sorted(rows)], skipped, corpus_of(table_path), table_path)


def read_folders(directory, corpus=None):
    """Reads a corpus that keeps each emotion in a folder of its own, at any depth below it.

    The folder's name is the emotion: `anger/`, `Happy/`, `pleasant_surprise/`. Nothing is known about the speakers, so
    the clips can't be split by speaker; a CSV table with a column `speaker` can. A folder without any sound is read as
    one of images, PNG or JPEG, such as `sertk images` writes.

    Args:
        directory: the folder of the emotions' folders.
        corpus: the corpus' name. Defaults to the folder's name.

    Returns:
        The manifest, ordered by path, speaker and gender NA. Files outside an emotion's folder are listed as skipped.
    """
    return read_folder(directory, _describe, corpus or existing_folder(directory).name, images=True)


def read_synthetic(directory):
    """Reads the synthetic corpus that `write_synthetic` wrote: invented voices, no speech of people.

    Args:
        directory: the folder it was written to.

    Raises:
        ValueError: if the folder holds another corpus.
    """
    manifest = read_csv(directory)
    if (manifest["corpus"] != "synthetic").any():
        raise ValueError(
            "`directory` must hold what `write_synthetic` wrote; read another table of clips with `load('csv', ...)`. "
            f"Received: directory={str(directory)!r} with the corpora {sorted(manifest['corpus'].dropna().unique())}"
        )
    return manifest


def _describe(path):
    if len(path.parts) < 2:
        raise Skip("not in the folder of an emotion")
    return {"emotion": canonical_emotion(path.parts[0])}


def _table_path(directory):
    path = Path(directory).expanduser().absolute()
    if path.is_dir():
        path /= "manifest.csv"
    if not path.is_file():
        raise FileNotFoundError(
            "`directory` must be a CSV file, or a folder that holds a manifest.csv. "
            f"Received: directory={str(directory)!r}"
        )
    return path


def _clean(row, unlabelled):
    """A row of the table in the manifest's words."""
    if pd.isna(row["path"]):
        raise Skip("the row has no path")
    known = not pd.isna(row["emotion"]) and row["emotion"].strip()
    if not known and not unlabelled:
        raise Skip("the row has no emotion")
    row["emotion"] = canonical_emotion(row["emotion"]) if known else pd.NA
    if not pd.isna(row["gender"]):
        gender = row["gender"].strip().lower()
        row["gender"] = GENDERS.get(gender, gender)
    return row


def _relative(path, folder):
    """What a table is ordered by: the same on every machine, as long as the clips lie with it."""
    path, folder = Path(path).as_posix(), f"{folder.as_posix()}/"
    return path.removeprefix(folder)
