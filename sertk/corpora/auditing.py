"""The audit: what anybody's split leaks."""

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sertk.corpora.fold_file import natural, plain_name
from sertk.corpora.manifest import require_columns
from sertk.corpora.parts import canonical_parts, parts_present
from sertk.corpora.readers import load
from sertk.corpora.tables import read_table, require_cells
from sertk.corpora.twins import recordings, seconds_of

LEAK, OK, NOTICE, UNKNOWN = "LEAK", "ok", "notice", "unknown"
SHOWN = 3


@dataclass(frozen=True)
class Finding:
    """One line of an audit: the verdict ("LEAK", "ok", "notice" or "unknown"), on what, and why."""

    verdict: str
    what: str
    text: str


@dataclass(frozen=True)
class Audit:
    """What an audit found. A table is None where the split does not say what it would need.

    Attributes:
        findings: list of `Finding`.
        parts: DataFrame, a row a part: `part`, `clips`, `seconds`.
        emotions: DataFrame, a row a part: the clips of each emotion.
        speakers, files, sentences: DataFrames, a row for each one that is in several parts: its clips in each part.
        duplicates: DataFrame, a row a clip whose recording is in several parts: `recording`, `path`, `part`.
        missing: list of paths, the files that are not there or can't be read.
    """

    findings: list
    parts: pd.DataFrame
    emotions: pd.DataFrame | None
    speakers: pd.DataFrame | None
    files: pd.DataFrame
    duplicates: pd.DataFrame
    sentences: pd.DataFrame | None
    missing: list

    @property
    def leaks(self):
        """Whether a speaker, a file or a recording is in several parts."""
        return any(finding.verdict == LEAK for finding in self.findings)

    def to_dict(self):
        """Everything as lists and dicts, ready for JSON."""
        tables = ("parts", "emotions", "speakers", "files", "duplicates", "sentences")
        records = {name: getattr(self, name) for name in tables}
        return {
            "leaks": self.leaks,
            "findings": [vars(finding) for finding in self.findings],
            **{name: None if table is None else table.to_dict("records") for name, table in records.items()},
            "missing": self.missing,
        }


def load_split(file, root=None):
    """Reads a split that somebody wrote down, for `audit`.

    Args:
        file: CSV with a column `path`, and `part` or `fold`, or both.
        root: the folder that relative paths start from. Defaults to that of the CSV.

    Returns:
        DataFrame of strings, paths absolute.

    Raises:
        FileNotFoundError: if there is no such file or folder.
        ValueError: if it is no such table.
    """
    table = read_table(file)
    if "path" not in table or not {"part", "fold"} & set(table):
        raise ValueError(
            "`file` must have a column `path`, and a column `part` (train, validation, test) or `fold`; name those of "
            f"{Path(file).name} so. Received: columns={list(table.columns)}"
        )
    require_cells(table, [column for column in ("path", "part", "fold") if column in table], file)
    folder = Path(file).parent if root is None else Path(root).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"`root` must name the folder of the clips. Received: root={str(root)!r}")
    return table.assign(path=_absolute(folder, table["path"]))


def audit(table, reader=None):
    """Says what a split leaks from one part into another, whoever made it.

    Looked for are speakers, files and recordings (the same sound under several names, as `split` compares it) that are
    in several parts, and, less grave, sentences, which nearly every acted corpus shares, and emotions that a part
    lacks. With a column `fold` in place of `part` each fold is a part; with both, each fold is looked at by itself.

    Args:
        table: DataFrame with `path`, and `part` (train, validation or test, also dev, val, valid, eval) or `fold`, or
            both; `speaker`, `corpus`, `emotion` and `statement` where known. Speakers 1 and 01 of a corpus are one.
        reader: name of a corpus' reader, as in `load`, that tells the columns which are missing from the files' names.
            Defaults to None.

    Returns:
        `Audit`.

    Raises:
        ValueError: if a column or a value of it is missing, or there is only one part.

    Example:
        >>> report = audit(load_split("their_split.csv"))
        >>> report.leaks, report.findings[0].text
        (True, '24 of 24 are in several parts: 01 (train 48, test 12), 02 (train 51, test 9), ...')
    """
    require_columns(table, ("path",), name="table")
    rows, labels = _labelled(table)
    rows["path"] = _absolute(Path(), rows["path"])
    seconds = {path: seconds_of(path) for path in rows["path"].unique()}
    rows["seconds"] = rows["path"].map(seconds)
    missing = [path for path, length in seconds.items() if pd.isna(length)]
    if reader is not None:
        rows = _told_by(reader, rows, [path for path in seconds if path not in set(missing)])
    places = "folds" if "part" not in table else "parts"

    speakers = _shared(rows, _speakers(rows), labels, "speaker")
    files = _shared(rows, rows["path"], labels, "path")
    sentences = _shared(rows, rows["statement"], labels, "statement") if "statement" in rows else None
    duplicates, copies = _duplicates(rows)
    emotions = _emotions(rows, labels)
    findings = [
        _speaker_finding(speakers, rows, places),
        _finding(LEAK, "files", files, len(seconds), places),
        _duplicate_finding(duplicates, copies, len(seconds) - len(missing), places),
        _sentence_finding(sentences, rows, places),
        _emotion_finding(emotions, places),
    ]
    if missing:
        first = ", ".join(missing[:SHOWN])
        findings.append(
            Finding(
                NOTICE,
                "missing",
                f"{len(missing):,} of {len(seconds):,} files are not there or can't be read, so their sound was not "
                f"compared: {first}",
            )
        )
    return Audit(findings, _parts(rows, labels), emotions, speakers, files, duplicates, sentences, missing)


