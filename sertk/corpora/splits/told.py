"""What a corpus' reader tells of files that somebody lists, by their names."""

import os
from pathlib import Path

import pandas as pd

from sertk.corpora.readers.registry import READERS, reader_name

TOLD = ("speaker", "corpus", "emotion", "statement")


def told_by(reader, rows, named, root=None):
    """Rows with what a corpus' reader knows of their files, where they do not say it themselves.

    Args:
        reader: its name.
        rows: DataFrame with the column `path`, resolved.
        named: Series of absolute paths, the files that are there, as the list names them: a link may have the name that
            the reader knows, and its file another one.
        root: the folder to look through. Defaults to the one that all of `named` are in.

    Returns:
        DataFrame, with the columns `speaker`, `corpus`, `emotion` and `statement` where the reader knows them. A second
        copy of a clip, which the reader leaves out, is told as the first one is.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if none of the files is there, the folder has to be given, or the reader finds nothing in it.
    """
    read = READERS[reader_name(reader)]
    if named.empty:
        raise ValueError(
            f"`reader` needs the files themselves, and none of the split's is there. Received: reader={reader!r}"
        )
    if root is not None:
        folder = Path(root).expanduser().absolute()
        manifest = read(folder)
    else:
        folder = _common_folder(named)
        try:
            manifest = read(folder)
        except (ValueError, FileNotFoundError) as error:
            raise ValueError(
                f"`reader`: {reader!r} finds nothing in the folder of the split's files; name another one, or the "
                f"folder of the corpus as `root`. {error}"
            ) from error
    known = _with_copies(manifest, folder)
    known.index = resolved(known.index.to_series())
    known = known[~known.index.duplicated()]
    for column in TOLD:
        if column in known:
            told = rows["path"].map(known[column])
            rows[column] = rows[column].astype("string").fillna(told) if column in rows else told
    return rows


def resolved(paths):
    """A Series of paths in one spelling each: absolute, without links, `.` and `..`."""
    return paths.map(os.path.realpath).astype("string")


def _common_folder(named):
    """The folder that all files are in, refused where a walk through it would never end."""
    folders = {os.path.normpath(Path(path).parent) for path in named}
    try:
        folder = Path(os.path.commonpath(folders))
    except ValueError:  # several drives of Windows have none
        folder = None
    home = os.path.expanduser("~")  # noqa: PTH111  (Path.home fails where there is none)
    if folder is None or folder.is_mount() or Path(home).is_relative_to(folder):
        raise ValueError(
            "`root` must name the folder of the corpus, because the split's files have none in common but a whole disk "
            f"or a home. Received: files in {' and '.join(sorted(folders)[:3])}"
        )
    return folder


def _with_copies(manifest, folder):
    """The manifest by path, and second copies of its clips as further rows."""
    known = manifest.set_index("path")
    first = {entry["path"]: str(folder / entry["reason"].removeprefix("duplicate of ")) for entry in _copies(manifest)}
    first = {path: original for path, original in first.items() if original in known.index}
    copies = known.loc[list(first.values())].set_axis(list(first), axis="index")
    return pd.concat([known, copies])


def _copies(manifest):
    return [entry for entry in manifest.attrs["skipped"] if entry["reason"].startswith("duplicate of ")]
