"""A graph of clips: which are alike, and how much."""

import dataclasses
import re

import numpy as np

# What no line of a table can hold.
_UNFIT = re.compile(r"[\t\n\r\0]")


@dataclasses.dataclass(frozen=True, eq=False)
class Graph:
    """Clips, and undirected edges between those that are alike.

    Each edge is there once, from the clip that comes first in `keys` to the other, and the edges are in that order,
    whatever the order they were given in. The arrays can't be written to.

    Args:
        keys: str of each clip, such as its path; no two are the same.
        sources: int array `(edges,)`, the places in `keys` of the edges' first ends.
        targets: int array `(edges,)`, those of their second ends.
        weights: float array `(edges,)`, the ends' cosine similarity, from -1 to 1.

    Attributes:
        keys: tuple of str.
        sources, targets: int32 arrays `(edges,)`, `sources < targets`.
        weights: float32 array `(edges,)`.

    Raises:
        ValueError: if keys are missing, the same or hold tabs or line ends; the arrays are of different lengths; an
            edge has no clip at its end, leads from a clip to itself or is there twice; or a weight is no number from
            -1 to 1.

    Example:
        >>> Graph(["a", "b", "c"], [0, 2], [1, 1], [0.995, 0.999]).neighbors(1)
        (array([[1], [2], [1]], dtype=int32), array([[0.995], [0.999], [0.999]], dtype=float32))
    """

    keys: tuple
    sources: np.ndarray
    targets: np.ndarray
    weights: np.ndarray

    def __post_init__(self):
        keys = check_keys(self.keys)
        ends = [_places(name, getattr(self, name), len(keys)) for name in ("sources", "targets")]
        weights = _weights(self.weights)
        if not len(ends[0]) == len(ends[1]) == len(weights):
            raise ValueError(
                "`sources`, `targets` and `weights` must be equally long, an edge each. "
                f"Received: {len(ends[0])}, {len(ends[1])} and {len(weights)}"
            )
        first, second = np.minimum(*ends), np.maximum(*ends)
        codes = first * len(keys) + second
        order = np.argsort(codes, kind="stable")
        first, second, codes = first[order], second[order], codes[order]
        for fault, what in ((first == second, "lead to another clip"), (codes[1:] == codes[:-1], "be there once")):
            if fault.any():
                place = np.argmax(fault)
                pair = f"{keys[first[place]]!r} and {keys[second[place]]!r}"
                raise ValueError(f"Every edge must {what}; take the others out. Received: one between {pair}")
        arrays = {"sources": first.astype("int32"), "targets": second.astype("int32"), "weights": weights[order]}
        for name, array in arrays.items():
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "keys", keys)

    @property
    def degrees(self):
        """How many neighbours each clip has, int64 array `(clips,)`."""
        return np.bincount(np.concatenate([self.sources, self.targets]), minlength=len(self.keys))

    def neighbors(self, most):
        """Each clip's nearest neighbours.

        The nearest comes first; of equally near ones the one that is first in `keys`. A clip that has fewer is followed
        by itself, with the weight 0.

        Args:
            most: int, how many to give at most.

        Returns:
            int32 array `(clips, most)`, places in `keys`, and float32 array `(clips, most)`, weights.

        Raises:
            ValueError: if `most` is no integer of at least 1.
        """
        check_most("most", most)
        clips = len(self.keys)
        ends = np.concatenate([self.sources, self.targets])
        others = np.concatenate([self.targets, self.sources])
        weights = np.concatenate([self.weights, self.weights])
        order = np.lexsort((others, -weights, ends))
        ends, others, weights = ends[order], others[order], weights[order]
        degrees = np.bincount(ends, minlength=clips)
        rank = np.arange(len(ends)) - np.repeat(np.cumsum(degrees) - degrees, degrees)
        near = rank < most
        found = np.repeat(np.arange(clips, dtype="int32")[:, None], most, axis=1)
        of_weight = np.zeros((clips, most), "float32")
        found[ends[near], rank[near]] = others[near]
        of_weight[ends[near], rank[near]] = weights[near]
        return found, of_weight

    def subgraph(self, keys):
        """The graph of some of the clips: these, and the edges between them.

        Args:
            keys: str of each clip, in the order that the new graph shall have.

        Returns:
            `Graph`.

        Raises:
            ValueError: if a key is not of this graph, or there twice.
        """
        keys = check_keys(keys)
        known = {key: place for place, key in enumerate(self.keys)}
        missing = [key for key in keys if key not in known]
        if missing:
            raise ValueError(
                f"`keys` must be of clips in the graph, which has {len(self.keys):,}; build it from all of them. "
                f"Received: {len(missing):,} others, the first {missing[0]!r}"
            )
        place = np.full(len(self.keys), -1, "int32")
        place[[known[key] for key in keys]] = np.arange(len(keys), dtype="int32")
        sources, targets = place[self.sources], place[self.targets]
        inside = (sources >= 0) & (targets >= 0)
        return Graph(keys, sources[inside], targets[inside], self.weights[inside])


def check_keys(keys):
    """Refuses keys that are not a text each, all different and fit for a line of a table; gives them as a tuple."""
    if isinstance(keys, str):
        raise ValueError(f"`keys` must be a list of texts, one a clip. Received: the text {keys!r}")
    keys = tuple(keys)
    if not keys:
        raise ValueError("`keys` must name at least one clip. Received: none")
    for key in keys:
        if not isinstance(key, str) or not key or _UNFIT.search(key):
            raise ValueError(f"`keys` must be texts without tabs and line ends, such as paths. Received: {key!r}")
    if len(set(keys)) < len(keys):
        seen = set()
        double = next(key for key in keys if key in seen or seen.add(key))
        raise ValueError(f"`keys` must differ, a clip each; take one of them out. Received: {double!r} more than once")
    return tuple(map(str, keys))


def check_most(name, value):
    """Refuses what is no number of neighbours."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"`{name}` must be an integer of at least 1. Received: {name}={value!r}")


def _places(name, values, clips):
    array = np.asarray(values)
    if array.size == 0:
        array = array.astype("int64")
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"`{name}` must be integers, an edge each. Received: dtype={array.dtype}, shape={array.shape}")
    outside = (array < 0) | (array >= clips)
    if outside.any():
        raise ValueError(
            f"`{name}` must be places in `keys`, from 0 to {clips - 1}. Received: {array[np.argmax(outside)]}"
        )
    return array.astype("int64")


def _weights(values):
    try:
        array = np.asarray(values, "float32")
    except (TypeError, ValueError) as error:
        raise ValueError(f"`weights` must be numbers, an edge each. Received: {error}") from error
    if array.ndim != 1:
        raise ValueError(f"`weights` must be numbers, an edge each. Received: shape={array.shape}")
    unfit = ~(np.abs(array) <= 1)  # NaN is none either
    if unfit.any():
        raise ValueError(f"`weights` must be from -1 to 1. Received: {array[np.argmax(unfit)]:g}")
    return array
