"""Cosine similarities of all pairs of embeddings, a block of clips at a time."""

import numpy as np

from sertk.progress import progress_bar

# How many similarities are at hand at once: 128 MiB in float64.
BLOCK = 1 << 24


def unit_vectors(embeddings, keys):
    """Embeddings as vectors of the length 1.

    Args:
        embeddings: float array `(clips, channels)`, or a list of arrays `(channels,)`.
        keys: tuple of str, a clip each.

    Returns:
        float64 array `(clips, channels)`.

    Raises:
        ValueError: if they are not as many as the keys, or of unequal width, or one holds infinity or NaN, or is zero
            throughout; the message names its key.
    """
    if len(embeddings) != len(keys):
        raise ValueError(
            f"`keys` must be as many as the embeddings. Received: {len(keys):,} keys, {len(embeddings):,} embeddings"
        )
    if len(keys) < 2:
        raise ValueError("`embeddings` must be of two clips at least: one has no neighbour. Received: 1")
    vectors = _as_table(embeddings, keys)
    for fault, what in (
        (~np.isfinite(vectors).all(axis=1), "must be finite; embed the clip again, or leave it out"),
        (~vectors.any(axis=1), "must not be all zeros, which point nowhere; leave the clip out"),
    ):
        if fault.any():
            raise ValueError(
                f"{keys[np.argmax(fault)]}: its embedding {what}. Received: {fault.sum():,} such of {len(keys):,}"
            )
    # By their largest value first: the squares of very large or small numbers would not be finite, or zero.
    vectors /= np.abs(vectors).max(axis=1, keepdims=True)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def blocks(vectors, desc, *, once=False, progress=True):
    """Yields the similarities of all clips with all others, a block of clips at a time.

    They are products in float64, rounded to float32, so what is equally similar is so to the last bit wherever it
    stands in a block. A clip's similarity with itself is given as -2, less than any.

    Args:
        vectors: float64 array `(clips, channels)`, of `unit_vectors`.
        desc: str, what the bar says.
        once: bool, whether each pair is given once, with the clip that comes first, and -2 in place of the others.
            Defaults to False.
        progress: bool, whether to show a bar on a terminal. Defaults to True.

    Yields:
        int, the first clip of the block, and float32 array `(clips in it, clips)`; with `once` its columns begin with
        that clip too.
    """
    clips = len(vectors)
    rows = max(1, BLOCK // clips)
    with progress_bar(total=clips, desc=desc, unit="clip", show=progress) as bar:
        for start in range(0, clips, rows):
            part = vectors[start : start + rows]
            begin = start if once else 0
            similarities = (part @ vectors[begin:].T).astype("float32")
            np.clip(similarities, -1, 1, out=similarities)
            places = np.arange(len(part))
            similarities[np.tril_indices(len(part)) if once else (places, start + places)] = -2
            yield start, similarities
            bar.update(len(part))


def _as_table(embeddings, keys):
    widths = [np.shape(vector) for vector in embeddings]
    odd = next((place for place, width in enumerate(widths) if width != widths[0]), None)
    if odd is not None:
        raise ValueError(
            f"{keys[odd]}: its embedding must have the width of the others. Received: shape={widths[odd]}, the first "
            f"has {widths[0]}"
        )
    if len(widths[0]) != 1 or not widths[0][0]:
        raise ValueError(
            "`embeddings` must have the shape (clips, channels), a pooled vector a clip. "
            f"Received: shape={(len(embeddings), *widths[0])}"
        )
    try:
        return np.array(embeddings, "float64")
    except (TypeError, ValueError) as error:
        raise ValueError(f"`embeddings` must be numbers. Received: {error}") from error