def _labelled(table):
    """The rows with `label`, the part that each is in, and `fold`, within which parts are compared; all labels."""
    columns = [column for column in ("part", "fold") if column in table]
    if not columns:
        raise ValueError(
            "`table` must have a column `part` or `fold`, or both; name yours so. "
            f"Received: columns={list(table.columns)}"
        )
    for column in ("path", *columns):
        if table[column].isna().any():
            raise ValueError(
                f"`{column}` must be known in each row. Received: {int(table[column].isna().sum())} of {len(table)} "
                "rows without"
            )
    rows = table.reset_index(drop=True).copy()
    folds = sorted(rows["fold"].astype(str).unique(), key=natural) if "fold" in table else []
    if "part" not in table:
        named = {fold: f"fold {fold}" if fold.isdecimal() else fold for fold in folds}
        rows["label"], labels = rows["fold"].astype(str).map(named), list(named.values())
        rows["fold"] = ""
    else:
        rows["label"] = canonical_parts(rows["part"])
        labels = parts_present(rows["label"])
        rows["fold"] = rows["fold"].astype(str) if folds else ""
        if folds:
            rows["label"] = rows["fold"] + ": " + rows["label"]
            labels = [f"{fold}: {part}" for fold in folds for part in labels]
            labels = [label for label in labels if label in set(rows["label"])]
    if rows.empty or rows.groupby("fold")["label"].nunique().min() < 2:
        raise ValueError(
            f"`{'part' if 'part' in table else 'fold'}` must name at least two parts to compare. "
            f"Received: {', '.join(labels) or 'an empty table'}"
        )
    return rows, labels


def _told_by(reader, rows, paths):
    """The rows with what a corpus' reader knows of their files, where they do not say it themselves."""
    if not paths:
        raise ValueError(
            f"`reader` needs the files themselves, and none of the split's is there. Received: reader={reader!r}"
        )
    manifest = load(reader, os.path.commonpath([Path(path).parent for path in paths])).set_index("path")
    for column in ("speaker", "corpus", "emotion", "statement"):
        if column in manifest:
            told = rows["path"].map(manifest[column])
            rows[column] = rows[column].astype("string").fillna(told) if column in rows else told
    return rows


def _speakers(rows):
    """Keys of the speakers, NA where unknown; None where the table has no such column."""
    if "speaker" not in rows:
        return None
    names = rows["speaker"].astype("string")
    plain = names.map(plain_name, na_action="ignore")
    if "corpus" in rows and rows["corpus"].nunique() > 1:
        names, plain = (rows["corpus"].astype("string") + "/" + written for written in (names, plain))
    return plain.map(names.groupby(plain).first())  # as the split writes them first


def _shared(rows, keys, labels, name):
    """The keys that are in several parts, with their clips in each: None where there are no keys."""
    if keys is None:
        return None
    rows = rows[["fold", "label"]].assign(**{name: keys}).dropna(subset=[name])
    several = rows[rows.groupby(["fold", name])["label"].transform("nunique") > 1]
    counts = several.groupby([name, "label"]).size().unstack(fill_value=0)
    return counts.reindex(columns=labels, fill_value=0).rename_axis(columns=None).reset_index()


