"""All combinations, each as `vote` would have it, chosen on one part and measured on the other."""

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from sertk.evaluation import all_combinations, best_member, by_clip, predictions_table, vote

CLASSES = ["angry", "happy", "sad"]


def members(count, clips, seed, skill=1.0, **columns):
    """Tables of random models that know something."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 3, clips)
    manifest = pd.DataFrame(
        {"path": [f"{seed}-{i}.wav" for i in range(clips)], "emotion": [CLASSES[i] for i in truth], **columns}
    )
    logits = generator.normal(size=(count, clips, 3)) + skill * np.eye(3)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    return [predictions_table(manifest, each, CLASSES) for each in probabilities]


@pytest.mark.parametrize("how", ["hard", "soft"])
def test_each_combination_has_scikit_learns_figures_of_its_vote(how):
    validation, test = members(5, 40, seed=1), members(5, 60, seed=2)
    table = all_combinations(validation, test, 3, how=how, names=list("abcde"))
    assert sorted(table["members"]) == list(itertools.combinations("abcde", 3))
    for row in table.to_dict("records"):
        for part, tables in (("validation", validation), ("test", test)):
            voted = vote([tables["abcde".index(name)] for name in row["members"]], how)
            truth, said = voted["emotion"], voted["predicted"]
            assert row[f"{part}_accuracy"] == pytest.approx(accuracy_score(truth, said))
            assert row[f"{part}_uar"] == pytest.approx(balanced_accuracy_score(truth, said))
    assert table["validation_accuracy"].is_monotonic_decreasing


def test_the_first_is_the_best_on_the_validation_part_not_on_the_test_part():
    """a and b are right on validation, c and d on test; of equals the first members win."""

    def sure(right):
        clips = pd.DataFrame({"path": ["1.wav", "2.wav"], "emotion": ["sad", "happy"]})
        words = ["sad", "happy"] if right else ["happy", "sad"]
        return predictions_table(
            clips, [[0.9 * (name == word) + 0.1 / 3 for name in CLASSES] for word in words], CLASSES
        )

    table = all_combinations(
        [sure(True), sure(True), sure(False), sure(False)],
        [sure(False), sure(False), sure(True), sure(True)],
        2,
        names=list("abcd"),
    )
    assert table["members"][0] == ("a", "b")
    assert (table["validation_accuracy"][0], table["test_accuracy"][0]) == (1, 0)
    assert table["test_accuracy"].max() == 1


def test_the_figure_to_choose_by_can_be_uar():
    """99 clips sad, one happy: who says sad always has 99 % accuracy and 50 % UAR; the other two 98 % and 99 %."""
    clips = pd.DataFrame({"path": [f"{i}.wav" for i in range(100)], "emotion": ["sad"] * 99 + ["happy"]})
    always, better = (
        np.array([[0.0, 0.1, 0.9]] * 100),
        np.array([[0, 0.8, 0.2]] * 2 + [[0, 0.1, 0.9]] * 97 + [[0, 0.8, 0.2]]),
    )
    tables = [predictions_table(clips, each, CLASSES) for each in (always, always, better, better)]
    for by, chosen in (("accuracy", ("a", "b")), ("uar", ("c", "d"))):
        table = all_combinations(tables, tables, 2, by=by, names=list("abcd"))
        assert table["members"][0] == chosen
    assert (best_member(tables), best_member(tables, "uar")) == (0, 2)


@pytest.mark.parametrize("how", ["hard", "soft"])
def test_chunks_are_voted_on_and_clips_are_scored(how):
    starts = {"chunk_start": list(range(10)) * 3}
    test = members(4, 30, seed=3, **starts)
    clip = np.repeat(["a.wav", "b.wav", "c.wav"], 10)
    test = [table.assign(path=clip, emotion=np.repeat(CLASSES, 10)) for table in test]
    table = all_combinations(test, test, 3, how=how)
    for row in table.to_dict("records"):
        voted = by_clip(vote([test[int(name[-1]) - 1] for name in row["members"]], how))
        assert row["test_accuracy"] == pytest.approx(accuracy_score(voted["emotion"], voted["predicted"]))
    best = [accuracy_score(clips["emotion"], clips["predicted"]) for clips in map(by_clip, test)]
    assert best_member(test) == int(np.argmax(best))


def test_a_number_of_combinations_that_explodes_is_refused_with_the_count():
    """20 choose 10 is 184,756."""
    tables = members(1, 3, seed=4) * 20
    with pytest.raises(ValueError, match=r"at most 10,000 combinations.* Received: k=10, 184,756 combinations"):
        all_combinations(tables, tables, 10)


@pytest.mark.parametrize("k", [1, 0, 5, 2.0, True, "3"])
def test_k_is_a_number_of_members(k):
    tables = members(4, 3, seed=5)
    with pytest.raises(ValueError, match=r"`k` must be a whole number from 2 to the 4 members. Received: k="):
        all_combinations(tables, tables, k)


def test_parts_of_other_models_are_refused():
    tables = members(3, 6, seed=6)
    with pytest.raises(ValueError, match=r"a table for each of the 3 members. Received: 2 tables"):
        all_combinations(tables[:2], tables, 2)
    other = [table.rename(columns={"p_angry": "p_fear"}).replace("angry", "fear") for table in tables]
    with pytest.raises(ValueError, match=r"same classes.* Received: fear, happy, sad; and angry, happy, sad"):
        all_combinations(other, tables, 2)
    with pytest.raises(ValueError, match=r"b lacks 1 clip\(s\) of a"):
        all_combinations([tables[0], tables[1].iloc[1:], tables[2]], tables, 2, names=["a", "b", "c"])
    with pytest.raises(ValueError, match=r"`by` must be one of accuracy, uar. Received: by='f1'"):
        all_combinations(tables, tables, 2, by="f1")
