"""Paired tests over seeds and folds, against SciPy and by hand."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sertk.evaluation import paired_test

FRACTIONS = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=2, max_size=9)


def sides(differences, level=0.5):
    """Scores that lie as far above a baseline as the list says, a seed each."""
    return {seed: level + value for seed, value in enumerate(differences)}, dict.fromkeys(
        range(len(differences)), level
    )


def test_differences_of_one_two_and_three_points_by_hand():
    """Mean 0.02, sd 0.01, t = 0.02 / (0.01 / sqrt 3); t's law with two degrees of freedom has a closed form:
    P(T > t) = (1 - t / sqrt(2 + t^2)) / 2. Of the 8 sign flips one gives as large a mean, and two as far a one."""
    said = paired_test(*sides([0.01, 0.02, 0.03]))
    t = 2 * np.sqrt(3)
    one_sided = (1 - t / np.sqrt(2 + t**2)) / 2
    assert said["pairs"] == 3
    assert (said["mean"], said["baseline_mean"]) == pytest.approx((0.52, 0.5))
    assert (said["difference"], said["sd"]) == pytest.approx((0.02, 0.01))
    assert (said["t"], said["p"], said["p_greater"]) == pytest.approx((t, 2 * one_sided, one_sided))
    reach = 4.302653 * 0.01 / np.sqrt(3)  # 97.5 % of t's law with two degrees of freedom, from a table
    assert said["interval"] == pytest.approx([0.02 - reach, 0.02 + reach], abs=1e-8)
    assert said["flips"] == {"exact": True, "count": 8, "p": 0.25, "p_greater": 0.125, "smallest_p": 0.25}
    assert (said["corrected"], said["why"]) == (None, None)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values=FRACTIONS)
def test_both_tests_are_scipys(values):
    scores, baseline = ({i: pair[side] / 100 for i, pair in enumerate(values)} for side in (0, 1))
    said = paired_test(scores, baseline)
    differences = np.array(list(scores.values())) - np.array(list(baseline.values()))
    if len({first - second for first, second in values}) > 1:
        for alternative, key in (("two-sided", "p"), ("greater", "p_greater")):
            test = scipy.stats.ttest_rel(list(scores.values()), list(baseline.values()), alternative=alternative)
            assert said[key] == pytest.approx(test.pvalue, abs=1e-9)
            assert said["t"] == pytest.approx(test.statistic)
    # Whole numbers, whose sums are exact: ties are ties.
    whole = np.round(100 * differences)
    for alternative, key in (("two-sided", "p"), ("greater", "p_greater")):
        test = scipy.stats.permutation_test(
            (whole,),
            lambda x, axis: x.sum(axis=axis),
            permutation_type="samples",
            alternative=alternative,
            vectorized=True,
            n_resamples=np.inf,
        )
        assert said["flips"][key] == pytest.approx(test.pvalue)


def test_the_corrected_t_test_by_hand():
    """Nadeau and Bengio's variance is (1 / J + n2 / n1) s^2 where the t-test has s^2 / J: with five folds, of which
    each trains on four times as many clips as it tests, t shrinks by sqrt(1 + 5 / 4) = 1.5."""
    scores, baseline = sides([0.02, 0.05, -0.01, 0.04, 0.03])
    said = paired_test(scores, baseline, test_to_train=1 / 4)
    assert said["corrected"]["t"] == pytest.approx(said["t"] / 1.5)
    widths = [high - low for low, high in (said["corrected"]["interval"], said["interval"])]
    assert widths[0] == pytest.approx(1.5 * widths[1])
    assert said["corrected"]["p"] == pytest.approx(2 * scipy.stats.t.sf(said["t"] / 1.5, 4))
    assert said["corrected"]["p"] == pytest.approx(2 * said["corrected"]["p_greater"])


@pytest.mark.parametrize("pairs", [20, 21])
def test_twenty_pairs_are_flipped_in_all_ways_and_more_at_random(pairs):
    """The sum of k signs is as far as m with probability 2 B(k, (k - m) / 2 and fewer): a binomial law."""
    differences = [0.01] * 15 + [-0.01] * (pairs - 15)
    said = paired_test(*sides(differences))["flips"]
    expected = 2 * scipy.stats.binom.sf(14, pairs, 0.5)
    assert said["exact"] is (pairs == 20)
    assert said["count"] == (2**20 if pairs == 20 else 100_000)
    assert said["p"] == pytest.approx(expected, rel=1e-9 if pairs == 20 else 0.05)
    assert paired_test(*sides(differences))["flips"] == said  # the same seed
    if pairs == 21:
        assert paired_test(*sides(differences), seed=1)["flips"] != said


def test_random_flips_never_give_a_p_of_nothing():
    said = paired_test(*sides(np.linspace(0.05, 0.06, 40)))["flips"]
    assert said["p"] == said["p_greater"] == said["smallest_p"] == 1 / 100_001


def test_pairs_are_matched_by_their_keys_whatever_their_order():
    scores = {(0, "fold-1"): 0.5, (0, "fold-2"): 0.7, (1, "fold-1"): 0.6}
    baseline = {(1, "fold-1"): 0.5, (0, "fold-2"): 0.4, (0, "fold-1"): 0.4}
    assert paired_test(scores, baseline)["sd"] == pytest.approx(np.std([0.1, 0.3, 0.1], ddof=1))
    with pytest.raises(ValueError, match=r"Received: scores lacks \(0, 'fold-2'\) of baseline$"):
        paired_test({key: scores[key] for key in scores if key != (0, "fold-2")}, baseline)
    with pytest.raises(ValueError, match=r"Received: scores has \(2, 'fold-1'\), which baseline lacks$"):
        paired_test(scores | {(2, "fold-1"): 0.5}, baseline)
    with pytest.raises(ValueError, match=r"lacks 0, 1, 2, \.\.\. of baseline; scores has 9, which"):
        paired_test({9: 0.1}, dict.fromkeys(range(5), 0.5))


def test_of_one_pair_nothing_can_be_said():
    said = paired_test({0: 0.6}, {0: 0.5})
    assert said["difference"] == pytest.approx(0.1)
    assert "a single pair, from which nothing can be said" in said["why"]
    for key in ("sd", "t", "p", "p_greater", "interval", "corrected", "flips"):
        assert said[key] is None


@pytest.mark.parametrize(("difference", "p"), [(0.1, 0.125), (0.0, 1.0)])
def test_equal_differences_have_no_t(difference, p):
    """0.1 + 0.2 is not 0.3 to a computer: rounding is no spread."""
    scores, baseline = sides([difference] * 4, level=0.2)
    scores[0], baseline[0] = 0.2 + difference, 0.2
    scores[1], baseline[1] = 0.7 + difference, 0.7
    said = paired_test(scores, baseline, test_to_train=0.2)
    assert (said["sd"], said["t"], said["p"], said["corrected"]) == (0, None, None, None)
    assert "all differences are the same" in said["why"]
    assert said["flips"]["p"] == p


@pytest.mark.parametrize(
    ("scores", "baseline", "changes", "words"),
    [
        ({}, {}, {}, r"must hold at least one pair. Received: none"),
        ({0: np.nan, 1: 1}, {0: 1, 1: 1}, {}, r"`scores` must be finite. Received: nan for 0"),
        ({0: 1, 1: 1}, {0: 1, 1: np.inf}, {}, r"`baseline` must be finite. Received: inf for 1"),
        ({0: 1, 1: 1}, {0: 1, 1: 1}, {"test_to_train": 0}, r"`test_to_train` must be above 0"),
        ({0: 1, 1: 1}, {0: 1, 1: 1}, {"test_to_train": np.nan}, r"`test_to_train` must be above 0"),
    ],
)
def test_scores_that_say_nothing_are_refused(scores, baseline, changes, words):
    with pytest.raises(ValueError, match=words):
        paired_test(scores, baseline, **changes)
