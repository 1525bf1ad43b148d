"""Few labels: which clips of a training part keep theirs, as if nobody had labelled the others."""

import numpy as np
import pandas as pd

from sertk.corpora.manifest import require_columns
from sertk.corpora.splits.leaks import KINDS, check_kind, refuse_leaks
from sertk.corpora.splits.material import Material
from sertk.corpora.splits.shares import check_seed


def keep_labels(table, share, seed=0, kind="speaker"):
    """Draws the clips of the training part that keep their labels, stratified by emotion.

    As many as the share of the training clips rounds to, or one for each emotion where that is more. Each emotion gets
    one, and the rest go to the emotions by Webster's method, near their shares: not by the largest remainder, which may
    take a clip from an emotion when the whole grows. So draws with one seed are nested: the clips of 1 % are among
    those of 5 %, and 100 % are all. Copies of a recording are drawn together, so that an emotion may have a few clips
    more where there are some.

    The other parts keep their labels. That no voice of theirs is drawn is up to the split, which is checked once more.

    The result depends on the training clips and the seed alone, not on the order of the rows, the folder of the corpus
    or the machine.

    Args:
        table: a manifest with a column `part`, as `sertk.corpora.split` or `folds` gives it, and with the columns
            `path`, `emotion`, `corpus` and `speaker`.
        share: float above 0, at most 1: how many of the training clips keep their labels.
        seed: int from 0 to 2**32 - 1; another seed draws other clips. Defaults to 0.
        kind: the kind of split that `table` claims to be, one of `sertk.corpora.KINDS`. Those that are by speaker or by
            session may not have a speaker in two parts. Defaults to "speaker".

    Returns:
        The table with a column `labelled`, bool, True outside of the training part; rows and index as they were.

    Raises:
        ValueError: if an argument is out of range, the split leaks, as `check_split` says, or the training part has no
            clip of an emotion that the table has.

    Example:
        >>> table = split(load("ravdess", "corpora/ravdess-16k"), fractions=(16, 4, 4))
        >>> few = keep_labels(table, 0.05)
        >>> few[few["part"] == "train"]["labelled"].sum()
        48

    Source: paper 000, which trains on 1 % of the labels; Balinski and Young (1982), "Fair representation", on the
    method of Webster and on why shares by the largest remainder are not nested.
    """
    number = isinstance(share, int | float | np.integer | np.floating) and not isinstance(share, bool)
    if not number or not 0 < share <= 1:
        raise ValueError(
            "`share` must be a number above 0 and at most 1: how many of the training clips keep their labels. "
            f"Received: share={share!r}"
        )
    check_seed(seed)
    check_kind(kind, KINDS)
    require_columns(table, ("part",), name="table")
    material = Material.of(table)
    refuse_leaks(material.clips, material.recording, by_speaker=KINDS[kind], needed=("train",))
    train = np.flatnonzero(material.clips["part"] == "train")
    emotions, recording = material.emotions[train], material.recording[train]
    lacking = sorted(set(material.emotions) - set(emotions))
    if lacking:
        raise ValueError(
            "`table` must have a training clip of each emotion, to keep its label; divide it anew, or drop these "
            f"emotions with `map_labels`. Received: no training clip of {', '.join(lacking)}"
        )
    order = _drawn(emotions, recording, np.random.RandomState(seed))
    wanted = max(round(float(share) * len(train)), len(set(emotions)))
    kept = pd.Series(np.isin(np.arange(len(train)), order[:wanted])).groupby(recording).transform("any")
    labelled = np.ones(len(table), dtype=bool)
    labelled[material.order[train]] = kept
    return table.assign(labelled=labelled)


def _drawn(emotions, recording, random):
    """All clips in the order in which they get a label: every share is a beginning of it.

    Args:
        emotions: array `(clips,)`.
        recording: int array `(clips,)`, the number of each clip's recording.
        random: `numpy.random.RandomState`.

    Returns:
        int array, positions.
    """
    numbers, first = pd.factorize(recording)
    place = random.permutation(len(first))[numbers]  # copies lie beside each other
    _, emotion = np.unique(emotions.astype(str), return_inverse=True)
    tie = random.permutation(emotion.max() + 1)[emotion]
    clips = pd.DataFrame({"emotion": emotion, "place": place}).sort_values(["emotion", "place"], kind="stable")
    before = clips.groupby("emotion").cumcount().sort_index().to_numpy()  # how many of its emotion have one already
    # An emotion's claim on the next label. Quotients that are equal are so in every machine's arithmetic.
    claim = np.bincount(emotion)[emotion] / (2 * before + 1)
    claim[before == 0] = np.inf
    return np.lexsort((before, tie, -claim))
