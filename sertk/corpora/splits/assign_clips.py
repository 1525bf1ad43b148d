"""Clips into parts: each part gets its share of every emotion, and a recording stays whole."""

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split


def draw_clips(material, shares, seed):
    """The part of each clip, drawn at random and stratified by emotion.

    A recording that is there twice goes to train, where a repeat does no harm; the sizes are then exact. Only where too
    few are there once, as where every clip has a copy, whole recordings are dealt to all parts.

    Args:
        material: `Material`.
        shares: `Shares` whose first part is train and whose last one is test.
        seed: int.

    Returns:
        Object array of the parts' names.

    Raises:
        ValueError: if an emotion is too rare, or a part too small, to have some of each emotion in each part.
    """
    sizes = shares.sizes(len(material.clips))
    _refuse_rare(material, len(shares.parts), "one for each part")
    _refuse_small(material, dict(zip(shares.parts, sizes, strict=True)), f"fractions={shares.values}")
    once = np.flatnonzero(~pd.Series(material.recording).duplicated(keep=False))
    single = pd.Series(material.emotions[once]).value_counts().reindex(sorted(set(material.emotions)), fill_value=0)
    if single.min() >= len(shares.parts) and single.sum() - sum(sizes[1:]) >= len(single):
        return _draw_single(material, shares, sizes, once, seed)
    part = deal_clips(material.emotions, material.recording, sizes, np.random.RandomState(seed))
    found = tuple(np.bincount(part, minlength=len(sizes)).tolist())
    if shares.counts and found != sizes:
        raise ValueError(
            "`fractions` can't come out as counted, because copies of a recording stay together; give shares, or drop "
            f"the copies. Received: fractions={shares.values}; {found} would be had"
        )
    return np.array(shares.parts, dtype=object)[part]


def _draw_single(material, shares, sizes, once, seed):
    parts = np.full(len(material.clips), "train", dtype=object)
    rest, random = once, np.random.RandomState(seed)
    for part, size in [*zip(shares.parts, sizes, strict=True)][:0:-1]:
        labels = material.emotions[rest]
        try:
            rest, drawn = train_test_split(rest, test_size=size, stratify=labels, random_state=random)
        except ValueError as error:
            raise ValueError(
                "`manifest` is too small to stratify its emotions over the parts; merge the rare ones with "
                f"`map_labels`. Received: {len(parts)} clips, fractions={shares.values} ({error})"
            ) from error
        parts[drawn] = part
    return parts


def draw_validation(material, rest, shares, random):
    """Which of the clips `rest` validate: stratified by emotion, recordings whole.

    Args:
        material: `Material`.
        rest: int array, positions of the clips that are not tested on.
        shares: `Shares` of train and validation.
        random: `numpy.random.RandomState`.

    Returns:
        int array, some of `rest`.

    Raises:
        ValueError: if the validation part could not hold a clip of each emotion.
    """
    sizes = shares.sizes(len(rest))
    classes = len(set(material.emotions[rest]))
    if min(sizes) < classes:
        raise ValueError(
            f"`validation` must leave train and validation at least a clip of each of the {classes} emotions; 0 means "
            f"no validation part. Received: {sizes[1]} of {len(rest)} clips"
        )
    return rest[deal_clips(material.emotions[rest], material.recording[rest], sizes, random) == 1]


def deal_folds(material, k, seed):
    """The fold of each clip, 0 to k - 1: folds of equal size, stratified by emotion, recordings whole.

    Raises:
        ValueError: if an emotion has fewer recordings than there are folds.
    """
    _refuse_rare(material, k, "one for each fold")
    return deal_clips(material.emotions, material.recording, [1] * k, np.random.RandomState(seed))


def deal_clips(emotions, recording, weights, random):
    """Deals recordings to parts until each has its share of the clips and of every emotion.

    Exact, to one clip of an emotion, where no recording is there twice, else as near as the copies let it.

    Args:
        emotions: array `(clips,)`.
        recording: int array `(clips,)`; clips with the same number stay together.
        weights: whole numbers, one a part, in proportion to which clips are dealt; such as their wanted numbers.
        random: `numpy.random.RandomState`.

    Returns:
        int array `(clips,)`, the part of each.
    """
    copies = pd.DataFrame({"recording": recording, "emotion": emotions})
    copies = copies.groupby("recording", sort=False)["emotion"].agg(["first", "size"])
    _, emotion = np.unique(copies["first"].to_numpy(dtype=str), return_inverse=True)
    size = copies["size"].to_numpy()
    wanted = _apportion(np.bincount(emotion, weights=size).astype(np.int64), np.array(weights, dtype=np.int64))
    order = random.permutation(len(copies))
    order = order[np.argsort(-size[order], kind="stable")]  # the large ones first: the small ones then fill the gaps
    part = np.empty(len(copies), dtype=int)
    for one in order:
        lacking = wanted[emotion[one]]
        part[one] = lacking.argmax()
        lacking[part[one]] -= size[one]
    return part[copies.index.get_indexer(recording)]


def _apportion(counts, weights):
    """Whole clips of each emotion for each part, `(emotions, parts)`: rows sum to `counts`, columns to the sizes.

    Each number is the share rounded down or up; where to round up is decided row by row, in favour of the parts that
    lack most.
    """
    table = counts[:, None] * weights // weights.sum()
    for row, count in zip(table, counts, strict=True):
        extra = count - row.sum()
        lacking = weights * counts.sum() - weights.sum() * table.sum(axis=0)
        row[np.argsort(-lacking, kind="stable")[:extra]] += 1
    return table


def _refuse_rare(material, wanted, why):
    different = pd.DataFrame({"recording": material.recording, "emotion": material.emotions}).drop_duplicates()
    few = different["emotion"].value_counts().loc[lambda counts: counts < wanted]
    if len(few):
        counts = ", ".join(f"{emotion} ({clips})" for emotion, clips in sorted(few.items()))
        raise ValueError(
            f"`manifest` must have at least {wanted} different clips of each emotion, {why}; merge or drop the rare "
            f"ones with `map_labels`. Received: {counts}"
        )


def _refuse_small(material, sizes, received):
    classes = len(set(material.emotions))
    if min(sizes.values()) < classes:
        raise ValueError(
            f"`fractions` must leave each part at least a clip of each of the {classes} emotions. "
            f"Received: {received}, so {sizes}"
        )
