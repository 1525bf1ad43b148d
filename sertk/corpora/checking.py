"""Is a corpus complete and sound? What was found, beside what its makers say that it holds."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sertk.audio import read
from sertk.corpora.readers.registry import OFFICIAL, READERS, reader_name
from sertk.progress import progress_bar

UNLABELLED = "(none)"


@dataclass(frozen=True)
class Check:
    """What `check` found out about a corpus.

    Args:
        corpus: the reader's name.
        directory: the corpus' folder.
        counts: DataFrame of the columns `of` ("clips", "speakers", "emotion" or "speaker"), `name` (of the emotion
            or the speaker), `found` and `official` (Int64; NA where the number is not published).
        problems: list of `{"path", "reason"}`: files that were not understood, that can't be decoded, or that are
            missing.
        left_out: list of `{"path", "reason"}`: files that are well understood and belong to no clip: second
            copies, and other parts of the corpus.
    """

    corpus: str
    directory: str
    counts: pd.DataFrame
    problems: list
    left_out: list

    @property
    def complete(self):
        """Whether all counts are the official ones, as far as they are published, and no speaker lacks clips."""
        found, official = self.counts["found"], self.counts["official"]
        return bool((found == official.fillna(found)).all() and (found > 0).all())

    @property
    def sound(self):
        """Whether every file was understood and decoded."""
        return not self.problems

    def to_dict(self):
        """All of it as plain data, for JSON."""
        counts = [
            {key: None if pd.isna(value) else value for key, value in row.items()}
            for row in self.counts.astype(object).to_dict("records")
        ]
        return {
            "corpus": self.corpus,
            "directory": self.directory,
            "complete": self.complete,
            "sound": self.sound,
            "counts": counts,
            "problems": self.problems,
            "left_out": self.left_out,
        }


def check(name, directory, progress=True, **options):
    """Compares a corpus on disk with the official one, and decodes every clip of it.

    The counts are compared by emotion and by speaker, as far as they are published; one's own corpora ("csv",
    "folders", "synthetic") have no official counts.

    Args:
        name: the corpus' reader, as in `load`.
        directory: the corpus' folder.
        progress: whether to show a bar, on a terminal. Defaults to True.
        **options: the reader's own, as in `load`; the official counts are those of the reader without options.

    Returns:
        A `Check`.

    Raises:
        FileNotFoundError: if `directory` does not exist.
        ValueError: if the name is unknown, or the folder holds no clip of the corpus.

    Example:
        >>> found = check("emovo", "corpora/emovo")
        >>> found.complete, found.sound
        (True, True)
    """
    name = reader_name(name)
    manifest = READERS[name](directory, **options)
    skipped = manifest.attrs["skipped"]
    problems = [_plain(entry) for entry in skipped if entry["kind"] != "aside"]
    problems += _undecodable(manifest["path"], progress)
    return Check(
        corpus=name,
        directory=str(Path(directory).expanduser().absolute()),
        counts=_counts(manifest, None if options else OFFICIAL.get(name)),
        problems=sorted(problems, key=lambda entry: entry["path"]),
        left_out=[_plain(entry) for entry in skipped if entry["kind"] == "aside"],
    )


def _counts(manifest, official):
    speakers = manifest["speaker"].dropna()
    rows = [("clips", "", len(manifest), official and official.clips)]
    if len(speakers) or official:
        rows.append(("speakers", "", speakers.nunique(), official and official.speakers))
    by_emotion = official.emotions if official else {}
    by_speaker = official.by_speaker if official else {}
    rows += _side_by_side("emotion", manifest["emotion"].fillna(UNLABELLED), by_emotion)
    rows += _side_by_side("speaker", speakers, by_speaker)
    table = pd.DataFrame(rows, columns=["of", "name", "found", "official"])
    return table.astype({"of": "string", "name": "string", "found": "Int64", "official": "Int64"})


def _side_by_side(of, values, official):
    """A row a value, found or expected; where anything is published, what is not there is officially 0."""
    found = Counter(values)
    unexpected = 0 if official else None
    return [(of, name, found[name], official.get(name, unexpected)) for name in sorted({*found, *official})]


def _undecodable(paths, progress):
    def problem(path):
        try:
            read(path)
        except (ValueError, OSError) as error:
            return {"path": path, "reason": str(error).removeprefix(f"{path}: ")}
        return None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        bar = progress_bar(pool.map(problem, paths), total=len(paths), desc="decoding", unit="clip", show=progress)
        return [found for found in bar if found]


def _plain(entry):
    return {"path": entry["path"], "reason": entry["reason"]}
