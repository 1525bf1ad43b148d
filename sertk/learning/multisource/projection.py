"""The projections: what they are to keep together, as a quadratic form, and the orthonormal ones that make it small."""

import numpy as np
from sklearn.neighbors import NearestNeighbors

# Sweeps over the sources that refine a common projection, at most, and the fall of the form that ends them.
SWEEPS = 50
STILL_FALLS = 1e-6


class Form:
    """The sum over pairs of sources of tr(P_s' Q_sr P_r), built of squared distances between projected clips.

    Args:
        sources: int, how many.
        channels: int, of a clip before projection.
    """

    def __init__(self, sources, channels):
        self.blocks = np.zeros((sources, sources, channels, channels))

    def add(self, weight, first, left, second, right):
        """Adds the weight times ||P_first' left - P_second' right||_F^2; `left` and `right` are `(channels, clips)`."""
        if first == second:
            apart = left - right
            self.blocks[first, first] += weight * apart @ apart.T
            return
        self.blocks[first, first] += weight * left @ left.T
        self.blocks[second, second] += weight * right @ right.T
        across = weight * left @ right.T
        self.blocks[first, second] -= across
        self.blocks[second, first] -= across.T

    def value(self, projections):
        """What the form says of a list of projections `(channels, width)`."""
        return float(
            sum(
                np.sum(projections[s] * (self.blocks[s, r] @ projections[r]))
                for s in range(len(projections))
                for r in range(len(projections))
            )
        )

    def smallest(self, width):
        """The orthonormal projections with a small form: the best that all sources share, then each refined in turn.

        The shared one are the eigenvectors of the sum of all blocks with the least eigenvalues, the exact minimum.
        Refining takes one source at a time, with the others fixed: its convex part is replaced by its tangent and what
        is left is an orthogonal Procrustes problem, so the form never rises.

        Args:
            width: int, the columns of each.

        Returns:
            list of float arrays `(channels, width)` with orthonormal columns.
        """
        sources = len(self.blocks)
        _, vectors = np.linalg.eigh(self.blocks.sum(axis=(0, 1)))
        # An eigenvector's sign is anybody's choice, and differs between machines.
        vectors *= np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])])
        projections = [vectors[:, :width].copy() for _ in range(sources)]
        curvatures = [np.linalg.norm(self.blocks[s, s], 2) for s in range(sources)]
        before = self.value(projections)
        for _ in range(SWEEPS if sources > 1 else 0):
            for s, curvature in enumerate(curvatures):
                pull = curvature * projections[s] - sum(self.blocks[s, r] @ projections[r] for r in range(sources))
                left, _, right = np.linalg.svd(pull, full_matrices=False)
                projections[s] = left @ right
            now = self.value(projections)
            if before - now <= STILL_FALLS * max(before, np.finfo(float).tiny):
                break
            before = now
        return projections


def add_manifold(form, weight, sources, labels, target, target_labels, projections, neighbors):
    """Adds the graph's Laplacian: projected clips stay near their neighbours in their own and in every other domain.

    A clip's neighbours are the nearest of each domain by their present projections, of its own class where both
    classes are known. Each kind of edge (within a source, within the target, between two domains) counts as much,
    however many there are.

    Args:
        form: `Form` to add to.
        weight: float, what the mean squared distance of neighbours counts.
        sources: list of float arrays `(channels, clips)`.
        labels: list of arrays, each source's classes.
        target: float array `(channels, clips)`.
        target_labels: array, its current classes, or None.
        projections: list of float arrays `(channels, width)`.
        neighbors: int, of each clip in each domain.
    """
    for s, (clips, kinds, projection) in enumerate(zip(sources, labels, projections, strict=True)):
        mine = s, clips, kinds, projection.T @ clips
        # The target is projected with this source's P: with each there is another edge to it.
        theirs = s, target, target_labels, projection.T @ target
        pairs = [(mine, mine), (theirs, theirs), (mine, theirs), (theirs, mine)]
        for r in range(s):
            other = r, sources[r], labels[r], projections[r].T @ sources[r]
            pairs += [(mine, other), (other, mine)]
        for one, another in pairs:
            first, left, left_kinds, left_places = one
            second, right, right_kinds, right_places = another
            places, near = _neighbors(left_places, left_kinds, right_places, right_kinds, neighbors, one is another)
            if len(places):
                form.add(weight / len(places), first, left[:, places], second, right[:, near])


def _neighbors(left, left_kinds, right, right_kinds, neighbors, same):
    """Edges as two int arrays: a clip of the left, one of its nearest on the right."""
    if left_kinds is None or right_kinds is None:
        groups = [(np.arange(left.shape[1]), np.arange(right.shape[1]))]
    else:
        groups = [(np.flatnonzero(left_kinds == c), np.flatnonzero(right_kinds == c)) for c in np.unique(left_kinds)]
    places, found = [np.zeros(0, int)], [np.zeros(0, int)]
    for mine, theirs in groups:
        count = min(neighbors + same, len(theirs))
        if not len(mine) or count <= same:
            continue
        search = NearestNeighbors(n_neighbors=count - same).fit(right[:, theirs].T)
        near = search.kneighbors(None if same else left[:, mine].T, return_distance=False)
        places.append(np.repeat(mine, near.shape[1]))
        found.append(theirs[near].ravel())
    return np.concatenate(places), np.concatenate(found)
