"""Single splits: which clips train, validate and test a network."""

import numpy as np

from sertk.corpora.splits.assign_clips import draw_clips
from sertk.corpora.splits.assign_speakers import assign_speakers
from sertk.corpora.splits.leaks import KINDS, check_kind
from sertk.corpora.splits.material import Material
from sertk.corpora.splits.shares import check_seed, shares_of


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
        fractions: shares of train, validation and test, each above 0; they sum to 1. Two shares are those of train and
            test, without a validation part. Whole numbers are counts, of speakers or, where the kind is "random", of
            clips, and sum to all there are: (10, 8, 6). Defaults to (0.8, 0.1, 0.1).
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
    check_kind(kind, SPLITTERS)
    shares = shares_of(fractions)
    check_seed(seed)
    material = Material.of(manifest)
    return material.table(SPLITTERS[kind](material, shares, seed), by_speaker=KINDS[kind], needed=shares.parts)


def _by_speaker(material, shares, seed):
    names, speaker = material.speakers()
    if len(names) < len(shares.parts):
        raise ValueError(
            f"`manifest` must have at least {len(shares.parts)} speakers, one for each part, to be split by speaker; "
            f"use kind='random' and say so where you report results. Received: {names.tolist()}"
        )
    shares.sizes(len(names), "speakers")
    part = assign_speakers(material.clips, speaker, shares, np.random.RandomState(seed))
    return np.array(shares.parts, dtype=object)[part[speaker]]


SPLITTERS = {"random": draw_clips, "speaker": _by_speaker}
