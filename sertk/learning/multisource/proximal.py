"""The two shrinkages of low-rank and sparse models, each the exact answer to a small problem."""

import numpy as np

# From so many times as many columns as rows on, it pays to go by the product of the matrix with itself.
MUCH_WIDER = 4


def shrink_singular_values(matrix, threshold):
    """Answers min over X of threshold ||X||_* + 1/2 ||X - matrix||_F^2: singular values less the threshold, or zero.

    Args:
        matrix: float array `(rows, columns)`.
        threshold: float, zero at least.

    Returns:
        float array `(rows, columns)`, and the sum of its singular values.

    Example:
        >>> shrink_singular_values(np.diag([3.0, 1.0]), 2.0)
        (array([[1., 0.],
               [0., 0.]]), 1.0)

    Source: Cai, Candès, Shen (2010), A singular value thresholding algorithm for matrix completion, SIAM Journal on
    Optimization 20(4), theorem 2.1.
    """
    rows, columns = matrix.shape
    if rows * MUCH_WIDER > columns:
        left, values, right = np.linalg.svd(matrix, full_matrices=False)
        values = np.maximum(values - threshold, 0)
        return (left * values) @ right, float(values.sum())
    # By the small square, some ten times as fast. Values below 1e-8 of the greatest are lost.
    squares, left = np.linalg.eigh(matrix @ matrix.T)
    values = np.sqrt(np.maximum(squares, 0))
    kept = np.maximum(values - threshold, 0)
    shares = np.divide(kept, values, out=np.zeros_like(values), where=values > 0)
    return (left * shares) @ (left.T @ matrix), float(kept.sum())


def shrink_columns(matrix, threshold):
    """Answers min over X of threshold ||X||_{2,1} + 1/2 ||X - matrix||_F^2: columns shorter by the threshold, or zero.

    Args:
        matrix: float array `(rows, columns)`.
        threshold: float, zero at least.

    Returns:
        float array `(rows, columns)`.

    Example:
        >>> shrink_columns(np.array([[3.0, 0.3], [4.0, 0.4]]), 1.0)
        array([[2.4, 0. ],
               [3.2, 0. ]])

    Source: Liu, Lin, Yan, Sun, Yu, Ma (2013), Robust recovery of subspace structures by low-rank representation, IEEE
    TPAMI 35(1), lemma 3.2.
    """
    lengths = np.linalg.norm(matrix, axis=0)
    kept = np.maximum(lengths - threshold, 0)
    return matrix * np.divide(kept, lengths, out=np.zeros_like(lengths), where=lengths > 0)
