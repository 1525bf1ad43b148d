"""Votes by hand, against pandas' mode and scikit-learn's VotingClassifier, and what must not change them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import VotingClassifier
from sklearn.preprocessing import LabelEncoder

from sertk.evaluation import load_predictions, metrics, predictions_table, save_predictions, vote, write_report

CLASSES = ["angry", "happy", "sad"]


def member(probabilities, emotions=None, **columns):
    """A table of as many clips as there are rows of probabilities."""
    count = len(probabilities)
    clips = {"path": [f"/data/{i}.wav" for i in range(count)], "emotion": emotions or ["sad"] * count} | columns
    return predictions_table(pd.DataFrame(clips).astype("string"), probabilities, CLASSES)


def sure(*words):
    """Probabilities of 0.8 for these words."""
    return [[0.8 if name == word else 0.1 for name in CLASSES] for word in words]


def test_the_majority_wins_a_hard_vote_and_the_shares_are_its_probabilities():
    table = vote([member(sure("sad", "happy")), member(sure("sad", "angry")), member(sure("angry", "angry"))])
    assert table["predicted"].tolist() == ["sad", "angry"]
    assert table[["p_angry", "p_happy", "p_sad"]].to_numpy() == pytest.approx(
        np.array([[1 / 3, 0, 2 / 3], [2 / 3, 1 / 3, 0]])
    )


def test_a_tie_goes_to_the_likelier_class_or_to_the_first():
    """One vote each for happy and sad; happy has (0.5 + 0.2) / 2 = 0.35, sad (0.4 + 0.7) / 2 = 0.55."""
    tables = [member([[0.1, 0.5, 0.4]]), member([[0.1, 0.2, 0.7]])]
    assert vote(tables)["predicted"].tolist() == ["sad"]
    assert vote(tables, ties="first")["predicted"].tolist() == ["happy"]
    assert vote(tables)[["p_happy", "p_sad"]].to_numpy().tolist() == [[0.5, 0.5]]


def test_only_the_leading_classes_are_in_a_tie():
    """Happy and sad lead with two votes each. Angry has the highest mean, 0.4, but a single vote."""
    given = [[0.45, 0.5, 0.05], [0.4, 0.55, 0.05], [0.15, 0.15, 0.7], [0.4, 0.0, 0.6], [0.6, 0.2, 0.2]]
    tables = [member([row]) for row in given]
    assert np.mean(given, axis=0) == pytest.approx([0.4, 0.28, 0.32])
    assert vote(tables)["predicted"].tolist() == ["sad"]
    assert vote(tables, how="soft")["predicted"].tolist() == ["angry"]


def test_the_last_resort_is_the_alphabet_whatever_the_order_of_the_classes():
    clips = pd.DataFrame({"path": ["a.wav"], "emotion": ["sad"]})
    names = ["sad", "happy", "angry"]
    tables = [predictions_table(clips, [row], names) for row in ([0.5, 0.25, 0.25], [0.25, 0.5, 0.25])]
    assert vote(tables)["predicted"].tolist() == ["happy"]
    assert vote(tables, how="soft")["predicted"].tolist() == ["happy"]


@settings(deadline=None, max_examples=30)
@given(members=st.integers(2, 7), seed=st.integers(0, 999))
def test_ties_by_the_first_class_are_the_mode_of_pandas(members, seed):
    """What paper 002 did: the mode of the label columns, of several modes the first."""
    generator = np.random.default_rng(seed)
    tables = [member(generator.dirichlet(np.ones(3), 20)) for _ in range(members)]
    labels = pd.concat([table["predicted"] for table in tables], axis=1)
    assert vote(tables, ties="first")["predicted"].tolist() == labels.mode(axis=1)[0].tolist()


class Fixed(ClassifierMixin, BaseEstimator):
    """A classifier that says what it was told to say."""

    def __init__(self, probabilities):
        self.probabilities = probabilities

    def predict_proba(self, _):
        return self.probabilities


@settings(deadline=None, max_examples=30)
@given(members=st.integers(2, 6), seed=st.integers(0, 999))
def test_a_soft_vote_is_scikit_learns(members, seed):
    generator = np.random.default_rng(seed)
    probabilities = [generator.dirichlet(np.ones(3), 12) for _ in range(members)]
    oracle = VotingClassifier([(str(i), Fixed(each)) for i, each in enumerate(probabilities)], voting="soft")
    oracle.estimators_ = [estimator for _, estimator in oracle.estimators]
    oracle.le_ = LabelEncoder().fit(CLASSES)
    table = vote([member(each) for each in probabilities], how="soft")
    clips = np.zeros((12, 1))
    np.testing.assert_allclose(table[["p_angry", "p_happy", "p_sad"]], oracle.predict_proba(clips), atol=1e-12)
    assert table["predicted"].tolist() == oracle.predict(clips).tolist()


@settings(deadline=None, max_examples=40)
@given(
    how=st.sampled_from(["hard", "soft"]),
    ties=st.sampled_from(["probability", "first"]),
    members=st.integers(2, 6),
    seed=st.integers(0, 999),
)
def test_neither_the_order_of_members_nor_that_of_rows_matters(how, ties, members, seed):
    """Coarse probabilities, so that votes and means are often tied."""
    generator = np.random.default_rng(seed)
    tables = [member(generator.multinomial(4, np.ones(3) / 3, 15) / 4) for _ in range(members)]
    shuffled = [tables[i].sample(frac=1, random_state=seed + i) for i in generator.permutation(members)]
    expected, actual = (vote(each, how, ties).sort_values("path") for each in (tables, shuffled))
    pd.testing.assert_frame_equal(actual.reset_index(drop=True), expected.reset_index(drop=True), check_exact=True)


@settings(deadline=None, max_examples=30)
@given(how=st.sampled_from(["hard", "soft"]), copies=st.integers(2, 5), seed=st.integers(0, 999))
def test_an_ensemble_of_one_member_several_times_is_the_member(how, copies, seed):
    table = member(np.random.default_rng(seed).dirichlet(np.ones(3), 10))
    voted = vote([table] * copies, how)
    assert voted["predicted"].tolist() == table["predicted"].tolist()
    if how == "soft":
        np.testing.assert_allclose(voted[["p_angry", "p_happy", "p_sad"]], table[["p_angry", "p_happy", "p_sad"]])


def test_the_accuracies_of_paper_002_are_whole_clips():
    """Its test part holds 288 clips: 96.88 % are 279 of them, 96.53 % are 278."""
    for right, printed in ((279, 96.88), (278, 96.53)):
        words = ["sad"] * right + ["angry"] * (288 - right)
        other = ["happy"] * 9 + words[9:]  # a weaker third member is outvoted
        table = vote([member(sure(*words)), member(sure(*words)), member(sure(*other))])
        assert round(100 * metrics(table, resamples=0)["accuracy"], 2) == printed


def test_the_result_is_a_predictions_table_like_any_other(tmp_path):
    """Figures, report and the way to a file and back."""
    tables = [member(sure("sad", "happy", "sad"), speaker=["01", "02", "03"]), member(sure("sad", "sad", "angry"))]
    voted = vote(tables, how="soft")
    assert list(voted) == ["path", "emotion", "predicted", "p_angry", "p_happy", "p_sad", "speaker"]
    assert voted["speaker"].tolist() == ["01", "02", "03"]
    path = save_predictions(voted, tmp_path / "p.csv")
    pd.testing.assert_frame_equal(load_predictions(path), voted, check_exact=True)
    page = write_report(tmp_path, voted, metrics(voted), title="Votes", protocol={})
    assert "on 3 test clips" in page.read_text()


def test_labels_without_probabilities_can_vote_hard_with_the_papers_rule_for_ties():
    clips = {"path": ["a.wav", "b.wav"], "emotion": ["sad", "happy"]}
    tables = [pd.DataFrame({**clips, "predicted": said}) for said in (["sad", "sad"], ["sad", "happy"])]
    table = vote(tables, ties="first")
    assert table["predicted"].tolist() == ["sad", "happy"]
    assert table["p_happy"].tolist() == [0, 0.5]
    for options in ({}, {"how": "soft", "ties": "first"}):
        with pytest.raises(ValueError, match=r'without them choose how="hard" and ties="first". Received: how='):
            vote(tables, **options)


def test_a_vote_needs_two_members_and_known_words():
    table = member(sure("sad"))
    for tables, received in (([table], r"1 table\(s\)"), ([], r"0 table\(s\)"), (table, "DataFrame")):
        with pytest.raises(ValueError, match=rf"at least two predictions tables. Received: {received}"):
            vote(tables)
    with pytest.raises(ValueError, match=r"`how` must be one of hard, soft. Received: how='mean'"):
        vote([table] * 2, how="mean")
    with pytest.raises(ValueError, match=r"`ties` must be one of probability, first. Received: ties='random'"):
        vote([table] * 2, ties="random")
