"""Choosing the threshold of a graph by how many neighbours a clip shall have."""

import numpy as np

from sertk.graphs.building import MOST_EDGES
from sertk.graphs.similarities import blocks, unit_vectors


def threshold_for_degree(embeddings, degree, *, keys=None, progress=True):
    """Gives the threshold at which clips have so many neighbours on average.

    0.99 belongs to the network whose embeddings paper 003 takes: another one's clips may lie closer together or further
    apart. Every pair is compared, no sample is taken: of all similarities the highest `clips * degree / 2` lie above
    the threshold, fewer only where several are equal to it in float32. The mean is that of the complete graph; a
    `max_neighbors` can only lower it.

    Args:
        embeddings: as in `sertk.graphs.build_graph`.
        degree: float, above 0 and below `clips - 1`, the mean number of neighbours.
        keys: str of each clip, for messages. Defaults to the clips' numbers, from 0.
        progress: bool, whether to show a bar on a terminal. Defaults to True.

    Returns:
        float, for `build_graph`'s `threshold`.

    Raises:
        ValueError: if `degree` is out of range, so small that there is no edge, or not to be had, since more pairs are
            alike to the last bit; or the embeddings are none for `build_graph`.

    Example:
        >>> round(threshold_for_degree([[3, 4], [4, 3], [0, 1]], 2 / 3), 6)
        0.8
    """
    keys = tuple(map(str, range(len(embeddings)) if keys is None else keys))
    vectors = unit_vectors(embeddings, keys)
    clips = len(keys)
    if not 0 < degree < clips - 1:
        raise ValueError(
            f"`degree` must be above 0 and below {clips - 1}, the number of a clip's others. "
            f"Received: degree={degree!r}"
        )
    edges = round(clips * degree / 2)
    if not 0 < edges < min(MOST_EDGES, clips * (clips - 1) // 2):
        raise ValueError(
            f"`degree` must leave from one to {MOST_EDGES:,} edges, and some pair without one. "
            f"Received: degree={degree} with {clips:,} clips, {edges:,} edges"
        )
    threshold = _highest(vectors, edges + 1, progress)
    if threshold >= 1:
        raise ValueError(
            f"`degree` must be more: over {edges:,} pairs of clips are alike to the last bit, which no threshold tells "
            f"apart. Received: degree={degree}"
        )
    return threshold


def _highest(vectors, count, progress):
    """The similarity that is the highest but `count - 1`, over all pairs."""
    kept, bound = np.empty(0, "float32"), np.float32(-2)
    for _, similarities in blocks(vectors, "measuring", once=True, progress=progress):
        kept = np.concatenate([kept, similarities[similarities > bound]])
        if len(kept) > count:
            kept = np.partition(kept, -count)[-count:]
            bound = kept.min()
    return float(kept.min())
