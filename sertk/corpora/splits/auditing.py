"""The audit: what anybody's split leaks."""

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sertk.corpora.emotions import canonical_emotion
from sertk.corpora.manifest import require_columns
from sertk.corpora.splits.fold_file import natural, plain_name
from sertk.corpora.splits.parts import canonical_parts, parts_present
from sertk.corpora.splits.told import resolved, told_by
from sertk.corpora.splits.twins import compared, seconds_of
from sertk.corpora.tables import read_table, require_cells

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
        missing: list of paths, the files that are not there or can't be decoded.
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
        DataFrame of strings, paths absolute. Links are not followed: a reader tells clips by the names of the links.

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


def audit(table, reader=None, root=None):
    """Says what a split leaks from one part into another, whoever made it.

    Looked for are speakers, files and recordings (the same sound under several names, as `split` compares it) that are
    in several parts, and, less grave, sentences, which nearly every acted corpus shares, and emotions that a part
    lacks. With a column `fold` in place of `part` each fold is a part; with both, each fold is looked at by itself.

    Args:
        table: DataFrame with `path`, and `part` (train, validation or test, also dev, val, valid, eval) or `fold`, or
            both; `speaker`, `corpus`, `emotion` and `statement` where known. Speakers 1 and 01 of a corpus are one.
        reader: name of a corpus' reader, as in `load`, that tells the columns which are missing from the files' names.
            Defaults to None.
        root: the folder that the reader looks through. Defaults to the one that all files of the split are in; it has
            to be given if that is a whole disk or a home, or if it lacks what the reader needs, such as the label files
            of IEMOCAP.

    Returns:
        `Audit`.

    Raises:
        FileNotFoundError: if there is no such `root`.
        ValueError: if a column or a value of it is missing, there is only one part, or the reader finds nothing.

    Example:
        >>> report = audit(load_split("their_split.csv"))
        >>> report.leaks, report.findings[0].text
        (True, '24 of 24 are in several parts: 01 (train 48, test 12), 02 (train 51, test 9), ...')
    """
    require_columns(table, ("path",), name="table")
    rows, labels = _labelled(table)
    named = _absolute(Path(), rows["path"])
    rows["path"] = resolved(named)
    rows["seconds"] = rows["path"].map({path: seconds_of(path) for path in rows["path"].unique()})
    if reader is not None:
        rows = told_by(reader, rows, named[rows["seconds"].notna()], root)
    if {"chunk_start", "duration"} <= set(rows):
        # Rows are chunks: each is as long as the table says, not as its clip.
        rows["seconds"] = pd.to_numeric(rows["duration"], errors="coerce").fillna(rows["seconds"])
    if "emotion" in rows:
        rows["emotion"] = rows["emotion"].astype("string").map(canonical_emotion, na_action="ignore")
    rows["recording"], heard = compared(rows["path"])
    files_in_all, missing = rows["path"].nunique(), rows["path"][~heard].unique().tolist()
    places = "folds" if "part" not in table else "parts"

    speakers = _shared(rows, _speakers(rows), labels, "speaker")
    files = _shared(rows, rows["path"], labels, "path")
    sentences = _shared(rows, _sentences(rows), labels, "statement")
    duplicates, copies = _duplicates(rows)
    emotions = _emotions(rows, labels)
    findings = [
        _speaker_finding(speakers, rows, places),
        _finding(LEAK, "files", files, files_in_all, places),
        _duplicate_finding(duplicates, copies, files_in_all, len(missing), places),
        _sentence_finding(sentences, rows, places),
        _emotion_finding(emotions, places),
    ]
    if missing:
        first = ", ".join(missing[:SHOWN])
        findings.append(
            Finding(
                NOTICE,
                "missing",
                f"{len(missing):,} of {files_in_all:,} files are not there or can't be decoded, so their sound was not "
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


def _speakers(rows):
    """Keys of the speakers, NA where unknown; None where the table has no such column."""
    if "speaker" not in rows:
        return None
    names = rows["speaker"].astype("string")
    plain = names.map(plain_name, na_action="ignore")
    if "corpus" in rows and rows["corpus"].nunique() > 1:
        names, plain = (rows["corpus"].astype("string") + "/" + written for written in (names, plain))
    return plain.map(names.groupby(plain).first())  # as the split writes them first


def _sentences(rows):
    """The statements, alike whatever their letter case and spaces; None where the table has no such column."""
    if "statement" not in rows:
        return None
    written = rows["statement"].astype("string")
    plain = written.str.casefold().str.split().str.join(" ").replace("", pd.NA)
    return plain.map(written.groupby(plain).first())  # as the split writes them first


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
    copies = int((rows.groupby("recording")["path"].nunique() > 1).sum())
    groups = rows.groupby(["fold", "recording"])
    several = rows[(groups["label"].transform("nunique") > 1) & (groups["path"].transform("nunique") > 1)]
    several = several.assign(part=several["label"], recording=pd.factorize(several["recording"])[0] + 1)
    columns = ["recording", "path", "part"]
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


def _duplicate_finding(duplicates, copies, files, unheard, places):
    what = "duplicates"
    if duplicates.empty and unheard == files:
        return Finding(UNKNOWN, what, "can't be judged: none of the files is there and can be decoded")
    if duplicates.empty:
        within = f" ({copies:,} in one of the {places})" if copies else ""
        text = f"no recording of {files - unheard:,} files is in several {places} under two names{within}"
        if not unheard:
            return Finding(OK, what, text)
        return Finding(UNKNOWN, what, f"{text}; {unheard:,} files that can't be decoded can't be judged")
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
    found = _finding(NOTICE, "sentences", sentences, _sentences(rows).nunique(), places)
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
    """Absolute paths, links as they are; both slashes are understood."""
    paths = paths.astype("string").str.replace("\\", os.sep, regex=False)
    return paths.map(lambda path: str((folder / path).absolute())).astype("string")
