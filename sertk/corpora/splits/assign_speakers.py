"""Speakers into parts: each part gets its share of clips, emotions and genders, and a speaker stays whole."""

import numpy as np
import pandas as pd

# Up to here every place to cut at is tried: where speakers differ much in clips, the best may be far from a goal.
FEW = 8
ASSIGNMENTS = 400  # more than this hardly betters the balance; RAVDESS takes a tenth of a second


def assign_speakers(clips, speaker, shares, random):
    """The part of each speaker, by number: the most balanced of many random assignments.

    Each candidate is a random order of the speakers, cut near where the sizes are right, or exactly there where the
    shares are counts of speakers. Its score sums the squares of the clips by which the parts miss their share of each
    trait. It is an integer of any size: no rounding and no overflow can turn the choice, and `RandomState` draws the
    same numbers in every version of NumPy.

    Args:
        clips: DataFrame with `emotion`, and `gender` where known.
        speaker: int array `(clips,)`, the number of each clip's speaker.
        shares: `Shares`; where they are counts, of speakers, they sum to the number of speakers.
        random: `numpy.random.RandomState`.

    Returns:
        int array `(speakers,)`, positions in `shares.parts`.
    """
    traits = _traits(clips, speaker)
    weights = np.array([value if shares.counts else round(value * 10_000) for value in shares.values], dtype=np.int64)
    wanted = weights[:, None] * traits.sum(axis=0)
    goals = np.cumsum(weights)[:-1] * traits[:, 0].sum()
    best = None
    for _ in range(ASSIGNMENTS):
        order = random.permutation(len(traits))
        filled = np.cumsum(np.vstack([np.zeros_like(traits[:1]), traits[order]]), axis=0) * weights.sum()
        cuts = [tuple(np.cumsum(weights)[:-1].tolist())] if shares.counts else _cuts(filled[:, 0], goals)
        for places in cuts:
            found = np.diff(filled[[0, *places, len(traits)]], axis=0)
            score = _score(found - wanted)
            if best is None or score < best[0]:
                best = score, order, places
    _, order, places = best
    part = np.empty(len(order), dtype=int)
    part[order] = np.repeat(np.arange(len(weights)), np.diff([0, *places, len(order)]))
    return part


def deal_speakers(clips, speaker, k, random):
    """The fold of each speaker, 0 to k - 1: the most balanced of many deals.

    In each deal the speakers come in a random order, in every other one those with most clips first, and each goes to
    the fold that has least of what the speaker brings.

    Args:
        clips: DataFrame with `emotion`, and `gender` where known.
        speaker: int array `(clips,)`, the number of each clip's speaker.
        k: int, at most as many as there are speakers.
        random: `numpy.random.RandomState`.

    Returns:
        int array `(speakers,)`.
    """
    traits = _traits(clips, speaker)
    best = None
    for deal in range(ASSIGNMENTS):
        order = random.permutation(len(traits))
        if deal % 2 == 0:  # the better order as a rule; but 3 + 3 and 2 + 2 + 2 are not found in it
            order = order[np.argsort(-traits[order, 0], kind="stable")]
        filled = np.zeros((k, traits.shape[1]), dtype=np.int64)
        fold = np.empty(len(traits), dtype=int)
        for one in order:
            fold[one] = (filled @ traits[one]).argmin()
            filled[fold[one]] += traits[one]
        score = _score(filled * k - traits.sum(axis=0))
        if best is None or score < best[0]:
            best = score, fold
    return best[1]


def _traits(clips, speaker):
    """What is to be balanced, counted in clips: (speakers, 1 + emotions + genders)."""
    columns = [np.ones(len(clips), dtype=np.int64)]
    for trait in ("emotion", "gender"):
        values = clips[trait] if trait in clips else pd.Series(dtype="string")
        columns += [(values == value).fillna(False).to_numpy(np.int64) for value in sorted(values.dropna().unique())]
    traits = np.zeros((speaker.max() + 1, len(columns)), dtype=np.int64)
    np.add.at(traits, speaker, np.stack(columns, axis=1))
    return traits


def _score(misses):
    return sum(miss**2 for miss in misses.ravel().tolist())


def _cuts(filled, goals, left=0):
    """Places to cut at, near the goals (any, of few speakers), that leave at least one speaker a part."""
    if not len(goals):
        yield ()
        return
    near = int(np.abs(filled - goals[0]).argmin())
    speakers = len(filled) - 1
    steps = (-1, 0, 1) if speakers > FEW else range(-speakers, speakers + 1)
    for place in sorted({min(max(near + step, left + 1), speakers - len(goals)) for step in steps}):
        for further in _cuts(filled, goals[1:], place):
            yield (place, *further)