def _duplicates(rows):
    """The clips whose recording is in several parts under several names; how many recordings have copies at all."""
    there = rows[rows["seconds"].notna()]
    columns = ["recording", "path", "part"]
    if there.empty:
        return pd.DataFrame(columns=columns), 0
    there = there.assign(recording=recordings(there[["path"]].assign(duration=there["seconds"])))
    copies = int((there.groupby("recording")["path"].nunique() > 1).sum())
    groups = there.groupby(["fold", "recording"])
    several = there[(groups["label"].transform("nunique") > 1) & (groups["path"].transform("nunique") > 1)]
    several = several.assign(part=several["label"], recording=pd.factorize(several["recording"])[0] + 1)
    return several[columns].drop_duplicates().sort_values(columns, ignore_index=True), copies


def _emotions(rows, labels):
    if "emotion" not in rows or rows["emotion"].isna().all():
        return None
    counts = rows.groupby(["label", "emotion"]).size().unstack(fill_value=0)
    return counts.reindex(labels, fill_value=0).rename_axis(index="part", columns=None).reset_index()


def _parts(rows, labels):
    parts = rows.groupby("label").agg(clips=("path", "size"), seconds=("seconds", "sum"))
    return parts.reindex(labels).rename_axis("part").reset_index()


def _finding(verdict, what, shared, total, places):
    if shared.empty:
        return Finding(OK, what, f"none of {total:,} is in several {places}")
    name = shared.columns[0]
    first = "; ".join(
        f"{row[name]} ({', '.join(f'{part} {clips}' for part, clips in row.items() if part != name and clips)})"
        for row in shared.head(SHOWN).to_dict("records")
    )
    rest = "; ..." if len(shared) > SHOWN else ""
    are = "is" if len(shared) == 1 else "are"
    return Finding(verdict, what, f"{len(shared):,} of {total:,} {are} in several {places}: {first}{rest}")


def _speaker_finding(speakers, rows, places):
    if speakers is None or rows["speaker"].isna().all():
        return Finding(UNKNOWN, "speakers", "can't be judged: the split has no column `speaker`")
    keys = _speakers(rows)
    found = _finding(LEAK, "speakers", speakers, keys.nunique(), places)
    unknown = int(keys.isna().sum())
    if not unknown:
        return found
    verdict = UNKNOWN if found.verdict == OK else found.verdict
    return Finding(verdict, "speakers", f"{found.text}; {unknown:,} clips without a speaker can't be judged")


def _duplicate_finding(duplicates, copies, compared, places):
    what = "duplicates"
    if not compared:
        return Finding(UNKNOWN, what, "can't be judged: none of the files is there")
    if duplicates.empty:
        within = f" ({copies:,} in one of the {places})" if copies else ""
        return Finding(OK, what, f"no recording of {compared:,} files is in several {places} under two names{within}")
    groups = [clips for _, clips in duplicates.groupby("recording")]
    first = "; ".join(
        " = ".join(f"{clip['path']} ({clip['part']})" for clip in clips.head(2).to_dict("records"))
        for clips in groups[:SHOWN]
    )
    rest = "; ..." if len(groups) > SHOWN else ""
    found = "1 recording is" if len(groups) == 1 else f"{len(groups):,} recordings are"
    return Finding(LEAK, what, f"{found} in several {places} under two names: {first}{rest}")


def _sentence_finding(sentences, rows, places):
    if sentences is None or rows["statement"].isna().all():
        return Finding(UNKNOWN, "sentences", "can't be judged: the split has no column `statement`")
    found = _finding(NOTICE, "sentences", sentences, rows["statement"].nunique(), places)
    if found.verdict == OK:
        return found
    return Finding(NOTICE, "sentences", f"{found.text}. Nearly every acted corpus shares them")


def _emotion_finding(emotions, places):
    if emotions is None:
        return Finding(UNKNOWN, "emotions", "can't be judged: the split has no column `emotion`")
    counts = emotions.set_index("part")
    lacking = [
        f"{part} has no {', '.join(clips.index[clips == 0])}" for part, clips in counts.iterrows() if (clips == 0).any()
    ]
    shares = 100 * counts.div(counts.sum(axis=1), axis=0)
    spread = (shares.max() - shares.min()).max()
    text = f"the share of an emotion differs by up to {spread:.1f} percentage points between the {places}"
    if lacking:
        return Finding(NOTICE, "emotions", f"{'; '.join(lacking)}; {text}")
    return Finding(OK, "emotions", f"each of the {places} has all {counts.shape[1]}; {text}")


def _absolute(folder, paths):
    """Paths in one spelling each: absolute, without links, `.` and `..`; both slashes are understood."""
    paths = paths.astype("string").str.replace("\\", os.sep, regex=False)
    return paths.map(lambda path: str((folder / path).resolve())).astype("string")
