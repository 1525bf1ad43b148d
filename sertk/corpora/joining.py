"""Several corpora as one."""

import os

import pandas as pd

from sertk.corpora.manifest import COLUMNS, REQUIRED, require_columns


def join(manifests):
    """Joins the manifests of several corpora to one.

    Columns that only some of them have are NA in the others. A clip is in one manifest only. A file that one
    reader left out and another one read, as song beside speech, does not count as skipped.

    Args:
        manifests: list of DataFrames with the columns `path`, `emotion`, `speaker`, `gender` and `corpus`.

    Returns:
        A manifest, rows in the order given, with a fresh index; `attrs["skipped"]` holds what was left out of any.

    Raises:
        ValueError: if there is no manifest, a column is missing, or a clip is there twice.

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
