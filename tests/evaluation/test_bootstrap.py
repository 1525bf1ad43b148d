"""The interval: by hand where the draws can be counted, by the normal law, and by whether it holds the truth."""

import numpy as np
import pandas as pd
import pytest

from sertk.evaluation import metrics
from sertk.evaluation.bootstrap import bootstrap_interval


def width(interval):
    return interval[1] - interval[0]


def two_speakers(clips=20, **columns):
    """One is always understood, the other never."""
    table = {"emotion": "a", "predicted": ["a"] * clips + ["b"] * clips, "speaker": ["01"] * clips + ["02"] * clips}
    return pd.DataFrame(table | columns)


def test_two_opposite_speakers_by_hand():
    """Draws of two speakers score 0, 1/2 and 1 with odds 1 : 2 : 1, so 95 % reach from 0 to 1."""
    interval = metrics(two_speakers())["interval"]
    assert (interval["over"], interval["speakers"], interval["level"]) == ("speakers", 2, 0.95)
    assert interval["accuracy"] == [0, 1]


def test_uar_of_a_draw_is_over_the_classes_in_it():
    """Each speaker has one class: a draw of the first speaker alone has UAR 1, not 1/2."""
    truth, predicted = np.array([0, 0, 1, 1]), np.array([0, 0, 0, 0])
    _, uar = bootstrap_interval(truth, predicted, 2, groups=np.array([0, 0, 1, 1]))
    assert uar == [0, 1]


def test_over_clips_follows_the_normal_law():
    """600 independent clips, 70 % right: +- 1.96 sqrt(p (1 - p) / n)."""
    truth, predicted = np.zeros(600, int), np.repeat([0, 1], [420, 180])
    accuracy, _ = bootstrap_interval(truth, predicted, 2, resamples=20_000)
    half = 1.96 * np.sqrt(0.7 * 0.3 / 600)
    assert accuracy == pytest.approx([0.7 - half, 0.7 + half], abs=0.004)


def test_clips_drawn_as_cells_are_clips_drawn_as_groups_of_one():
    generator = np.random.default_rng(0)
    truth, predicted = generator.integers(0, 3, (2, 90))
    cells = bootstrap_interval(truth, predicted, 3, resamples=20_000)
    groups = bootstrap_interval(truth, predicted, 3, groups=np.arange(90), resamples=20_000)
    np.testing.assert_allclose(cells, groups, atol=0.015)


def test_unlike_speakers_widen_the_interval_and_like_ones_do_not():
    def ratio(spread):
        generator = np.random.default_rng(1)
        speakers = np.repeat(np.arange(30), 40)
        truth = np.tile([0, 1], 600)
        right = generator.random(1200) < np.clip(0.7 + spread * generator.standard_normal(30), 0, 1)[speakers]
        predicted = np.where(right, truth, 1 - truth)
        over_speakers, _ = bootstrap_interval(truth, predicted, 2, groups=speakers)
        over_clips, _ = bootstrap_interval(truth, predicted, 2)
        return width(over_speakers) / width(over_clips)

    # Variance of a speaker's mean: spread^2 + 0.21 / 40, against 0.21 / 40 for clips: a ratio of 2.9 for 0.2.
    assert 1.8 < ratio(0.2) < 4
    assert 0.7 < ratio(0.0) < 1.3


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """300 test sets of 30 speakers whose skill is Beta(8, 4), 2/3 on average; the one over clips is too sure."""
    generator = np.random.default_rng(0)
    speakers, truth = np.repeat(np.arange(30), 20), np.tile([0, 1], 300)
    held = {"speakers": 0, "clips": 0}
    for seed in range(300):
        right = generator.random(600) < generator.beta(8, 4, 30)[speakers]
        predicted = np.where(right, truth, 1 - truth)
        for over, groups in (("speakers", speakers), ("clips", None)):
            (low, high), _ = bootstrap_interval(truth, predicted, 2, groups=groups, resamples=400, seed=seed)
            held[over] += low <= 2 / 3 <= high
    assert 0.89 <= held["speakers"] / 300 <= 0.98
    assert held["clips"] / 300 < 0.87


def test_a_seed_repeats_and_another_differs():
    generator = np.random.default_rng(0)
    columns = {name: generator.choice(list("abc"), 200) for name in ("emotion", "predicted")}
    table = pd.DataFrame(columns | {"speaker": generator.choice(list("123456789xyz"), 200)})
    first = metrics(table, seed=3)["interval"]
    assert first == metrics(table, seed=3)["interval"]
    assert first["uar"] != metrics(table, seed=4)["interval"]["uar"]
    assert "caution" not in first  # twelve speakers are enough


def test_one_name_in_two_corpora_is_two_speakers():
    table = two_speakers(speaker="01", corpus=["emovo"] * 20 + ["ravdess"] * 20)
    assert metrics(table)["interval"]["speakers"] == 2


@pytest.mark.parametrize("corpus", [None, pd.NA])
def test_speakers_count_without_a_corpus_too(corpus):
    assert metrics(two_speakers(corpus=corpus))["interval"]["speakers"] == 2


def test_few_speakers_are_cautioned_about():
    assert metrics(two_speakers())["interval"]["caution"].startswith("The test set holds only 2 speakers")


@pytest.mark.parametrize("speaker", [None, ["01"] * 39 + [None], ["01"] * 39 + [""]])
def test_an_unknown_speaker_means_clips_and_says_so(speaker):
    interval = metrics(two_speakers(speaker=speaker))["interval"]
    assert (interval["over"], interval["speakers"]) == ("clips", None)
    assert "Not every speaker is known" in interval["caution"]
    assert 0.3 < interval["accuracy"][0] < 0.5 < interval["accuracy"][1] < 0.7


def test_no_speaker_column_means_clips():
    assert metrics(two_speakers().drop(columns="speaker"))["interval"]["over"] == "clips"


@pytest.mark.parametrize(
    ("table", "resamples", "why"),
    [
        (two_speakers(speaker="01"), 100, "only one speaker"),
        (two_speakers(speaker=None)[:1], 100, "only one clip"),
        (two_speakers(), 0, "no resamples"),
    ],
)
def test_no_interval_where_there_is_no_spread(table, resamples, why):
    interval = metrics(table, resamples=resamples)["interval"]
    assert interval["accuracy"] is None
    assert interval["uar"] is None
    assert why in interval["why"]
