"""Shrinking: what comes out meets the conditions of a lowest point, and no point nearby is lower."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sertk.learning.multisource.proximal import shrink_columns, shrink_singular_values

MATRICES = arrays.arrays(
    "float64", st.tuples(st.integers(1, 6), st.integers(1, 25)), elements=st.floats(-10, 10, allow_subnormal=False)
)
THRESHOLDS = st.floats(0.01, 10)


@settings(deadline=None, max_examples=60)
@given(MATRICES, THRESHOLDS)
def test_singular_values_are_shrunk_to_the_lowest_point(matrix, threshold):
    """X is it exactly where (matrix - X) / threshold has no singular value above 1 and <it, X> is ||X||_*."""
    shrunk, norm = shrink_singular_values(matrix, threshold)
    slope = (matrix - shrunk) / threshold
    nuclear = np.linalg.norm(shrunk, "nuc")
    assert np.linalg.norm(slope, 2) <= 1 + 1e-6
    assert np.sum(slope * shrunk) == pytest.approx(nuclear, rel=1e-6, abs=1e-6)
    assert norm == pytest.approx(nuclear, rel=1e-6, abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(MATRICES, THRESHOLDS)
def test_columns_are_shrunk_to_the_lowest_point(matrix, threshold):
    shrunk = shrink_columns(matrix, threshold)
    slope = (matrix - shrunk) / threshold
    lengths = np.linalg.norm(shrunk, axis=0)
    assert np.linalg.norm(slope, axis=0).max() <= 1 + 1e-6
    np.testing.assert_allclose((slope * shrunk).sum(axis=0), lengths, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("shrink", "norm"),
    [
        (lambda matrix: shrink_singular_values(matrix, 1.5)[0], lambda matrix: np.linalg.norm(matrix, "nuc")),
        (lambda matrix: shrink_columns(matrix, 1.5), lambda matrix: np.linalg.norm(matrix, axis=0).sum()),
    ],
    ids=["singular values", "columns"],
)
def test_no_point_nearby_is_lower(shrink, norm):
    random = np.random.default_rng(0)
    matrix = random.standard_normal((4, 6))
    shrunk = shrink(matrix)

    def value(point):
        return 1.5 * norm(point) + 0.5 * np.sum((point - matrix) ** 2)

    for size in (1e-3, 1e-1, 1.0):
        others = [value(shrunk + size * random.standard_normal(matrix.shape)) for _ in range(50)]
        assert min(others) > value(shrunk)


def test_columns_by_hand():
    """Lengths 5, 13 and 0.5, less 1: 4 and 12 are left, and nothing."""
    matrix = np.array([[3.0, 5.0, 0.3, 0.0], [4.0, 12.0, 0.4, 0.0]])
    expected = [[2.4, 60 / 13, 0, 0], [3.2, 144 / 13, 0, 0]]
    np.testing.assert_allclose(shrink_columns(matrix, 1.0), expected)


def test_singular_values_by_hand():
    shrunk, norm = shrink_singular_values(np.array([[0.0, 5.0], [2.0, 0.0]]), 3.0)
    np.testing.assert_allclose(shrunk, [[0, 2], [0, 0]], atol=1e-12)
    assert norm == pytest.approx(2)
