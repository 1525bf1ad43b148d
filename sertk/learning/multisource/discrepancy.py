"""How far apart two domains lie: the maximum mean discrepancy, over all clips and class by class."""

import numpy as np
from scipy.spatial.distance import pdist, squareform

KERNELS = ("rbf", "linear")
# The median and the kernel are taken over so many clips of each side at most: all their distances are 32 MB.
MOST_CLIPS = 1000


def mmd(source, target, *, kernel="rbf", bandwidth=None):
    """Measures the squared maximum mean discrepancy of two sets of clips, as MD does between domains.

    mean k(s, s') + mean k(t, t') - 2 mean k(s, t), over all pairs, those of a clip with itself too: it is never below
    zero, and zero where both sets are the same.

    Args:
        source: float array `(clips, channels)`.
        target: float array `(clips, channels)`.
        kernel: `"rbf"`, k(x, y) = exp(-||x - y||^2 / (2 bandwidth^2)), which sees every difference and lies in 0 to 2
            whatever the scale; or `"linear"`, k(x, y) = x y, the squared distance of the two means. Defaults to
            `"rbf"`.
        bandwidth: float of the RBF kernel, or None for the median distance of two different clips of both sets.
            Defaults to None.

    Returns:
        float. Of more than 1,000 clips a set, the RBF kernel takes 1,000 at equal steps.

    Raises:
        ValueError: if a set is empty, not `(clips, channels)` or not finite, their widths differ, or `kernel` or
            `bandwidth` is none.

    Example:
        >>> mmd([[0.0], [2.0]], [[4.0], [6.0]], kernel="linear")
        16.0

    Source: Gretton et al. (2012), A kernel two-sample test, Journal of Machine Learning Research 13, equation (5), and
    section 8 for the median.
    """
    source, target = _table("source", source), _table("target", target)
    if source.shape[1] != target.shape[1]:
        raise ValueError(
            "`source` must have as many channels as the target; embed both with one network. "
            f"Received: {source.shape[1]} and {target.shape[1]}"
        )
    if kernel not in KERNELS:
        raise ValueError(f"`kernel` must be one of {', '.join(KERNELS)}. Received: kernel={kernel!r}")
    if bandwidth is not None and not bandwidth > 0:
        raise ValueError(f"`bandwidth` must be above zero, or None for the median. Received: bandwidth={bandwidth!r}")
    if kernel == "linear":
        return float(np.sum((source.mean(axis=0) - target.mean(axis=0)) ** 2))
    source, target = _some(source), _some(target)
    distances = pdist(np.concatenate([source, target]))
    if bandwidth is None:
        bandwidth = np.median(distances)
        # Clips that are all, or for the most part, the same: any width tells them from the others.
        bandwidth = bandwidth if bandwidth > 0 else 1.0
    values = np.exp(-0.5 * squareform(distances / bandwidth) ** 2)
    clips = len(source)
    means = values[:clips, :clips].mean(), values[clips:, clips:].mean(), values[:clips, clips:].mean()
    return max(0.0, float(means[0] + means[1] - 2 * means[2]))


def conditional_discrepancy(source, source_labels, target, target_labels, *, kernel="rbf", bandwidth=None):
    """Measures CD: the mean, over the classes that both sides have, of the discrepancy between the clips of a class.

    Args:
        source: float array `(clips, channels)`.
        source_labels: str or int of each source clip.
        target: float array `(clips, channels)`.
        target_labels: str or int of each target clip: pseudo-labels, or true ones where they are known.
        kernel: as for `mmd`. Defaults to `"rbf"`.
        bandwidth: as for `mmd`; None takes the median anew for each class. Defaults to None.

    Returns:
        float; NaN where they have no class in common.

    Raises:
        ValueError: as `mmd`, and if labels are not as many as clips.

    Example:
        >>> conditional_discrepancy([[0.0], [3.0]], ["sad", "happy"], [[1.0], [5.0]], ["sad", "happy"], kernel="linear")
        2.5

    Source: Long et al. (2013), Transfer feature learning with joint distribution adaptation, ICCV, equation (5), which
    sums where this takes the mean, so that sources of few and of many classes compare.
    """
    source, target = _table("source", source), _table("target", target)
    labels = []
    for name, table, given in (("source_labels", source, source_labels), ("target_labels", target, target_labels)):
        given = np.asarray(given)
        if given.shape != (len(table),):
            raise ValueError(f"`{name}` must be one for each clip. Received: shape={given.shape}, {len(table)} clips")
        labels.append(given)
    mine, theirs = labels
    shared = [kind for kind in np.unique(mine) if (theirs == kind).any()]
    if not shared:
        return float("nan")
    return float(
        np.mean([mmd(source[mine == c], target[theirs == c], kernel=kernel, bandwidth=bandwidth) for c in shared])
    )


def _some(table):
    """At most so many clips, at equal steps: the same ones each time."""
    if len(table) <= MOST_CLIPS:
        return table
    return table[np.linspace(0, len(table) - 1, MOST_CLIPS).round().astype(int)]


def _table(name, values):
    try:
        table = np.asarray(values, "float64")
    except (TypeError, ValueError) as error:
        raise ValueError(f"`{name}` must be numbers. Received: {error}") from error
    if table.ndim != 2 or not table.size:
        raise ValueError(f"`{name}` must have the shape (clips, channels), a clip at least. Received: {table.shape}")
    if not np.isfinite(table).all():
        raise ValueError(f"`{name}` must be finite. Received: {np.sum(~np.isfinite(table)):,} values that are not")
    return table
