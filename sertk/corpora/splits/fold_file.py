"""Fold files: tables in which people publish who is tested in which fold."""

import re
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

import numpy as np

from sertk.audio import AUDIO_EXTENSIONS
from sertk.corpora.splits.parts import canonical_parts
from sertk.corpora.tables import read_table, require_cells


def read_fold_file(file):
    """Reads a CSV that says in which fold, or part, each clip or speaker is.

    Args:
        file: the CSV file. It has a column `fold`, the fold in which a clip is tested, or a column `part` of train,
            validation and test, or both; and a column `path`, or `speaker` (with `corpus` where several are joined).

    Returns:
        DataFrame of strings, column names in lower case.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no such table.
    """
    table = read_table(file)
    if not {"fold", "part"} & set(table) or not {"path", "speaker"} & set(table):
        raise ValueError(
            "`file` must have a column `fold` or `part`, and a column `path` or `speaker`; name those of "
            f"{Path(file).name} so. Received: columns={list(table.columns)}"
        )
    needed = ("fold", "part", "path" if "path" in table else "speaker")
    require_cells(table, [column for column in needed if column in table], file)
    return table


def parts_of_folds(clips, table, skipped=(), dropped=0):
    """What a table of folds says of each clip.

    Args:
        clips: a manifest.
        table: DataFrame of strings, as `read_fold_file` returns.
        skipped: paths of files that are not in the manifest, because a reader left them out, or training did. The
            table may name them.
        dropped: how many clips a label map took out of the manifest. Of names that are neither the manifest's nor
            skipped the table may have that many.

    Returns:
        list of object arrays, one a fold, the folds in their natural order: the part of each clip. No clip is tested in
        two folds; with a column `part`, one may be tested in none.

    Raises:
        ValueError: if a clip or a speaker is in no fold or in several, is tested in several, or the table names unknown
            ones.
    """
    left_out = _LeftOut(tuple(skipped), dropped)
    if "part" in table:
        table = table.assign(part=canonical_parts(table["part"]))
    if "fold" not in table:
        return [_column_by_clip(clips, table, "part", left_out)]
    names = sorted(table["fold"].unique(), key=natural)
    if "part" in table:
        divisions = [_column_by_clip(clips, table[table["fold"] == name], "part", left_out) for name in names]
        _refuse_tested_twice(clips, divisions, names)
        return divisions
    fold = _column_by_clip(clips, table, "fold", left_out)
    tested = [name for name in names if (fold == name).any()]
    if len(tested) < 2:
        raise ValueError(f"`fold` must name at least two folds that have clips. Received: {', '.join(names[:5])}")
    return [np.where(fold == name, "test", "train").astype(object) for name in tested]


def plain_name(name):
    """A speaker's name as everybody writes it: "01", "1" and " 1" are one."""
    name = str(name).strip().casefold()
    return str(int(name)) if name.isdecimal() else name


@dataclass(frozen=True)
class _LeftOut:
    """What is not in the manifest, and may be in the table: files by their paths, and a number of clips."""

    skipped: tuple
    dropped: int


def _refuse_tested_twice(clips, divisions, names):
    """Refuses folds whose results can't be put together: a clip would count several times."""
    tested = np.array([parts == "test" for parts in divisions])
    twice = np.flatnonzero(tested.sum(axis=0) > 1)
    if len(twice):
        where = [name for name, of in zip(names, tested[:, twice[0]], strict=True) if of]
        raise ValueError(
            "`file` must test each clip in one fold at most, because results are of all folds together; give splits "
            f"that share test clips as a file each. Received: {len(twice)} clips tested in several, the first "
            f"{clips['path'].iloc[twice[0]]} in the folds {' and '.join(where)}"
        )


def _column_by_clip(clips, table, column, left_out):
    """The value of each clip: an object array."""
    what = "path" if "path" in table else "speaker"
    rows = table.drop_duplicates([name for name in (what, "corpus", column) if name in table])
    found = _by_path(clips, rows["path"], left_out) if what == "path" else _by_speaker(clips, rows, left_out)
    values = np.full(len(clips), None, dtype=object)
    for positions, value, name in zip(found, rows[column], rows[what], strict=True):
        for position in positions:
            if values[position] not in (None, value):
                raise ValueError(
                    f"`file` must give each {what} one {column}. Received: {name}, which has "
                    f"{' and '.join(sorted((values[position], value)))}"
                )
            values[position] = value
    without = clips[[value is None for value in values]]
    if len(without):
        raise ValueError(
            f"`file` must give each clip of the manifest a {column}; add the missing ones, or take their clips out of "
            f"the manifest. Received: {len(without)} of {len(clips)} clips without, the first "
            f"{without['path'].iloc[0]} (speaker {without['speaker'].iloc[0]})"
        )
    return values


