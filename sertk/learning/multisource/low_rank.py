"""A target written as a low-rank combination of one source, solved by the inexact augmented Lagrangian."""

from dataclasses import dataclass, field

import numpy as np

from sertk.learning.multisource.proximal import shrink_columns, shrink_singular_values

# Directions of a class whose energy is below this share of its strongest one are no directions of it.
NO_DIRECTION = 1e-10
# By how much a step is shorter than the longest that is sure to fall: linearised steps want it strictly shorter.
SHORTER = 1.02


@dataclass
class LowRank:
    """What was found for one source: target = source Z + L target + E, in columns.

    Attributes:
        blocks: list of pairs of int arrays: source clips, and the target clips that may use them.
        bases: list of float arrays `(source clips, directions)`, orthonormal columns: Z's block is basis times weights.
        weights: list of float arrays `(directions, target clips)`.
        latent: float array `(width, width)`, L.
        error: float array `(width, target clips)`, E.
        multiplier: float array `(width, target clips)`, Y.
        combined: float array `(width, target clips)`, source Z.
        objective: float, ||Z||_* + latent penalty ||L||_* + error penalty ||E||_{2,1}.
        residuals: list of float, after each iteration ||target - source Z - L target - E||_F / ||target||_F.
    """

    blocks: list
    bases: list
    weights: list
    latent: np.ndarray
    error: np.ndarray
    multiplier: np.ndarray
    combined: np.ndarray
    objective: float = float("inf")
    residuals: list = field(default_factory=list)

    def combination(self, clips):
        """Z in full, float array `(source clips, target clips)`: for looking at; nothing here needs it."""
        full = np.zeros((clips, self.error.shape[1]))
        for (mine, theirs), basis, weights in zip(self.blocks, self.bases, self.weights, strict=True):
            full[np.ix_(mine, theirs)] = basis @ weights
        return full


def allowed_blocks(source_labels, target_labels):
    """Which source clips a target clip may use: those of its own class; without target labels all of them.

    Args:
        source_labels: array of each source clip's class.
        target_labels: array of each target clip's current class, or None.

    Returns:
        list of pairs of int arrays: source clips, target clips; a class that one side lacks has no block. None for all.
    """
    if target_labels is None:
        return None
    pairs = [(np.flatnonzero(source_labels == c), np.flatnonzero(target_labels == c)) for c in np.unique(source_labels)]
    return [pair for pair in pairs if len(pair[1])]


def low_rank_transfer(
    source,
    target,
    blocks=None,
    *,
    error=10.0,
    latent=4.0,
    mu=1.0,
    rho=1.05,
    most_mu=1e6,
    iterations=200,
    tolerance=1e-5,
):
    """Finds min ||Z||_* + latent ||L||_* + error ||E||_{2,1} so that target = source Z + L target + E, Z in its blocks.

    The problem is convex, so there is one lowest value. Z, L and E are renewed in turn: Z and L by a linearised step
    and singular value thresholding, E by shrinking its columns, all exact; then the multiplier, and mu grows by rho.

    Z is clips times clips and never made. Blocks share no row and no column, so ||Z||_* is the sum over blocks; and as
    the part of a block outside the row space of its source clips changes nothing but adds to the norm, the best Z is
    basis times weights with `width` rows at most. Both are exact.

    Args:
        source: float array `(width, source clips)`, projected clips in columns.
        target: float array `(width, target clips)`.
        blocks: list of pairs of int arrays, of `allowed_blocks`, or None for one block of all. Defaults to None.
        error: float, what the 2,1-norm of E counts. Defaults to 10.
        latent: float, what the nuclear norm of L counts. Defaults to 4.
        mu: float, the penalty that the first iteration puts on the residual. Defaults to 1.
        rho: float, by how much it grows; the slower, the nearer to the lowest value. With the defaults it is
            missed by some 0.05 %. Defaults to 1.05.
        most_mu: float, where it stops. Defaults to 1e6.
        iterations: int, at most. Defaults to 200.
        tolerance: float, the residual that is near enough. Defaults to 1e-5.

    Returns:
        `LowRank`.

    Raises:
        ValueError: if source and target have not as many rows.

    Source: Lin, Chen, Ma (2010), The augmented Lagrange multiplier method for exact recovery of corrupted low-rank
    matrices, arXiv:1009.5055; Lin, Liu, Su (2011), Linearized alternating direction method with adaptive penalty for
    low-rank representation, NIPS, for the linearised steps; Liu, Yan (2011), Latent low-rank representation for
    subspace segmentation and feature extraction, ICCV, for L; Liu et al. (2013), IEEE TPAMI 35(1), theorem 4.1 and
    section 4.2, for the row space.
    """
    if source.shape[0] != target.shape[0]:
        raise ValueError(
            "`source` must have as many rows as the target: project both alike. "
            f"Received: shapes {source.shape} and {target.shape}"
        )
    width, clips = target.shape
    if blocks is None:
        blocks = [(np.arange(source.shape[1]), np.arange(clips))]
    bases, mixers = [], []
    for mine, _ in blocks:
        left, values, right = np.linalg.svd(source[:, mine], full_matrices=False)
        kept = values > NO_DIRECTION**0.5 * max(values[0], np.finfo(float).tiny)
        bases.append(right[kept].T)
        mixers.append(left[:, kept] * values[kept])
    steps = [SHORTER * np.linalg.norm(mixer, 2) ** 2 if mixer.size else 1.0 for mixer in mixers]
    latent_step = SHORTER * max(np.linalg.norm(target, 2) ** 2, np.finfo(float).tiny)
    found = LowRank(
        blocks,
        bases,
        [np.zeros((mixer.shape[1], len(theirs))) for mixer, (_, theirs) in zip(mixers, blocks, strict=True)],
        np.zeros((width, width)),
        np.zeros((width, clips)),
        np.zeros((width, clips)),
        np.zeros((width, clips)),
    )
    size = max(np.linalg.norm(target), np.finfo(float).tiny)
    for _ in range(iterations):
        wanted = target - found.latent @ target - found.error + found.multiplier / mu
        total = 0.0
        for place, (mixer, step, (_, theirs)) in enumerate(zip(mixers, steps, blocks, strict=True)):
            weights = found.weights[place]
            weights = weights + mixer.T @ (wanted[:, theirs] - mixer @ weights) / step
            found.weights[place], norm = shrink_singular_values(weights, 1 / (mu * step))
            found.combined[:, theirs] = mixer @ found.weights[place]
            total += norm
        left_over = target - found.combined - found.error + found.multiplier / mu - found.latent @ target
        found.latent, norm = shrink_singular_values(
            found.latent + left_over @ target.T / latent_step, latent / (mu * latent_step)
        )
        total += latent * norm
        explained = found.combined + found.latent @ target
        found.error = shrink_columns(target - explained + found.multiplier / mu, error / mu)
        residual = target - explained - found.error
        found.multiplier = found.multiplier + mu * residual
        mu = min(rho * mu, most_mu)
        found.objective = float(total + error * np.linalg.norm(found.error, axis=0).sum())
        found.residuals.append(float(np.linalg.norm(residual) / size))
        if found.residuals[-1] < tolerance:
            break
    return found
