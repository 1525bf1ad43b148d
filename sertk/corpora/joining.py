"""Several corpora as one."""

import os
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sertk.corpora.manifest import COLUMNS, REQUIRED, require_columns
from sertk.corpora.readers.registry import OFFICIAL


def join(manifests):
    """Joins the manifests of several corpora to one.

    Columns that only some of them have are NA in the others. A clip is in one manifest only. A file that one
    reader left out and another one read, as song beside speech, does not count as skipped.

    A corpus is known by its name, since actor 01 of one is not actor 01 of another. So two corpora of your own must not
    have one name; that manifests hold parts of one corpus is taken from their speakers, if no speaker is in both, or
    from their clips, if the folder that all clips of one lie in is inside that of the other.

    Args:
        manifests: list of DataFrames with the columns `path`, `emotion`, `speaker`, `gender` and `corpus`.

    Returns:
        A manifest, rows in the order given, with a fresh index; `attrs["skipped"]` holds what was left out of any.

    Raises:
        ValueError: if there is no manifest, a column is missing, a clip is there twice, or two corpora have one name.

    Example:
        >>> joined = join([load("ravdess", "corpora/ravdess"), load("savee", "corpora/savee")])
    """
    manifests = list(manifests) if isinstance(manifests, list | tuple) else manifests
    if not isinstance(manifests, list) or not manifests:
        raise ValueError(
            f"`manifests` must be a list of one or more manifests. Received: manifests={type(manifests).__name__}"
        )
    for manifest in manifests:
        require_columns(manifest, REQUIRED, name="manifests")
    columns = dict.fromkeys(column for manifest in manifests for column in manifest.columns)
    order = [column for column in COLUMNS if column in columns]
    order += [column for column in columns if column not in COLUMNS]
    joined = pd.concat([manifest.assign() for manifest in manifests], ignore_index=True)[order]
    places = joined["path"].map(os.path.realpath, na_action="ignore")
    _refuse_duplicates(joined, places)
    _refuse_namesakes(manifests)
    read = set(places)
    skipped = [entry for manifest in manifests for entry in manifest.attrs.get("skipped", [])]
    joined.attrs = {"skipped": [entry for entry in skipped if os.path.realpath(entry["path"]) not in read]}
    return joined


def _refuse_duplicates(joined, places):
    twice = places.duplicated(keep=False) & places.notna()
    if twice.any():
        path = places[twice].iloc[0]
        corpora = ", ".join(joined["corpus"][places == path].fillna("unknown"))
        raise ValueError(
            f"`manifests` must hold each clip once; {places[twice].nunique()} are there again. "
            f"Received: {path} of the corpora {corpora}"
        )


class _Part(NamedTuple):
    """The clips of one corpus in one manifest: its speakers, NA among them, and the folder that all lie in."""

    speakers: set
    folder: Path | None


def _refuse_namesakes(manifests):
    known = {}
    for manifest in manifests:
        for corpus, clips in manifest.groupby("corpus"):
            part = _Part(set(clips["speaker"].fillna("")), _folder(clips["path"]))
            for other in known.setdefault(corpus, []):
                # What has a reader of its own is one corpus, wherever its parts lie.
                if corpus not in OFFICIAL and not _are_one(part, other):
                    raise ValueError(
                        "`manifests` must give each corpus a name of its own; write it into a column `corpus` of the "
                        "table, or put all parts of one corpus into one table. "
                        f"Received: two called {corpus!r}, in {other.folder} and in {part.folder}"
                    )
            known[corpus].append(part)


def _are_one(part, other):
    if "" not in part.speakers | other.speakers and part.speakers.isdisjoint(other.speakers):
        return True
    if part.folder is None or other.folder is None:
        return False
    return part.folder.is_relative_to(other.folder) or other.folder.is_relative_to(part.folder)


def _folder(paths):
    """The innermost folder that all clips lie in; None where there is none, as on two drives of Windows."""
    folders = {Path(os.path.realpath(path)).parent for path in paths.dropna()}
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:
        return None
