"""Predictions of several models about the same clips, brought into one order."""

from pathlib import PureWindowsPath

import pandas as pd

from sertk.corpora.manifest import require_columns
from sertk.evaluation.predictions import check_labels, class_names

# What a row is about, beside its clip.
FURTHER = ("chunk_start", "fold")
SHOWN = 3


def align(tables, names=None):
    """Brings the predictions of several models about the same clips into the order of the first.

    Rows are joined by what they are about, never by their position: `path`, and `chunk_start` and `fold` where the
    tables have these columns. Tables that share no path at all, as those of models that were trained on machines with
    the corpus in other folders, are joined by corpus and file name, if that names each clip once.

    Args:
        tables: list of DataFrames as `sertk.evaluation.predictions_table` makes them, at least one.
        names: list of str, what the tables are called in errors. Defaults to "member 1", "member 2", ...

    Returns:
        list of DataFrames, each with the columns it had; row i of all of them is about the same clip.

    Raises:
        ValueError: if a clip is missing or extra in a table, occurs twice or has another truth, or the tables differ in
            their classes, or in being of chunks or of folds.

    Example:
        >>> first, second = align([load_predictions("a.csv"), load_predictions("b.csv")], ["a", "b"])
        >>> (first["emotion"] == second["emotion"]).all()
        True
    """
    names = member_names(tables, names)
    for table, name in zip(tables, names, strict=True):
        _check_table(table, name)
    shared_classes(tables, names)
    first, columns = tables[0], _further(tables[0])
    for table, name in zip(tables, names, strict=True):
        if _further(table) != columns:
            raise ValueError(
                "`tables` must all be of whole clips, or all of chunks, and all of folds or none; vote over tables of "
                f"one kind. Received: {names[0]} with {_kind(columns)}, {name} with {_kind(_further(table))}"
            )
        _refuse_repeated(_rows(table, table["path"]), name)
    aligned = [first.reset_index(drop=True)]
    for table, name in zip(tables[1:], names[1:], strict=True):
        wanted, there = map(_rows, (first, table), _clips(first, table))
        _refuse_other_clips(wanted, there, names[0], name)
        aligned.append(table.iloc[there.get_indexer(wanted)].reset_index(drop=True))
        _refuse_other_truth(aligned[0], aligned[-1], names[0], name)
    return aligned


def member_names(tables, names):
    """The names of tables for errors, or a ValueError if there are no tables or not as many names."""
    if not isinstance(tables, list | tuple) or not tables:
        raise ValueError(f"`tables` must be a list of predictions tables. Received: {type(tables).__name__}")
    names = [f"member {number}" for number in range(1, len(tables) + 1)] if names is None else list(names)
    if len(names) != len(tables) or len(set(names)) != len(names):
        raise ValueError(
            f"`names` must hold a name of its own for each of the {len(tables)} tables. Received: names={names}"
        )
    return names


def shared_classes(tables, names=None):
    """The classes of several predictions tables, in the order of the first.

    Args:
        tables: list of DataFrames.
        names: list of str, what the tables are called in errors.

    Returns:
        list of str, from the `p_<class>` columns; of tables without them all that occur, sorted.

    Raises:
        ValueError: if the tables do not have the same classes.
    """
    names = member_names(tables, names)
    classes = class_names(tables[0])
    for table, name in zip(tables, names, strict=True):
        if set(class_names(table)) != set(classes):
            raise ValueError(
                "`tables` must all have the same classes, as p_<class> columns or none of them; map the labels before "
                f"training. Received: {names[0]} with {', '.join(classes) or 'no such column'}; "
                f"{name} with {', '.join(class_names(table)) or 'no such column'}"
            )
    if classes:
        return classes
    return sorted({label for table in tables for column in ("emotion", "predicted") for label in table[column]})


def _check_table(table, name):
    require_columns(table, ("path", "emotion", "predicted"), name=name)
    if table.empty:
        raise ValueError(f"`{name}` must hold the predictions of at least one clip. Received: an empty table")
    if table["path"].isna().any():
        raise ValueError(f"`{name}` must have a path in each row. Received: {table['path'].isna().sum()} without")
    classes = class_names(table) or sorted({*table["emotion"].dropna(), *table["predicted"].dropna()})
    for column in ("emotion", "predicted"):
        check_labels(table[column], classes, name, column=column)


def _further(table):
    return [column for column in FURTHER if column in table]


def _kind(columns):
    return " and ".join(f"a column {column}" for column in columns) or "clips alone"


def _clips(first, second):
    """What names the clips of two tables: their paths, or else corpus and file name."""
    paths = [table["path"].astype("string") for table in (first, second)]
    known = all("corpus" in table and table["corpus"].notna().all() for table in (first, second))
    if not known or set(paths[0]) & set(paths[1]):
        return paths
    places = [
        table["corpus"].astype("string") + ": " + path.map(lambda clip: PureWindowsPath(clip).name).astype("string")
        for table, path in zip((first, second), paths, strict=True)
    ]
    once = all(place.nunique() == path.nunique() for place, path in zip(places, paths, strict=True))
    return places if once else paths


def _rows(table, clips):
    further = {column: table[column].astype("string") for column in _further(table)}
    return pd.MultiIndex.from_frame(pd.DataFrame({"clip": clips, **further}))


def _refuse_repeated(rows, name):
    if not rows.is_unique:
        repeated = rows[rows.duplicated()].unique()
        raise ValueError(
            f"`{name}` must have each clip once; drop what is there twice. "
            f"Received: {len(repeated)} clip(s) more than once: {_shown(repeated)}"
        )


def _refuse_other_clips(wanted, there, first, name):
    missing, extra = wanted.difference(there), there.difference(wanted)
    if len(missing) or len(extra):
        found = [f"{name} lacks {len(missing)} clip(s) of {first}: {_shown(missing)}"] if len(missing) else []
        found += [f"{name} has {len(extra)} clip(s) that {first} lacks: {_shown(extra)}"] if len(extra) else []
        raise ValueError(
            "`tables` must be about the same clips; measure all members on the same part of the same split. "
            f"Received: {'; '.join(found)}"
        )


def _refuse_other_truth(first, second, first_name, name):
    differ = (first["emotion"] != second["emotion"]).to_numpy()
    if differ.any():
        row = differ.argmax()
        raise ValueError(
            "`tables` must have the same truth for each clip; train all members with the same labels. "
            f"Received: {differ.sum()} clip(s) with another one, the first {first['path'][row]}: "
            f"{first['emotion'][row]} in {first_name}, {second['emotion'][row]} in {name}"
        )


def _shown(rows):
    keys = rows.names[1:]
    words = [[clip, *map(" ".join, zip(keys, values, strict=True))] for clip, *values in rows[:SHOWN]]
    return ", ".join(map(" ".join, words)) + ", ..." * (len(rows) > SHOWN)
