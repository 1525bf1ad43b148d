"""The z-test on UARs against paper 003's own p values, and against chi-square."""

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from sertk.evaluation import uar_z_test

# Table 2 of paper 003: DEMoS's test part.
CLIPS = 2326


@pytest.mark.parametrize(
    ("uar", "baseline", "above", "below"),
    [
        (0.789, 0.772, 0.05, 0.1),  # VGG-15 with NSL and without
        (0.763, 0.746, 0.05, 0.1),  # ResNet-9
        (0.770, 0.731, 0.001, 0.002),  # CNN-6
        (0.789, 0.740, 0, 0.001),  # VGG-15 with NSL and with the best transfer learning
        (0.770, 0.752, 0.05, 0.1),  # CNN-6
    ],
)
def test_p_is_below_what_the_paper_says(uar, baseline, above, below):
    """Section 3.4. It says the smallest bound that holds, so p is above the next one."""
    assert above < uar_z_test(uar, baseline, CLIPS)["p"] < below


def test_z_by_hand():
    """0.6 against 0.4 on 100 clips: the pooled share is 0.5, its spread sqrt(2 x 0.25 / 100), z = 0.2 / 0.0707."""
    said = uar_z_test(0.6, 0.4, 100)
    assert said["difference"] == pytest.approx(0.2)
    assert said["z"] == pytest.approx(2.8284271247)
    assert said["p"] == pytest.approx(0.00233887, abs=1e-8)  # a normal law's table


@given(right=st.integers(0, 300), other=st.integers(0, 300))
def test_of_shares_of_clips_its_square_is_pearsons_chi_square(right, other):
    z = uar_z_test(right / 300, other / 300, 300)["z"]
    if 0 < right + other < 600:
        table = [[right, 300 - right], [other, 300 - other]]
        assert z**2 == pytest.approx(scipy.stats.chi2_contingency(table, correction=False).statistic, abs=1e-9)
    assert (z > 0) == (right > other)


@pytest.mark.parametrize("share", [0, 0.4, 1])
def test_equals_are_a_coin_toss(share):
    assert uar_z_test(share, share, 50) == {"difference": 0, "z": 0, "p": 0.5}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((78.9, 0.772, 10), r"`uar` must be in 0 to 1; write 78.9 % as 0.789. Received: uar=78.9"),
        ((0.789, -0.1, 10), r"`baseline` must be in 0 to 1"),
        ((0.789, float("nan"), 10), r"`baseline` must be in 0 to 1"),
        ((0.789, 0.772, 0), r"`clips` must be the number of test clips, at least 1. Received: clips=0"),
        ((0.789, 0.772, 10.5), r"Received: clips=10.5"),
    ],
)
def test_what_is_no_uar_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        uar_z_test(*arguments)
