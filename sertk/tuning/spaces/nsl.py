"""Neural structured learning of paper 003, figure 2: alpha, the most neighbours n, and the layer that is kept close.

The graph is made of an upstream's embeddings, which has to be given: `--set upstream.source=runs/upstream`.
"""

from sertk.tuning.space import SearchSpace


def choose(hp):
    """One of the 18 points of the figure."""
    return {
        "graph.multiplier": hp.Choice("graph.multiplier", [0.01, 0.1, 1.0]),
        "graph.neighbors": hp.Choice("graph.neighbors", [3, 6, 9]),
        "graph.layer": hp.Choice("graph.layer", ["fc1", "fc2"]),
    }


NSL = SearchSpace(
    name="nsl",
    title="alpha, neighbours and layer of the graph",
    source="paper 003, figure 2",
    recipes=tuple(f"003-{network}-nsl-{most}" for network in ("vgg15", "resnet9", "cnn6") for most in (3, 6, 9)),
    choose=choose,
)
