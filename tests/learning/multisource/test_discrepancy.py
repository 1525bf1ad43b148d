"""MD and CD: numbers worked by hand, and what any discrepancy must hold to."""

import math

import numpy as np
import pytest
from sklearn.metrics.pairwise import rbf_kernel

from sertk.learning.multisource import conditional_discrepancy, mmd


def test_the_linear_discrepancy_is_the_squared_distance_of_the_means():
    """Means (2, 1) and (5, 5): 3, 4, 5."""
    assert mmd([[1, 0], [3, 2]], [[5, 4], [5, 6], [5, 5]], kernel="linear") == pytest.approx(25)


def test_the_rbf_discrepancy_by_hand():
    """0 against 1 and 3, bandwidth 2: the kernels of distances 1, 2 and 3 are exp(-1/8), exp(-4/8), exp(-9/8)."""
    expected = 1 + (2 + 2 * math.exp(-0.5)) / 4 - (math.exp(-1 / 8) + math.exp(-9 / 8))
    assert mmd([[0.0]], [[1.0], [3.0]], bandwidth=2) == pytest.approx(expected)
    # The three distances are 1, 2 and 3, their median 2.
    assert mmd([[0.0]], [[1.0], [3.0]]) == pytest.approx(expected)


def test_the_rbf_discrepancy_is_that_of_scikit_learns_kernel():
    random = np.random.default_rng(0)
    source, target = random.standard_normal((7, 3)), random.standard_normal((5, 3)) + 1
    kernel = [rbf_kernel(a, b, gamma=1 / (2 * 1.7**2)) for a, b in ((source, source), (target, target))]
    across = rbf_kernel(source, target, gamma=1 / (2 * 1.7**2))
    expected = kernel[0].mean() + kernel[1].mean() - 2 * across.mean()
    assert mmd(source, target, bandwidth=1.7) == pytest.approx(expected)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_clips_that_are_the_same_in_another_order_are_not_apart(kernel):
    clips = np.random.default_rng(1).standard_normal((20, 4))
    assert mmd(clips, clips[::-1], kernel=kernel) == pytest.approx(0, abs=1e-12)
    assert mmd(clips, clips + 1, kernel=kernel) > 0.01


def test_the_median_makes_the_rbf_discrepancy_independent_of_scale():
    random = np.random.default_rng(2)
    source, target = random.standard_normal((9, 3)), random.standard_normal((8, 3)) + 1
    assert mmd(source, target) == pytest.approx(mmd(1000 * source, 1000 * target))


def test_clips_that_are_all_one_point_have_no_discrepancy():
    assert mmd(np.ones((3, 2)), np.ones((4, 2))) == 0


@pytest.mark.slow
def test_of_very_many_clips_some_tell_for_all():
    random = np.random.default_rng(3)
    source, target = random.standard_normal((6000, 2)), random.standard_normal((2500, 2)) + 1
    whole = rbf_kernel(source, target, gamma=0.5).mean()
    whole = rbf_kernel(source, gamma=0.5).mean() + rbf_kernel(target, gamma=0.5).mean() - 2 * whole
    assert mmd(source, target, bandwidth=1) == pytest.approx(whole, rel=0.1)


def test_the_conditional_discrepancy_is_the_mean_over_shared_classes():
    """Class a lies 2 apart, class b 4; c and d are on one side only: (4 + 16) / 2."""
    source, kinds = [[0.0], [2.0], [10.0], [90.0]], ["a", "a", "b", "c"]
    target, others = [[3.0], [14.0], [50.0]], ["a", "b", "d"]
    assert conditional_discrepancy(source, kinds, target, others, kernel="linear") == pytest.approx(10)


def test_classes_exchanged_show_in_the_conditional_discrepancy_only():
    """The same clips under exchanged labels: MD can't see it."""
    clips = np.array([[0.0], [0.1], [9.0], [9.1]])
    assert mmd(clips, clips) == 0
    assert conditional_discrepancy(clips, [0, 0, 1, 1], clips, [0, 0, 1, 1]) == 0
    assert conditional_discrepancy(clips, [0, 0, 1, 1], clips, [1, 1, 0, 0]) > 0.5


def test_without_a_shared_class_there_is_no_conditional_discrepancy():
    assert math.isnan(conditional_discrepancy([[0.0]], ["a"], [[1.0]], ["b"]))


@pytest.mark.parametrize(
    ("source", "target", "options", "message"),
    [
        ([[1.0, 2.0]], [[1.0]], {}, r"`source` must have as many channels as the target.*Received: 2 and 1"),
        ([], [[1.0]], {}, r"`source` must have the shape \(clips, channels\)"),
        ([[1.0]], [1.0], {}, r"`target` must have the shape"),
        ([[np.nan]], [[1.0]], {}, r"`source` must be finite.*Received: 1 values"),
        ([["loud"]], [[1.0]], {}, r"`source` must be numbers"),
        ([[1.0]], [[1.0]], {"kernel": "cosine"}, r"`kernel` must be one of rbf, linear.*Received: kernel='cosine'"),
        ([[1.0]], [[1.0]], {"bandwidth": 0}, r"`bandwidth` must be above zero.*Received: bandwidth=0"),
    ],
)
def test_what_cannot_be_compared_is_refused(source, target, options, message):
    with pytest.raises(ValueError, match=message):
        mmd(source, target, **options)


def test_labels_that_are_not_as_many_as_clips_are_refused():
    with pytest.raises(ValueError, match=r"`target_labels` must be one for each clip.*shape=\(2,\), 1 clips"):
        conditional_discrepancy([[0.0]], ["a"], [[1.0]], ["a", "b"])
