"""Cross-validation: several splits of one manifest, each clip tested on once."""

import numpy as np

from sertk.corpora.splits.assign_clips import deal_folds, draw_validation
from sertk.corpora.splits.assign_speakers import assign_speakers, deal_speakers
from sertk.corpora.splits.fold_file import parts_of_folds, read_fold_file
from sertk.corpora.splits.leaks import KINDS, check_kind, speakers_apart
from sertk.corpora.splits.material import Material
from sertk.corpora.splits.shares import check_k, check_seed, check_validation, validation_shares


def folds(manifest, kind="speaker-k-fold", k=5, validation=0.1, seed=0, file=None):
    """Divides a manifest several times, so that each clip is tested on once.

    | kind | the test part of a fold |
    | :-- | :-- |
    | "speaker-k-fold" | one of k groups of speakers, alike in size, emotions and genders |
    | "leave-one-speaker-out" | one speaker |
    | "leave-one-session-out" | one recording session, as for IEMOCAP; needs the column `session` |
    | "fold-file" | what a published table says |
    | "k-fold" | one of k equal draws of clips, stratified by emotion: its speakers are in training too |

    Of the clips that a fold does not test on, some validate: whole speakers, balanced as the parts of `split` are; with
    "k-fold", and where the fold file has speakers in several folds, clips stratified by emotion. Copies of a recording
    stay together. The result depends on the clips and the seed alone, and each fold is checked as by `check_split`.

    A fold file is a CSV with a column `fold`, in which a clip is tested, and a column `path`, relative to the corpus,
    or `speaker` (with `corpus` where several are joined). With a column `part` (train, validation, test) in place of
    `fold` it is one published split, with both it says the parts of each fold; `validation` is then drawn from train
    only if the file has none. It may test a clip in one fold at most, and, where it says the parts of each fold, in
    none: results are then of the clips that it does test. It may name files in `manifest.attrs["skipped"]`, and as many
    unknown ones as a label map dropped.

    Args:
        manifest: DataFrame with the columns `path`, `emotion`, `corpus` and `speaker`; `gender` where known.
        kind: one of the above. Defaults to "speaker-k-fold".
        k: int, the number of folds of "k-fold" and "speaker-k-fold". Defaults to 5.
        validation: the share of the clips that are not tested on, or a whole number of speakers ("k-fold": of clips); 0
            for no validation part. Defaults to 0.1.
        seed: int from 0 to 2**32 - 1; another seed gives other folds, or another validation part. Defaults to 0.
        file: the fold file. Defaults to None.

    Returns:
        List of tables, one a fold: the manifest with a column `part`, rows and index as they were.

    Raises:
        ValueError: if an argument is out of range, the corpus is too small for what is asked, or a fold leaks.
        FileNotFoundError: if there is no fold file of that name.

    Example:
        >>> tables = folds(load("emovo", "corpora/emovo-16k"), "leave-one-speaker-out", validation=1)
        >>> len(tables)
        6
    """
    check_kind(kind, TESTED)
    check_k(k)
    check_file(kind, file)
    table = None if file is None else read_fold_file(file)
    check_validation(validation)
    check_seed(seed)
    return _folds(Material.of(manifest), kind, k, validation, seed, table)


def check_file(kind, file):
    """Refuses a fold file that would not be read, and the kind that wants one without it."""
    if (kind == "fold-file") != (file is not None):
        raise ValueError(
            f"`file` must name a CSV of folds where kind is 'fold-file', and only there. Received: kind={kind!r}, "
            f"file={file!r}"
        )


def folds_of_table(manifest, table, validation, seed):
    """`folds` of kind "fold-file" where the file is a DataFrame of strings."""
    check_validation(validation)
    check_seed(seed)
    return _folds(Material.of(manifest), "fold-file", None, validation, seed, table)


def _folds(material, kind, k, validation, seed, table):
    if kind == "fold-file":
        attrs = material.manifest.attrs
        skipped = [entry["path"] for entry in attrs.get("skipped", [])]
        divisions = parts_of_folds(material.clips, table, skipped, sum(attrs.get("dropped", {}).values()))
    else:
        fold = TESTED[kind](material, k, seed)
        divisions = [np.where(fold == one, "test", "train").astype(object) for one in range(fold.max() + 1)]
    by_speaker = KINDS[kind]
    if kind == "fold-file":
        by_speaker = all(speakers_apart(material.clips.assign(part=parts)) for parts in divisions)
    needed = ("train", "test") if validation == 0 else ("train", "validation", "test")
    tables = []
    for number, parts in enumerate(divisions):
        if validation and "validation" not in parts:
            # Fold and seed together: each fold draws its own validation part, whatever the other folds are.
            _add_validation(material, parts, by_speaker, validation, np.random.RandomState([seed, number]))
        tables.append(material.table(parts, by_speaker, needed))
    return tables


def _add_validation(material, parts, by_speaker, validation, random):
    """Turns some of what trains into what validates."""
    rest = np.flatnonzero(parts == "train")
    if not by_speaker:
        shares = validation_shares(validation, len(rest), "clips")
        parts[draw_validation(material, rest, shares, random)] = "validation"
        return
    _, speaker = material.speakers()
    those, speaker = np.unique(speaker[rest], return_inverse=True)
    shares = validation_shares(validation, len(those), "speakers")
    part = assign_speakers(material.clips.iloc[rest], speaker, shares, random)
    parts[rest] = np.array(shares.parts, dtype=object)[part[speaker]]


def _speaker_groups(material, k, seed):
    names, speaker = material.speakers()
    if len(names) < k:
        raise ValueError(f"`k` must be at most the number of speakers, {len(names)}. Received: k={k}")
    return deal_speakers(material.clips, speaker, k, np.random.RandomState(seed))[speaker]


def _single_speakers(material, k, seed):
    names, speaker = material.speakers()
    if len(names) < 2:
        raise ValueError(f"`manifest` must have at least 2 speakers to leave one out. Received: {names.tolist()}")
    return speaker


def _single_sessions(material, k, seed):
    clips = material.clips
    if "session" not in clips or clips["session"].isna().any():
        unknown = clips["session"].isna().sum() if "session" in clips else len(clips)
        raise ValueError(
            "`session` must be known for each clip to leave sessions out; use kind='leave-one-speaker-out'. "
            f"Received: {unknown} of {len(clips)} clips without a session"
        )
    names, session = np.unique((clips["corpus"] + "/" + clips["session"]).to_numpy(dtype=str), return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"`manifest` must have at least 2 sessions to leave one out. Received: {names.tolist()}")
    return session


# Functions that give the number of the fold in which each clip is tested.
TESTED = {
    "k-fold": deal_folds,
    "speaker-k-fold": _speaker_groups,
    "leave-one-speaker-out": _single_speakers,
    "leave-one-session-out": _single_sessions,
    "fold-file": None,
}
