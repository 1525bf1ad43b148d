"""Chunks: short pieces of clips as examples of their own, each of which remembers its clip and its speaker."""

import numpy as np
import pandas as pd

from sertk.audio import chunk_starts
from sertk.corpora.manifest import require_columns
from sertk.corpora.splits.parts import PARTS
from sertk.progress import progress_bar


def cut_chunks(manifest, waveforms, seconds=0.03, top_db=30.0, progress=True):
    """Cuts the voiced parts of all clips into chunks: the manifest with a row a chunk.

    Args:
        manifest: DataFrame with `path`; a column `part` is kept, so chunks of a split stay in their clip's part.
        waveforms: `sertk.audio.WaveformCache`. What it lacks is decoded now.
        seconds: float, the length of a chunk. Defaults to 0.03.
        top_db: as in `sertk.audio.voiced_intervals`. Defaults to 30.
        progress: bool, whether to show a bar on a terminal. Defaults to True.

    Returns:
        The manifest's rows, each as often as its clip has chunks, with a fresh index and the column `chunk_start`, the
        first sample of the chunk at the rate of `waveforms`; `duration` is the chunk's. A clip without a voiced part as
        long as a chunk has no row.

    Raises:
        ValueError: if no clip has a chunk, or a file can't be decoded.

    Source: paper 001, section 3.
    """
    require_columns(manifest, ("path",))
    waveforms.prepare(manifest["path"], progress=progress)
    bar = progress_bar(manifest["path"], desc="chunks", unit="clip", show=progress, leave=False)
    starts = [chunk_starts(waveforms.waveform(path), waveforms.sample_rate, seconds, top_db) for path in bar]
    counts = [len(of_clip) for of_clip in starts]
    if not sum(counts):
        raise ValueError(
            f"`manifest` must hold a clip with a voiced part of {seconds:g} s. Received: {len(manifest)} clips without"
        )
    chunks = manifest.loc[manifest.index.repeat(counts)].reset_index(drop=True)
    return chunks.assign(chunk_start=np.concatenate(starts).astype("int64"), duration=float(seconds))


def draw_chunks(chunks, counts, seed=0):
    """Draws so many chunks for each part, as many of one emotion as of another.

    Args:
        chunks: DataFrame with `part` and `emotion`.
        counts: how many chunks for training, validation and test.
        seed: int. Defaults to 0.

    Returns:
        The rows drawn, in their order, with a fresh index. Where the emotions do not divide a count evenly, the first
        ones by name have one more.

    Raises:
        ValueError: if a part lacks chunks of an emotion; the message says how many there are.
    """
    require_columns(chunks, ("part", "emotion"), name="chunks")
    rng, drawn = np.random.RandomState(seed), []
    for part, emotion, wanted in _shares(chunks, counts):
        there = np.flatnonzero((chunks["part"] == part) & (chunks["emotion"] == emotion))
        _refuse_too_many(wanted, len(there), f"the {part} part has", emotion, counts)
        drawn.append(rng.choice(there, wanted, replace=False))
    return chunks.iloc[np.sort(np.concatenate(drawn))].reset_index(drop=True)


def scatter_chunks(chunks, counts, seed=0):
    """Draws chunks for each part whatever clip they are from: **this leaks**, and is here to show how much.

    A voice, a sentence, the very vowel is then in training and in test. It is what a paper does that does not say
    how it kept the pieces of a recording together; paper 001 does not.

    Args:
        chunks: as `cut_chunks` gives them, without a column `part`.
        counts: how many chunks for training, validation and test, each as many of one emotion as of another.
        seed: int. Defaults to 0.

    Returns:
        The rows drawn, with a column `part`.

    Raises:
        ValueError: if there are not as many chunks of an emotion.
    """
    require_columns(chunks, ("path", "emotion"), name="chunks")
    rng, parts = np.random.RandomState(seed), np.full(len(chunks), None, dtype=object)
    waiting = {}
    for emotion in sorted(set(chunks["emotion"])):
        waiting[emotion] = rng.permutation(np.flatnonzero(chunks["emotion"] == emotion))
        wanted = sum(share for _, other, share in _shares(chunks, counts) if other == emotion)
        _refuse_too_many(wanted, len(waiting[emotion]), "there are", emotion, counts)
    for part, emotion, wanted in _shares(chunks, counts):
        parts[waiting[emotion][:wanted]] = part
        waiting[emotion] = waiting[emotion][wanted:]
    return (
        chunks.assign(part=pd.Series(parts, index=chunks.index, dtype="string"))
        .dropna(subset="part")
        .reset_index(drop=True)
    )


def _shares(chunks, counts):
    """How many chunks of each emotion each part gets: (part, emotion, count); the first emotions get what is over."""
    emotions = sorted(set(chunks["emotion"]))
    for part, count in zip(PARTS, _checked(counts), strict=True):
        for place, emotion in enumerate(emotions):
            yield part, emotion, count // len(emotions) + (place < count % len(emotions))


def _refuse_too_many(wanted, there, where, emotion, counts):
    if wanted > there:
        raise ValueError(
            f"`counts` must not ask for more chunks than there are: {where} {there} of {emotion}, {wanted} are asked "
            f"for. Received: counts={tuple(counts)}"
        )


def _checked(counts):
    if len(counts) != len(PARTS) or any(count != int(count) or count < 0 for count in counts) or counts[0] < 1:
        raise ValueError(
            f"`counts` must be three whole numbers, of chunks for {', '.join(PARTS)}. Received: counts={tuple(counts)}"
        )
    return [int(count) for count in counts]
