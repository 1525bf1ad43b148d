"""Rows are joined by what they are about, and what does not belong together is refused by name."""

import pandas as pd
import pytest

from sertk.evaluation import align, predictions_table

CLASSES = ["happy", "sad"]


def member(paths=("/a/1.wav", "/a/2.wav", "/a/3.wav"), emotions=("sad", "happy", "sad"), happy=None, **columns):
    happy = [0.1 * (i + 1) for i in range(len(paths))] if happy is None else happy
    clips = pd.DataFrame({"path": list(paths), "emotion": list(emotions), **columns}).astype("string")
    return predictions_table(clips, [[p, 1 - p] for p in happy], CLASSES)


def test_rows_are_joined_by_path():
    second = member(["/a/3.wav", "/a/1.wav", "/a/2.wav"], ["sad", "sad", "happy"], [0.3, 0.1, 0.2])
    one, two = align([member(), second])
    pd.testing.assert_frame_equal(one, two)


def test_members_that_were_trained_elsewhere_are_joined_by_corpus_and_file_name():
    here = member(corpus="ravdess")
    there = member(
        [r"D:\speech\2.wav", r"D:\speech\3.wav", r"D:\speech\1.wav"],
        ["happy", "sad", "sad"],
        [0.2, 0.3, 0.1],
        corpus="ravdess",
    )
    one, two = align([here, there])
    assert one["path"].tolist() == ["/a/1.wav", "/a/2.wav", "/a/3.wav"]
    assert two["path"].tolist() == [r"D:\speech\1.wav", r"D:\speech\2.wav", r"D:\speech\3.wav"]
    assert two["p_happy"].tolist() == [0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    "columns",
    [
        {},  # a file name without a corpus says too little
        {"corpus": "emovo"},
    ],
)
def test_file_names_of_other_or_unknown_corpora_are_other_clips(columns):
    with pytest.raises(
        ValueError, match=r"member 2 lacks 3 clip\(s\) of member 1.*has 3 clip\(s\) that member 1 lacks"
    ):
        align([member(corpus="ravdess"), member(["/b/1.wav", "/b/2.wav", "/b/3.wav"], **columns)])


def test_file_names_that_stand_for_several_clips_join_nothing():
    """Two clips are called 1.wav, in the folders of two emotions: which is which can't be known."""
    tables = [
        member([f"{root}/sad/1.wav", f"{root}/happy/1.wav"], ["sad", "happy"], corpus="own") for root in ("/a", "/b")
    ]
    with pytest.raises(ValueError, match=r"member 2 lacks 2 clip\(s\) of member 1: /a/happy/1.wav, /a/sad/1.wav"):
        align(tables)


def test_where_some_paths_are_shared_file_names_do_not_count():
    there = member(["/a/1.wav", "/b/2.wav", "/b/3.wav"], corpus="ravdess")
    with pytest.raises(ValueError, match=r"lacks 2 clip\(s\) of member 1: /a/2.wav, /a/3.wav"):
        align([member(corpus="ravdess"), there])


def test_chunks_are_joined_by_where_they_start_and_folds_by_their_name():
    """As numbers from a run, and as the text that a file gives."""
    paths, emotions = ["a.wav"] * 3, ["sad"] * 3
    first = member(paths, emotions, fold=["fold-1", "fold-1", "fold-2"]).assign(chunk_start=[0, 480, 480])
    second = first.iloc[[2, 1, 0]].assign(chunk_start=["480", "480", "0"])
    one, two = align([first, second])
    assert two["chunk_start"].tolist() == ["0", "480", "480"]
    assert two["p_happy"].tolist() == one["p_happy"].tolist()
    with pytest.raises(ValueError, match=r"more than once: a.wav chunk_start 480 fold fold-1$"):
        align([first.assign(fold="fold-1")])
    with pytest.raises(
        ValueError, match=r"one kind. Received: a with a column chunk_start and a column fold, b with a"
    ):
        align([first, first.drop(columns="fold")], ["a", "b"])


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (member().iloc[:2], r"same clips; .* Received: b lacks 1 clip\(s\) of a: /a/3.wav$"),
        (
            member([f"/a/{i}.wav" for i in range(1, 8)], ["sad", "happy"] + ["sad"] * 5),
            r"b has 4 clip\(s\) that a lacks: /a/4.wav, /a/5.wav, /a/6.wav, ...$",
        ),
        (pd.concat([member(), member().iloc[:1]]), r"`b` must have each clip once.*: /a/1.wav$"),
        (
            member(emotions=["sad", "sad", "sad"]),
            r"same truth for each clip.* 1 clip\(s\) with another one, the first /a/2.wav: happy in a, sad in b",
        ),
        (
            member().rename(columns={"p_happy": "p_angry"}).assign(emotion="sad", predicted="sad"),
            r"same classes.* Received: a with happy, sad; b with angry, sad",
        ),
        (
            member().drop(columns=["p_happy", "p_sad"]),
            r"same classes.* Received: a with happy, sad; b with no such column",
        ),
        (member().iloc[:0], r"`b` must hold the predictions of at least one clip"),
        (member().assign(path=[None, "x", "y"]), r"`b` must have a path in each row. Received: 1 without"),
        (member().assign(predicted=["sad", "fear", "sad"]), r"'predicted' of `b` must hold one of .* Received: fear"),
        (member().drop(columns="predicted"), r"`b` must have the columns path, emotion, predicted; add predicted"),
        ("b.csv", r"`b` must be a pandas DataFrame"),
    ],
)
def test_what_does_not_belong_together_is_refused_by_name(second, words):
    with pytest.raises(ValueError, match=words):
        align([member(), second], ["a", "b"])


def test_each_table_needs_a_name_of_its_own():
    for names in (["a"], ["a", "a"]):
        with pytest.raises(ValueError, match=r"`names` must hold a name of its own for each of the 2 tables"):
            align([member()] * 2, names)
    with pytest.raises(ValueError, match=r"`tables` must be a list of predictions tables. Received: DataFrame"):
        align(member())
