"""The manifest: a pandas DataFrame with one row a clip, the one thing that every later room asks."""

import functools
import os
from pathlib import Path

import pandas as pd

from sertk.atomic import replacing
from sertk.plain_csv import read_cells

REQUIRED = ("path", "emotion", "speaker", "gender", "corpus")
OPTIONAL = ("statement", "intensity", "session", "language", "duration")
COLUMNS = REQUIRED + OPTIONAL
NUMBERS = ("duration",)
GENDERS = {"f": "female", "female": "female", "m": "male", "male": "male"}


def save_manifest(manifest, path, relative=False):
    """Writes a manifest as a CSV file that `load_manifest` reads back exactly.

    Text columns come back as pandas strings, unknown values as NA (but an unknown corpus as the file's name),
    durations to the last bit. An empty text is an unknown one. Absolute paths come back letter by letter; a path that
    is relative is relative to the current folder, as everywhere in Python, and is written as an absolute one.
    `manifest.attrs`, such as the list of skipped files, is not part of the file.

    Args:
        manifest: DataFrame with at least the columns `path` and `emotion`.
        path: the file to write; its folder is made where it is missing.
        relative: whether the clips' paths are written relative to the file's folder, so that file and clips can be
            moved together. Where links lie between, the way is that between the real places; a clip on another drive
            keeps its absolute path. Defaults to False.

    Raises:
        ValueError: if a column is missing.
    """
    require_columns(manifest, ("path", "emotion"))
    folder = Path(path).absolute().parent
    place = functools.partial(_relative, folder=folder) if relative else _absolute
    manifest = manifest.assign(path=manifest["path"].map(place, na_action="ignore"))
    with replacing(path) as unfinished:
        manifest.to_csv(unfinished, index=False, lineterminator="\n", encoding="utf-8")


def load_manifest(path):
    """Reads a manifest that `save_manifest` wrote.

    Relative clip paths are relative to the CSV file; `..` behind a link leads where the system finds it. The clips are
    not looked at: `load("csv", path)` does that.
    A column that sertk does not know becomes numeric where every value is written as a plain number ("12", not "01").

    Args:
        path: the CSV file.

    Returns:
        The manifest, with a fresh index and absolute paths. A missing `speaker` or `gender` is NA. Where `corpus` is
        missing or empty it is the file's stem, or the name of its folder if the file is called `manifest.csv`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is no CSV table, or has no column `path` or `emotion`.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"`path` must name a CSV file that exists. Received: path={str(path)!r}")
    try:
        table = read_cells(path)
    except ValueError as error:
        raise ValueError(
            f"A manifest is a comma-separated table in UTF-8, one row a clip; {path.name} can't be read as one. "
            f"Received: path={str(path)!r} ({error})"
        ) from error
    require_columns(table, ("path", "emotion"), name=path.name)
    for column in table.columns:
        table[column] = _typed(table[column], path)
    folder = path.absolute().parent
    table["path"] = table["path"].map(lambda clip: _joined(folder, clip), na_action="ignore").astype("string")
    for column in ("speaker", "gender", "corpus"):
        if column not in table:
            table[column] = pd.Series(pd.NA, index=table.index, dtype="string")
    table["corpus"] = table["corpus"].fillna(corpus_of(path))
    return table


def corpus_of(path):
    """What the clips of a table are a corpus of, if the table does not say."""
    path = Path(path).absolute()
    if path.stem.lower() != "manifest":
        return path.stem
    folder = path.parent if path.parent.name != ".." else path.parent.resolve()
    return folder.name or path.stem


def speaker_keys(manifest):
    """Names each clip's speaker as "corpus/speaker": actor 01 of one corpus is not actor 01 of another.

    Args:
        manifest: DataFrame with the columns `corpus` and `speaker`.

    Returns:
        Series of strings with the manifest's index, NA where the speaker (or the corpus) is unknown.

    Raises:
        ValueError: if a column is missing.
    """
    require_columns(manifest, ("corpus", "speaker"))
    corpus, speaker = (manifest[column].astype("string").replace("", pd.NA) for column in ("corpus", "speaker"))
    return (corpus + "/" + speaker).rename("speaker_key")


def build_manifest(rows, skipped=()):
    """Makes a reader's rows a manifest: the columns in order, typed, unknown optional ones left out.

    Args:
        rows: list of dicts, one a clip, with `path`, `emotion` and `corpus` at least; order is kept.
        skipped: list of `{"path", "reason"}` dicts, kept in `manifest.attrs["skipped"]`.
    """
    table = pd.DataFrame(rows)
    known = [column for column in COLUMNS if column in REQUIRED or (column in table and table[column].notna().any())]
    further = [column for column in table.columns if column not in COLUMNS]
    manifest = table.reindex(columns=known + further)
    for column in known:
        manifest[column] = manifest[column].astype("float64" if column in NUMBERS else "string")
    for column in further:
        if not pd.api.types.is_numeric_dtype(manifest[column]):
            manifest[column] = manifest[column].astype("string")
    manifest.attrs["skipped"] = list(skipped)
    return manifest


def require_columns(table, columns, name="manifest"):
    """Refuses what is no manifest, in words that say what is missing."""
    if not isinstance(table, pd.DataFrame):
        raise ValueError(
            f"`{name}` must be a pandas DataFrame, as `sertk.corpora.load` returns. Received: {type(table).__name__}"
        )
    missing = [column for column in columns if column not in table]
    if missing:
        raise ValueError(
            f"`{name}` must have the columns {', '.join(columns)}; add {', '.join(missing)}. "
            f"Received: columns={list(table.columns)}"
        )


def _absolute(clip):
    # Not `os.path.abspath`, which takes `..` for the folder above even behind a link; and pathlib would rewrite a//b.
    return clip if Path(clip).is_absolute() else str(Path(clip).absolute())


def _joined(folder, clip):
    """A path of a table as an absolute one; without `..` if it leads to the same file without."""
    if Path(clip).is_absolute():
        return clip
    path = str(folder / clip)
    plain = os.path.normpath(path)
    return plain if ".." not in path or os.path.realpath(plain) == os.path.realpath(path) else path


def _relative(clip, folder):
    clip = _absolute(clip)
    try:
        way = os.path.relpath(clip, folder)
        if os.path.realpath(folder / way) != os.path.realpath(clip):
            way = os.path.relpath(os.path.realpath(clip), os.path.realpath(folder))
    except ValueError:  # Windows has no way from one drive to another
        return clip
    return Path(way).as_posix()


def _typed(column, path):
    """A column of text as what it holds: text where sertk knows it as text, numbers where nothing is lost by it."""
    if column.name in NUMBERS:
        try:
            return column.astype("float64")
        except ValueError as error:
            raise ValueError(
                f"The column `{column.name}` of {path.name} must hold numbers, or nothing where it is unknown. "
                f"Received: {error}"
            ) from error
    if column.name in COLUMNS or column.isna().all():
        return column
    known = column.notna()
    for kind in ("int64", "float64"):
        try:
            numbers = column.astype(kind)
        except (TypeError, ValueError):  # int64 has no NA
            continue
        if (numbers[known].map(str) == column[known]).all():
            return numbers
    return column
