"""The figures against scikit-learn and against numbers worked out by hand."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.evaluation import metrics

CLASSES = ["angry", "happy", "sad", "surprise"]


def said(truth, predicted, **columns):
    return pd.DataFrame({"emotion": list(truth), "predicted": list(predicted), **columns})


# scikit-learn warns of the cases that are the point here: classes that are absent, or a single one.
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true", "ignore:A single label was found")
@settings(deadline=None, max_examples=60)
@given(pairs=st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)), min_size=1, max_size=40))
def test_equals_scikit_learn(pairs):
    truth, predicted = zip(*pairs, strict=True)
    scores = metrics(said(truth, predicted), CLASSES, resamples=0)
    assert scores["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(truth, predicted))
    assert scores["uar"] == pytest.approx(sklearn.metrics.balanced_accuracy_score(truth, predicted))
    assert scores["macro_f1"] == pytest.approx(sklearn.metrics.f1_score(truth, predicted, average="macro"))
    assert scores["weighted_f1"] == pytest.approx(sklearn.metrics.f1_score(truth, predicted, average="weighted"))
    for normalise, key in ((None, "confusion"), ("true", "confusion_normalised")):
        expected = sklearn.metrics.confusion_matrix(truth, predicted, labels=CLASSES, normalize=normalise)
        np.testing.assert_allclose(scores[key], expected)
    report = sklearn.metrics.classification_report(truth, predicted, labels=CLASSES, output_dict=True, zero_division=0)
    for name in CLASSES:
        for figure, key in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
            assert (scores["per_class"][name][figure] or 0) == pytest.approx(report[name][key])
        assert scores["per_class"][name]["support"] == report[name]["support"]
    assert scores["absent_classes"] == [name for name in CLASSES if name not in truth]


def test_three_classes_by_hand():
    """Rows are the truth: a 3 1 0, b 2 2 1, c 0 0 1."""
    scores = metrics(said("aaaabbbbbc", "aaabaabbcc"))
    assert scores["clips"] == 10
    assert scores["classes"] == ["a", "b", "c"]
    assert scores["confusion"] == [[3, 1, 0], [2, 2, 1], [0, 0, 1]]
    assert scores["confusion_normalised"] == [[0.75, 0.25, 0], [0.4, 0.4, 0.2], [0, 0, 1]]
    assert scores["accuracy"] == pytest.approx(6 / 10)
    assert scores["uar"] == pytest.approx((3 / 4 + 2 / 5 + 1) / 3)
    precisions, f1 = [3 / 5, 2 / 3, 1 / 2], [2 / 3, 1 / 2, 2 / 3]
    assert [row["precision"] for row in scores["per_class"].values()] == pytest.approx(precisions)
    assert [row["f1"] for row in scores["per_class"].values()] == pytest.approx(f1)
    assert scores["macro_f1"] == pytest.approx(11 / 18)
    assert scores["weighted_f1"] == pytest.approx((4 * 2 / 3 + 5 * 1 / 2 + 1 * 2 / 3) / 10)
    assert scores["chance"] == pytest.approx({"accuracy": 5 / 10, "uar": 1 / 3})


def test_an_absent_class_is_named_and_does_not_pull_the_uar():
    scores = metrics(said("aabb", "aabc"), ["a", "b", "c", "d"])
    assert scores["absent_classes"] == ["c", "d"]
    assert scores["uar"] == pytest.approx((1 + 1 / 2) / 2)
    assert scores["chance"]["uar"] == 1 / 2
    assert scores["per_class"]["c"] == {"precision": 0.0, "recall": None, "f1": 0.0, "support": 0}
    assert scores["per_class"]["d"] == {"precision": None, "recall": None, "f1": None, "support": 0}
    assert scores["confusion_normalised"][2] == [0, 0, 0, 0]


def test_classes_are_those_of_the_probabilities_in_their_order():
    table = said("ab", "ab", p_b=[0.1, 0.9], p_a=[0.9, 0.1], p_c=[0.0, 0.0])
    assert metrics(table)["classes"] == ["b", "a", "c"]
    assert metrics(table, ["a", "b"])["classes"] == ["a", "b"]


@pytest.mark.parametrize("dtype", ["object", "string", "category"])
def test_plain_json_whatever_the_columns_are_made_of(dtype):
    table = said("abab", "abba", speaker=["01", "01", "02", "02"], corpus="x").astype(dtype)
    scores = metrics(table, ["a", "b", "c"], resamples=np.int64(50))
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores
    assert scores["accuracy"] == 0.5


def test_order_of_rows_is_of_no_consequence():
    generator = np.random.default_rng(0)
    columns = {name: generator.choice(CLASSES, 60) for name in ("emotion", "predicted")}
    table = pd.DataFrame(columns | {"speaker": np.tile(list("123456"), 10)})
    assert metrics(table) == metrics(table[::-1])


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (said("", ""), r"at least one clip. Received: an empty table"),
        (pd.DataFrame({"emotion": ["a"]}), r"must have the columns emotion, predicted; add predicted"),
        (said("ab", "ax"), r"'predicted' of `predictions` must hold one of .* Received: x"),
        (said("ax", "ab"), r"'emotion' of `predictions` must hold one of .* Received: x"),
        (said(["a", None], "ab"), r"Received: \(missing\)"),
    ],
)
def test_bad_tables_are_refused(table, words):
    with pytest.raises(ValueError, match=words):
        metrics(table, ["a", "b"])


@pytest.mark.parametrize("resamples", [-1, 1.5, "many", None])
def test_bad_resamples_are_refused(resamples):
    with pytest.raises(ValueError, match=r"`resamples` must be a whole number.* Received: resamples="):
        metrics(said("ab", "ab"), resamples=resamples)


def test_the_room_loads_neither_keras_nor_pyplot_and_nothing_before_it_is_used():
    code = (
        "import sys, sertk.evaluation as room\n"
        "assert not {'numpy', 'pandas', 'sklearn', 'matplotlib'} & set(sys.modules), 'not lazy'\n"
        "[getattr(room, name) for name in room.__all__]\n"
        "assert callable(room.metrics) and callable(room.write_report)\n"
        "assert not {'tensorflow', 'keras', 'matplotlib.pyplot'} & set(sys.modules), 'too much'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