def _by_path(clips, paths, left_out):
    """For each path of the file the positions of its clip: the one whose path ends so.

    Folders that all paths of the file begin with need not be called so here, nor need the suffix be the same: people
    keep a corpus under other names, and as FLAC.
    """
    here = [_components(path) for path in clips["path"]]
    there = [_components(path) for path in paths]
    shared = min(_shared_folders(there), min(map(len, there)) - 1)
    for outer in range(shared + 1):
        tails = [path[outer:] for path in there]
        found = _ending_in(tails, here)
        if any(found):
            break
    known = _ending_in(tails, [_components(path) for path in left_out.skipped])
    unknown = dict.fromkeys(
        path for path, positions, skipped in zip(paths, found, known, strict=True) if not positions and not skipped
    )
    if len(unknown) > left_out.dropped:
        raise ValueError(
            "`file` must name clips of the manifest, by the end of their paths; correct the others or take them out. "
            f"Received: {len(unknown)} unknown ones of {len(found)}, the first {', '.join(list(unknown)[:3])}"
            f"{_allowed(left_out)}"
        )
    return [
        _only_one(path, tail, positions, here) if len(positions) > 1 else positions
        for path, tail, positions in zip(paths, tails, found, strict=True)
    ]


def _ending_in(tails, paths):
    """For each tail the positions of the paths that end so, whatever their suffix."""
    index = {}
    for depth in set(map(len, tails)):
        for position, path in enumerate(paths):
            if len(path) >= depth:
                index.setdefault(_stem(path[-depth:]), []).append(position)
    return [index.get(_stem(tail), []) for tail in tails]


def _allowed(left_out):
    """What an error adds where a label map took clips out."""
    return f", where a label map dropped {left_out.dropped} clips" * bool(left_out.dropped)


def _only_one(name, tail, positions, here):
    exact = [position for position in positions if here[position][-len(tail) :] == tail]
    if len(exact) == 1 or len({here[position] for position in positions}) == 1:
        return exact or positions
    fitting = ["/".join(here[position][-3:]) for position in positions]
    raise ValueError(
        "`file` must name each clip so that only one is meant; write more of its folders. "
        f"Received: {name}, which fits {len(fitting)} clips, such as {' and '.join(fitting[:2])}"
    )


def _by_speaker(clips, rows, left_out):
    """For each row the positions of its speaker's clips, who may be written 1 here and 01 there."""
    columns = ["corpus", "speaker"] if "corpus" in rows else ["speaker"]
    index = clips.groupby([clips[name].fillna("").astype(str) for name in columns]).indices
    index = {key if isinstance(key, tuple) else (key,): positions for key, positions in index.items()}
    plain = {}
    for key in index:
        plain.setdefault((*key[:-1], plain_name(key[-1])), []).append(key)
    found, unknown = [], []
    for key in rows[columns].fillna("").itertuples(index=False, name=None):
        known = [key] if key in index else plain.get((*key[:-1], plain_name(key[-1])), [])
        if len(known) > 1:
            raise ValueError(
                "`file` must write speakers as the manifest does where it has several alike. "
                f"Received: {'/'.join(key)}, which may be {' or '.join('/'.join(name) for name in known)}"
            )
        unknown += [] if known else ["/".join(key)]
        found.append(index[known[0]] if known else [])
    if "corpus" not in rows and (clips.groupby("speaker")["corpus"].nunique() > 1).any():
        raise ValueError(
            "`file` must have a column `corpus` beside `speaker`, because corpora of the manifest share names of "
            f"speakers. Received: columns={list(rows.columns)}"
        )
    if len(set(unknown)) > left_out.dropped:
        raise ValueError(
            "`file` must name speakers of the manifest; correct the others or take them out. "
            f"Received: {len(unknown)} unknown ones, the first {', '.join(unknown[:3])}; the manifest has "
            f"{', '.join(sorted('/'.join(key) for key in index)[:5])} and so on{_allowed(left_out)}"
        )
    return found


def _components(path):
    path = PureWindowsPath(str(path))  # takes both slashes
    return tuple(part for part in path.relative_to(path.anchor).parts if part != ".")


def _stem(path):
    *folders, name = (part.casefold() for part in path)
    stem, dot, suffix = name.rpartition(".")
    return (*folders, stem if dot + suffix in AUDIO_EXTENSIONS else name)


def _shared_folders(paths):
    """How many folders all paths begin with."""
    first, last = min(paths), max(paths)
    return next((depth for depth, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first) - 1)


def natural(name):
    """Sorts fold 2 before fold 10."""
    return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in re.split(r"(\d+)", name) if piece]
