"""McNemar's test against published values."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sertk.evaluation import mcnemar, mcnemar_of_counts, predictions_table


@pytest.mark.parametrize(
    ("only_first", "only_second", "p"),
    [(121, 59, 0.000004), (59, 70, 0.378688), (80, 59, 0.089452), (30, 60, 0.00206), (10, 30, 0.002221), (10, 10, 1)],
)
def test_exact_p_is_that_of_the_vassar_college_calculator(only_first, only_second, p):
    """The values that statsmodels holds its mcnemar to, from vassarstats.net, to six decimals."""
    found = mcnemar_of_counts(only_first, only_second, exact=True)
    assert found["p"] == pytest.approx(p, abs=5e-7)
    assert found["statistic"] is None


@pytest.mark.parametrize(
    ("only_first", "only_second", "statistic", "p"),
    [(121, 59, 20.67222, 5.450095e-06), (70, 59, 0.7751938, 0.3786151), (59, 80, 2.87769784, 0.08981434)],
)
def test_chi_square_is_that_of_r(only_first, only_second, statistic, p):
    """`mcnemar.test(matrix(c(101, 121, 59, 33), 2))` and two more, as in statsmodels' tests."""
    found = mcnemar_of_counts(only_first, only_second)
    assert found["exact"] is False
    assert found["statistic"] == pytest.approx(statistic, rel=1e-6)
    assert found["p"] == pytest.approx(p, rel=1e-6)


def test_few_clips_are_tested_exactly():
    """By hand: 5 to 1 of 6: 2 (1 + 6) / 64 = 0.21875. 24 clips are few, 25 are not."""
    assert mcnemar_of_counts(5, 1) == {
        "only_first": 5,
        "only_second": 1,
        "exact": True,
        "statistic": None,
        "p": pytest.approx(0.21875),
    }
    assert mcnemar_of_counts(14, 10)["exact"] is True
    assert mcnemar_of_counts(15, 10)["exact"] is False


@given(only_first=st.integers(0, 400), only_second=st.integers(0, 400), exact=st.sampled_from([None, True, False]))
def test_p_is_a_probability_and_does_not_depend_on_who_is_first(only_first, only_second, exact):
    found = mcnemar_of_counts(only_first, only_second, exact)
    assert 0 <= found["p"] <= 1
    assert found["p"] == pytest.approx(mcnemar_of_counts(only_second, only_first, exact)["p"])
    if abs(only_first - only_second) <= 1:
        assert found["p"] == pytest.approx(1)


def test_negative_counts_are_refused():
    with pytest.raises(ValueError, match=r"must be counts. Received: 3 and -1"):
        mcnemar_of_counts(3, -1)


def table(right, truth="sad", **columns):
    """One clip for each entry, right or wrong."""
    clips = pd.DataFrame({"path": [f"{i}.wav" for i in range(len(right))], "emotion": truth, **columns})
    return predictions_table(clips, [[1 - hit, hit] for hit in right], ["happy", "sad"])


def test_clips_are_counted_whatever_their_order():
    """Right together on 2, wrong together on 1, the first alone on 3, the second alone on 1: 2 (1 + 4) / 16 = 0.625."""
    first, second = table([1, 1, 0, 1, 1, 1, 0]), table([1, 1, 0, 0, 0, 0, 1])
    found = mcnemar(first, second.sample(frac=1, random_state=1))
    assert found.pop("p") == pytest.approx(0.625)
    assert found == {"clips": 7, "only_first": 3, "only_second": 1, "exact": True, "statistic": None}
    with pytest.raises(ValueError, match=r"best lacks 1 clip\(s\) of ensemble: 6.wav"):
        mcnemar(first, second.iloc[:6], names=["ensemble", "best"])


def test_chunks_count_as_their_clip():
    """Two clips of three chunks each: the first model is right on five chunks, but on both clips; the second on one."""
    chunks = pd.DataFrame({"path": ["a.wav"] * 3 + ["b.wav"] * 3, "emotion": "sad", "chunk_start": [0, 480, 960] * 2})
    sad = [[0.9, 0.9, 0.2, 0.9, 0.9, 0.9], [0.9, 0.1, 0.1, 0.9, 0.9, 0.9]]
    first, second = (predictions_table(chunks, np.c_[1 - np.array(p), p], ["happy", "sad"]) for p in sad)
    found = mcnemar(first, second)
    assert (found["clips"], found["only_first"], found["only_second"]) == (2, 1, 0)
