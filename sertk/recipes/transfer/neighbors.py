"""The graph of a run's training clips, and from it each clip's neighbours."""

import numpy as np

from sertk.graphs import Graph, build_graph, load_graph, threshold_for_degree
from sertk.recipes.transfer.graphs import write_graph


def training_neighbors(run, clips, embeddings=None, progress=True):
    """The neighbours of a run's training clips, from the graph in its folder `graph/`, or from one that is made now.

    Only training clips are in the graph. One that is made here knows no others; one from a file keeps the edges between
    training clips that it has, and of a graph of the whole corpus, whose clips had their most neighbours among all,
    these depend on the other clips too.

    Args:
        run: `Run`, whose recipe has a graph.
        clips: DataFrame, the training part.
        embeddings: function without arguments that gives the embeddings of these clips, in their order; it is called
            where they are needed. Defaults to None, for a graph from a file.
        progress: bool, whether to show bars on a terminal. Defaults to True.

    Returns:
        Two arrays `(clips, neighbours)`, as `sertk.graphs.Graph.neighbors` gives them.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is no graph, or one of clips that the run does not have; or no clips are alike enough.
    """
    settings, upstream, keys = run.recipe.graph, run.recipe.upstream, clips["path"].tolist()
    kept = run.path("graph", "graph.npz")
    if kept.is_file():
        return load_graph(kept).subgraph(keys).neighbors(settings.neighbors)
    if settings.file is None:
        found = embeddings()
        threshold = settings.threshold
        if settings.degree is not None:
            threshold = threshold_for_degree(found, settings.degree, keys=keys, progress=progress)
        graph = build_graph(found, keys, threshold=threshold, max_neighbors=settings.neighbors, progress=progress)
        described = {
            "source": upstream.source,
            "layer": upstream.layer,
            "pooling": upstream.pooling,
            "threshold": threshold,
            "degree_asked_for": settings.degree,
            "max_neighbors": settings.neighbors,
        }
    else:
        graph = _of_training(load_graph(settings.file), settings.file, keys, run.split["path"].tolist())
        described = {"file": settings.file, "max_neighbors": settings.neighbors}
    write_graph(graph, run.path("graph"), clips["emotion"].tolist(), described)
    return graph.neighbors(settings.neighbors)


def _of_training(graph, file, keys, known):
    """The part of a graph that lies between training clips, with those that it lacks as isolated ones."""
    foreign = sorted(set(graph.keys) - set(known))
    if foreign:
        raise ValueError(
            f"{file}: must be a graph of clips in the manifest, by their paths; build it anew from this corpus. "
            f"Received: {len(foreign):,} other clips, the first {foreign[0]!r}"
        )
    place = {key: number for number, key in enumerate(keys)}
    of_graph = np.array([place.get(key, -1) for key in graph.keys])
    sources, targets = of_graph[graph.sources], of_graph[graph.targets]
    inside = (sources >= 0) & (targets >= 0)
    if not inside.any():
        raise ValueError(
            f"{file}: must join training clips of this split; build it from them. Received: {len(graph.sources):,} "
            "edges, none between two of them"
        )
    return Graph(keys, sources[inside], targets[inside], graph.weights[inside])
