"""What a graph is like: how many neighbours clips have, and whether neighbours share an emotion."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

QUANTILES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)


def graph_statistics(graph, labels=None):
    """Counts a graph's clips, edges and neighbours and, where labels are known, how often neighbours share one.

    A graph helps a network to tell emotions apart only where neighbours share them more often than chance has it.
    Chance is that two different clips, drawn at random, share their label: of labels with n_k clips out of n it is
    the sum of n_k (n_k - 1), over n (n - 1), and of the clips of label k (n_k - 1) / (n - 1).

    Args:
        graph: `Graph`.
        labels: str of each clip, such as its emotion, in the order of `graph.keys`, or None. Defaults to None.

    Returns:
        dict for JSON:

        - `clips`, `edges`;
        - `degree`: `mean`, `median`, `max` of the number of neighbours; `histogram`, a list of how many clips have 0,
          1, 2, ...;
        - `isolated`: `count` and `keys` of the clips without a neighbour;
        - `components`: `count` of the connected parts, isolated clips among them, and the clips of the `largest`;
        - `weights`: by quantile, "0" the smallest, "0.5" the median, "1" the largest; None without an edge;
        - `agreement`, with labels: `share` of the edges whose ends share a label, and `chance`; `by_label`, for each
          label its `clips`, the `share` of its clips' edges that lead to the same label, and `chance`; `labels`, and
          `matrix`, in which row i has the number of edges that lead from clips of label i to each label, so an edge
          counts twice. Where there is no edge a share is None, as is chance of a single clip.

    Raises:
        ValueError: if `labels` are not as many as the clips, or one is missing.
    """
    degrees = graph.degrees
    clips, edges = len(graph.keys), len(graph.weights)
    adjacency = coo_array((np.ones(edges), (graph.sources, graph.targets)), shape=(clips, clips))
    components, of_component = connected_components(adjacency, directed=False)
    alone = np.flatnonzero(degrees == 0)
    statistics = {
        "clips": clips,
        "edges": edges,
        "degree": {
            "mean": float(degrees.mean()),
            "median": float(np.median(degrees)),
            "max": int(degrees.max()),
            "histogram": np.bincount(degrees).tolist(),
        },
        "isolated": {"count": len(alone), "keys": [graph.keys[clip] for clip in alone]},
        "components": {"count": int(components), "largest": int(np.bincount(of_component).max())},
        "weights": None,
    }
    if edges:
        values = np.quantile(graph.weights.astype("float64"), QUANTILES)
        statistics["weights"] = {f"{share:g}": float(value) for share, value in zip(QUANTILES, values, strict=True)}
    return statistics if labels is None else {**statistics, "agreement": _agreement(graph, labels)}


def _agreement(graph, labels):
    labels = pd.Series(list(labels), dtype="object")
    if len(labels) != len(graph.keys) or labels.isna().any():
        raise ValueError(
            f"`labels` must be one a clip, of {len(graph.keys):,} clips, none missing. "
            f"Received: {len(labels):,}, {labels.isna().sum():,} of them missing"
        )
    codes, names = pd.factorize(labels, sort=True)
    clips, kinds = len(labels), len(names)
    matrix = np.zeros((kinds, kinds), "int64")
    np.add.at(matrix, (codes[graph.sources], codes[graph.targets]), 1)
    matrix += matrix.T  # along the diagonal both ends too
    counts = np.bincount(codes, minlength=kinds)
    return {
        "share": _ratio(np.trace(matrix), matrix.sum()),
        "chance": _ratio((counts * (counts - 1)).sum(), clips * (clips - 1)),
        "by_label": {
            str(name): {
                "clips": int(count),
                "share": _ratio(row[place], row.sum()),
                "chance": _ratio(count - 1, clips - 1),
            }
            for place, (name, count, row) in enumerate(zip(names, counts, matrix, strict=True))
        },
        "labels": [str(name) for name in names],
        "matrix": matrix.tolist(),
    }


def _ratio(part, whole):
    return float(part / whole) if whole else None
