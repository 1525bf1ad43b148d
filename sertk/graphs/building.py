"""Building a graph: clips whose embeddings point the same way are neighbours."""

import numpy as np

from sertk.graphs.graph import Graph, check_keys, check_most
from sertk.graphs.similarities import blocks, unit_vectors

# Of so many edges the arrays alone take 1.2 GB.
MOST_EDGES = 100_000_000


def build_graph(embeddings, keys, *, threshold=0.99, max_neighbors=9, progress=True):
    """Builds the graph of the clips whose embeddings have a cosine similarity over a threshold.

    Every pair is compared, none is missed. Each clip names its nearest `max_neighbors`, of equally near ones those that
    are first in `keys`; two clips are joined where one of them names the other, so a clip that many name has more.
    For `most <= max_neighbors`, `neighbors(most)` gives just what it would of the complete graph, `max_neighbors=None`:
    what is joined is joined there too, and a clip's nearest `most` are among those that it names itself.

    Memory: the embeddings in float64, some 300 MB for a block of similarities, and 12 bytes an edge. 100,000
    clips of 256 channels take 0.6 GB; time grows with the square of the clips.

    Args:
        embeddings: float array `(clips, channels)`, or a list of arrays `(channels,)`.
        keys: str of each clip, such as its path, in the same order.
        threshold: float, above -1 and below 1; the similarity of neighbours is above it. Similarities are compared in
            float32. Defaults to 0.99, paper 003's.
        max_neighbors: int, how many neighbours a clip names at most, or None for all. Defaults to 9, the most in
            paper 003.
        progress: bool, whether to show a bar on a terminal. Defaults to True.

    Returns:
        `Graph` of all the clips, with and without neighbours.

    Raises:
        ValueError: if the keys are not as many as the embeddings or not all different; an embedding has another width
            than the first, or is not finite, or zero throughout; `threshold` or `max_neighbors` is out of range; no two
            clips are as similar, or more than 100 million pairs.

    Example:
        >>> build_graph([[3, 4], [4, 3], [0, 1]], ["a", "b", "c"], threshold=0.9).weights
        array([0.96], dtype=float32)

    Source: paper 003, section 2.2.1, equation (1); section 3.2. Its graph is that of
    `neural_structured_learning.tools.build_graph`, which compares all pairs too with `lsh_splits=0`, and takes
    similarities that are equal to the threshold.
    """
    keys = check_keys(keys)
    if not -1 < threshold < 1:
        raise ValueError(f"`threshold` must be above -1 and below 1. Received: threshold={threshold!r}")
    if max_neighbors is not None:
        check_most("max_neighbors", max_neighbors)
    vectors = unit_vectors(embeddings, keys)
    clips, over = len(keys), np.float32(threshold)
    codes, weights, edges, highest = [], [], 0, -2.0
    for start, similarities in blocks(vectors, "comparing", once=max_neighbors is None, progress=progress):
        highest = max(highest, float(similarities.max()))
        begin = start if max_neighbors is None else 0
        for clip, row in enumerate(similarities, start):
            near = _nearest(row, over, max_neighbors)
            weights.append(row[near])
            near += begin
            codes.append(np.minimum(clip, near) * clips + np.maximum(clip, near))
            edges += len(near)
        if edges > MOST_EDGES:
            raise ValueError(
                f"`threshold` must leave at most {MOST_EDGES:,} pairs of clips; raise it, or lower `max_neighbors`. "
                f"Received: threshold={threshold}, max_neighbors={max_neighbors}"
            )
    if not edges:
        raise ValueError(
            f"`threshold` must be below the highest similarity of two clips, {highest:.6g}; lower it, or say how many "
            "neighbours a clip shall have: `graph.degree` of a recipe, --degree of `sertk graph`, "
            f"`threshold_for_degree` in Python. Received: threshold={threshold}"
        )
    codes, first = np.unique(np.concatenate(codes), return_index=True)
    return Graph(keys, codes // clips, codes % clips, np.concatenate(weights)[first])


def _nearest(row, over, most):
    """The places of the nearest clips in a row of similarities, those of the highest only where there are many."""
    near = np.flatnonzero(row > over)
    if most is None or len(near) <= most:
        return near
    values = row[near]
    least = np.partition(values, -most)[-most]
    above, equal = near[values > least], near[values == least]
    return np.concatenate([above, equal[: most - len(above)]])
