"""Splits: which clips train, validate and test a network, and the check that keeps them apart."""

import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from sertk.corpora.manifest import require_columns, speaker_keys
from sertk.corpora.twins import recordings

PARTS = ("train", "validation", "test")
ASSIGNMENTS = 400  # more than this hardly betters the balance; RAVDESS takes a tenth of a second


def split(manifest, kind="speaker", fractions=(0.8, 0.1, 0.1), seed=0):
    """Divides a manifest into the parts train, validation and test.

    Kinds: "speaker" keeps each speaker in one part, so that a network is tested on voices it has never heard; of
    several hundred random assignments of the speakers it takes the one whose parts come nearest to `fractions` in
    size, emotions and genders. "random" draws clips, stratified by emotion: speakers are then in all parts, and
    results look better than they would be on new voices. In both, clips that hold the same recording stay together.

    The result depends on the clips and the seed alone, not on the order of the rows, the folder of the corpus or the
    machine.

    Args:
        manifest: DataFrame with the columns `path`, `emotion`, `corpus` and `speaker`; `gender` where known.
        kind: "speaker" or "random". Defaults to "speaker".
        fractions: shares of train, validation and test, each above 0; they sum to 1. Defaults to (0.8, 0.1, 0.1).
        seed: int from 0 to 2**32 - 1; another seed gives another split. Defaults to 0.

    Returns:
        The manifest with a column `part`, rows and index as they were.

    Raises:
        ValueError: if an argument is out of range, or the corpus is too small for what is asked.

    Example:
        >>> table = split(load("ravdess", "corpora/ravdess-16k"), kind="random")
        >>> table["part"].value_counts()
        train         1152
        test           144
        validation     144
    """
    require_columns(manifest, ("path", "emotion", "speaker", "corpus"))
    _check_arguments(manifest, kind, fractions, seed)
    order = _canonical_order(manifest)
    clips = manifest.iloc[order].reset_index(drop=True)
    recording = recordings(clips)
    parts = np.empty(len(clips), dtype=object)
    parts[order] = SPLITTERS[kind](clips, recording, fractions, seed)
    table = manifest.assign(part=pd.array(parts, dtype="string"))
    in_given_order = np.empty_like(recording)
    in_given_order[order] = recording
    _refuse_leaks(table, kind, in_given_order)
    return table


def check_split(table, kind):
    """Refuses a split that is not what it says: a leak between its parts would make every number that follows too good.

    Args:
        table: a manifest with a column `part`.
        kind: the kind it claims to be. No kind may have a file, or a recording under two names, in two parts; "speaker"
            may not have a speaker in two parts either.

    Raises:
        ValueError: if the split leaks, a part is empty, or `part` holds other words than train, validation and test.
            The message names the first offenders and their number.
    """
    _check_kind(kind)
    require_columns(table, ("path", "part"), name="table")
    _refuse_leaks(table, kind, recordings(table))


def _random(clips, recording, fractions, seed):
    """Clips drawn at random, stratified by emotion."""
    # A recording that is there twice goes to train, where a repeat does no harm; the sizes are then exact.
    single = np.flatnonzero(~pd.Series(recording).duplicated(keep=False))
    emotions = clips["emotion"].astype(object).to_numpy()[single]
    few = {emotion: clips for emotion, clips in zip(*np.unique(emotions, return_counts=True), strict=True) if clips < 3}
    if few:
        counts = ", ".join(f"{emotion} ({clips})" for emotion, clips in few.items())
        raise ValueError(
            "`manifest` must have at least 3 different clips of each emotion, one for each part; merge or drop the "
            f"rare ones with `map_labels`. Received: {counts}"
        )
    held_out = {part: round(len(clips) * share) for part, share in zip(PARTS[1:], fractions[1:], strict=True)}
    classes = len(set(emotions))
    if min(*held_out.values(), len(single) - sum(held_out.values())) < classes:
        raise ValueError(
            f"`fractions` must leave each part at least a clip of each of the {classes} emotions, among the "
            f"{len(single)} clips that are there only once. Received: fractions={fractions}, so {held_out}"
        )
    parts = np.full(len(clips), "train", dtype=object)
    rest, random = single, np.random.RandomState(seed)
    for part in ("test", "validation"):
        labels = clips["emotion"].astype(object).to_numpy()[rest]
        try:
            rest, drawn = train_test_split(rest, test_size=held_out[part], stratify=labels, random_state=random)
        except ValueError as error:
            raise ValueError(
                "`manifest` is too small to stratify its emotions over the parts; merge the rare ones with "
                f"`map_labels`. Received: {len(clips)} clips, fractions={fractions} ({error})"
            ) from error
        parts[drawn] = part
    return parts


def _by_speaker(clips, recording, fractions, seed):
    """Speakers assigned to parts: the most balanced of many random assignments."""
    keys = speaker_keys(clips)
    _require_speakers(keys)
    if keys.nunique() < len(PARTS):
        raise ValueError(
            "`manifest` must have at least 3 speakers, one for each part, to be split by speaker; use kind='random' "
            f"and say so where you report results. Received: {sorted(keys.unique())}"
        )
    shared = keys.groupby(recording).agg(["nunique", "first", "last"]).query("nunique > 1")
    if len(shared):
        raise ValueError(
            "`manifest` must not have the same recording under two speakers; correct the speakers, or drop the copies. "
            f"Received: {len(shared)} such recordings, the first under {shared['first'].iloc[0]} and "
            f"{shared['last'].iloc[0]}"
        )
    speakers, speaker = np.unique(keys.to_numpy(dtype=str), return_inverse=True)
    part = _best_assignment(_traits(clips, speaker, len(speakers)), fractions, seed)
    return np.array(PARTS, dtype=object)[part[speaker]]


SPLITTERS = {"random": _random, "speaker": _by_speaker}
SPEAKER_DISJOINT = frozenset({"speaker"})


def _traits(clips, speaker, speakers):
    """What is to be balanced, counted in clips: (speakers, 1 + emotions + genders)."""
    columns = [np.ones(len(clips), dtype=np.int64)]
    for trait in ("emotion", "gender"):
        values = clips[trait] if trait in clips else pd.Series(dtype="string")
        columns += [(values == value).fillna(False).to_numpy(np.int64) for value in sorted(values.dropna().unique())]
    traits = np.zeros((speakers, len(columns)), dtype=np.int64)
    np.add.at(traits, speaker, np.stack(columns, axis=1))
    return traits


def _best_assignment(traits, fractions, seed):
    """The part (0, 1, 2) of each speaker.

    Each candidate is a random order of the speakers, cut in two places near where the sizes are right. Its score sums
    the squares of the clips by which the parts miss their share of each trait. It is an integer of any size: no
    rounding and no overflow can turn the choice, and `RandomState` draws the same numbers in every version of NumPy.
    """
    weights = np.array([round(share * 10_000) for share in fractions], dtype=np.int64)
    wanted = weights[:, None] * traits.sum(axis=0)
    goals = np.cumsum(weights)[:2] * traits[:, 0].sum()
    random = np.random.RandomState(seed)
    best = None
    for _ in range(ASSIGNMENTS):
        order = random.permutation(len(traits))
        filled = np.cumsum(np.vstack([np.zeros_like(traits[:1]), traits[order]]), axis=0) * weights.sum()
        for first, second in _cuts(filled[:, 0], goals):
            found = np.diff(filled[[0, first, second, len(traits)]], axis=0)
            score = sum(miss**2 for miss in (found - wanted).ravel().tolist())
            if best is None or score < best[0]:
                best = score, order, first, second
    _, order, first, second = best
    part = np.empty(len(order), dtype=int)
    part[order] = np.repeat([0, 1, 2], [first, second - first, len(order) - second])
    return part


def _cuts(filled, goals):
    """Pairs of places to cut at, near the goals, that leave at least one speaker a part."""
    speakers = len(filled) - 1
    near = [int(np.abs(filled - goal).argmin()) for goal in goals]
    firsts = {min(max(near[0] + step, 1), speakers - 2) for step in (-1, 0, 1)}
    for first in sorted(firsts):
        for second in sorted({min(max(near[1] + step, first + 1), speakers - 1) for step in (-1, 0, 1)}):
            yield first, second


def _canonical_order(manifest):
    """Positions of the rows ordered by what does not depend on the machine: corpus, speaker, file name, folders."""
    paths = [Path(path).absolute() for path in manifest["path"].astype(str)]
    corpora = manifest["corpus"].fillna("").astype(str).tolist()
    speakers = manifest["speaker"].fillna("").astype(str).tolist()
    root = {
        corpus: os.path.commonpath([path.parent for path, its in zip(paths, corpora, strict=True) if its == corpus])
        for corpus in set(corpora)
    }
    keys = [
        (corpus, speaker, path.name, path.relative_to(root[corpus]).as_posix(), row)
        for row, (corpus, speaker, path) in enumerate(zip(corpora, speakers, paths, strict=True))
    ]
    return np.array([key[-1] for key in sorted(keys)], dtype=int)


def _refuse_leaks(table, kind, recording):
    parts = table["part"].astype("string").reset_index(drop=True)
    others = sorted(set(parts.fillna("(none)")) - set(PARTS))
    if others:
        raise ValueError(f"`part` must hold only the words {', '.join(PARTS)}. Received: {', '.join(others)}")
    empty = [part for part in PARTS if not (parts == part).any()]
    if empty:
        raise ValueError(
            f"`part` must give each of {', '.join(PARTS)} at least one clip; {' and '.join(empty)} has none. "
            f"Received: {parts.value_counts().to_dict()}"
        )
    _refuse_shared("path", table["path"].astype(str), parts)
    twins = table["path"].reset_index(drop=True).groupby(recording).transform("first")
    _refuse_shared("recording", twins, parts)
    if kind in SPEAKER_DISJOINT:
        keys = speaker_keys(table)
        _require_speakers(keys)
        _refuse_shared("speaker", keys, parts)


def _refuse_shared(what, keys, parts):
    keys = pd.Series(keys.to_numpy(), index=parts.index, dtype="string")
    leaks = sorted(keys[parts.groupby(keys.to_numpy()).transform("nunique") > 1].unique())
    if leaks:
        first = ", ".join(f"{key} (in {' and '.join(sorted(set(parts[keys == key])))})" for key in leaks[:3])
        raise ValueError(
            f"`part` must keep each {what} in one part; assign all its clips to the same one. "
            f"Received: {len(leaks)} in several, the first {first}"
        )


def _require_speakers(keys):
    if keys.isna().any():
        raise ValueError(
            "`speaker` must be known for each clip to split by speaker; use kind='random', or load the corpus from a "
            f"CSV with a speaker column. Received: {int(keys.isna().sum())} of {len(keys)} clips without a speaker"
        )


def _check_kind(kind):
    if not isinstance(kind, str) or kind not in SPLITTERS:
        raise ValueError(f"`kind` must be one of {', '.join(map(repr, sorted(SPLITTERS)))}. Received: kind={kind!r}")


def _check_arguments(manifest, kind, fractions, seed):
    _check_kind(kind)
    if len(manifest) == 0:
        raise ValueError("`manifest` must have at least one clip to split. Received: an empty manifest")
    if manifest["emotion"].isna().any():
        raise ValueError(
            "`emotion` must be known for each clip; drop the others. "
            f"Received: {int(manifest['emotion'].isna().sum())} clips without an emotion"
        )
    try:
        shares = [float(share) for share in fractions]
    except (TypeError, ValueError):
        shares = []
    if len(shares) != len(PARTS) or not all(0 < share < 1 for share in shares) or not math.isclose(sum(shares), 1):
        raise ValueError(
            "`fractions` must be three numbers above 0 that sum to 1: the shares of train, validation and test. "
            f"Received: fractions={fractions!r}"
        )
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(f"`seed` must be a whole number from 0 to 2**32 - 1. Received: seed={seed!r}")
