"""Cross-validation tests each clip once, keeps apart what it promises to, and comes out the same everywhere."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold, StratifiedKFold

from sertk.corpora import KINDS, check_split, folds

EMOTIONS = ("angry", "happy", "sad")
KINDS_OF_FOLDS = ["k-fold", "speaker-k-fold", "leave-one-speaker-out", "leave-one-session-out"]


def manifest_from(clips_of_speakers, emotions=EMOTIONS):
    """Speaker i says each emotion so many times; two speakers a session; odd speakers are men."""
    rows = [
        (f"/d/{i:02d}/{emotion}-{j}.wav", f"{i:02d}", emotion)
        for i, clips in enumerate(clips_of_speakers)
        for emotion in emotions
        for j in range(clips)
    ]
    table = pd.DataFrame(rows, columns=["path", "speaker", "emotion"], dtype="string")
    number = table["speaker"].astype(int)
    gender = pd.Series(np.where(number % 2, "male", "female"), dtype="string")
    return table.assign(gender=gender, corpus="c", session=(number // 2).astype("string"))


def times_tested(tables):
    """How often each clip is in a test part."""
    return sum((table["part"] == "test").astype(int) for table in tables)


@settings(deadline=None, max_examples=20)
@given(
    clips=st.lists(st.integers(4, 12), min_size=6, max_size=9),
    kind=st.sampled_from(KINDS_OF_FOLDS),
    k=st.integers(2, 4),
    validation=st.sampled_from([0, 0.2, 1]),
    seed=st.integers(0, 2**32 - 1),
)
def test_each_clip_is_tested_once_and_no_speaker_twice(clips, kind, k, validation, seed):
    if kind == "k-fold" and validation >= 1:
        validation *= 4  # it is clips then, and each emotion needs one
    manifest = manifest_from(clips)
    tables = folds(manifest, kind, k=k, validation=validation, seed=seed)
    assert (times_tested(tables) == 1).all()
    for table in tables:
        pd.testing.assert_frame_equal(table.drop(columns="part"), manifest)
        assert set(table["part"]) == {"train", "test"} | ({"validation"} if validation else set())
        if kind != "k-fold":
            assert (table.groupby("speaker")["part"].nunique() == 1).all()
            if validation >= 1:
                assert table[table["part"] == "validation"]["speaker"].nunique() == validation
        elif validation >= 1:
            assert (table["part"] == "validation").sum() == validation
        check_split(table, kind, validation=bool(validation))


@pytest.mark.parametrize("kind", KINDS_OF_FOLDS)
def test_independent_of_row_order_and_of_the_folder(kind):
    manifest = manifest_from([4, 9, 6, 5, 8, 7, 3])
    tables = folds(manifest, kind, k=3, validation=0.2, seed=5)
    shuffled = manifest.sample(frac=1, random_state=0)
    moved = manifest.assign(path="/zoo/of/voices" + manifest["path"].str.removeprefix("/d"))
    others = zip(folds(shuffled, kind, 3, 0.2, 5), folds(moved, kind, 3, 0.2, 5), strict=True)
    for table, (again, elsewhere) in zip(tables, others, strict=True):
        assert again.index.tolist() == shuffled.index.tolist()
        assert again["part"].sort_index().tolist() == elsewhere["part"].tolist() == table["part"].tolist()


@pytest.mark.parametrize("kind", ["k-fold", "speaker-k-fold"])
def test_seed_changes_the_folds(kind):
    manifest = manifest_from([5] * 12)
    first, second = (pd.concat(folds(manifest, kind, seed=seed))["part"].tolist() for seed in (0, 1))
    assert first != second


def test_each_fold_draws_its_own_validation_part():
    tables = folds(manifest_from([5] * 12), "leave-one-speaker-out", validation=1)
    assert len({table["speaker"][table["part"] == "validation"].iloc[0] for table in tables}) > 3


def test_choice_is_that_of_every_other_machine(made_up):
    """Pinned: whoever changes it changes what published results refer to."""
    tables = folds(made_up(), "speaker-k-fold", k=6, validation=2)
    speakers = [table.groupby("part")["speaker"].unique() for table in tables]
    assert [fold["test"].tolist() for fold in speakers[:2]] == [["05", "12", "17", "20"], ["03", "04", "11", "14"]]
    assert [fold["validation"].tolist() for fold in speakers[:2]] == [["08", "15"], ["17", "20"]]


@pytest.mark.parametrize("k", [2, 5, 7])
def test_clips_are_dealt_as_evenly_as_scikit_learn_does(k):
    """Fold by fold as many clips, and of each emotion within one, as StratifiedKFold has them."""
    manifest = manifest_from([7, 9, 4, 5, 10])
    manifest = manifest.drop(index=manifest.index[manifest["emotion"] == "sad"][:11]).reset_index(drop=True)
    parts = [table["part"] == "test" for table in folds(manifest, "k-fold", k=k, validation=0)]
    theirs = [test for _, test in StratifiedKFold(k).split(manifest, manifest["emotion"])]
    assert sorted(part.sum() for part in parts) == sorted(map(len, theirs))
    counts = pd.DataFrame([manifest["emotion"][part].value_counts() for part in parts])
    assert (counts.max() - counts.min() <= 1).all()


@settings(deadline=None, max_examples=15)
@given(clips=st.lists(st.integers(1, 20), min_size=4, max_size=14), k=st.integers(2, 4), seed=st.integers(0, 99))
@example(clips=[2, 3, 2, 3, 2], k=2, seed=0)
def test_speakers_are_dealt_no_less_evenly_than_scikit_learn_does(clips, k, seed):
    manifest = manifest_from(clips, emotions=("sad",)).assign(gender="female")

    def spread(sizes):
        return np.square(np.array(sizes) - len(manifest) / k).sum()

    ours = [(table["part"] == "test").sum() for table in folds(manifest, "speaker-k-fold", k, 0, seed)]
    splitter = StratifiedGroupKFold(k)
    theirs = [len(test) for _, test in splitter.split(manifest, manifest["emotion"], manifest["speaker"])]
    assert spread(ours) <= spread(theirs)


def test_groups_of_speakers_are_balanced_in_gender(made_up):
    """24 actors in 5 folds: 5, 5, 5, 5 and 4 of them; women and men differ by at most one in each."""
    for seed in range(3):
        tables = folds(made_up(), "speaker-k-fold", k=5, seed=seed)
        actors = [table[table["part"] == "test"].drop_duplicates("speaker") for table in tables]
        assert sorted(map(len, actors)) == [4, 5, 5, 5, 5]
        assert all(abs((fold["gender"] == "female").sum() - (fold["gender"] == "male").sum()) <= 1 for fold in actors)


def test_speakers_left_out_are_those_of_scikit_learn():
    manifest = manifest_from([5, 3, 8, 6])
    ours = [np.flatnonzero(table["part"] == "test").tolist() for table in folds(manifest, "leave-one-speaker-out")]
    theirs = LeaveOneGroupOut().split(manifest, groups=manifest["speaker"])
    assert ours == [test.tolist() for _, test in theirs]


def test_sessions_left_out_are_whole(made_up):
    tables = folds(manifest_from([4] * 10), "leave-one-session-out", validation=0.25)
    assert [set(table["session"][table["part"] == "test"]) for table in tables] == [{str(i)} for i in range(5)]
    for table in tables:
        # A quarter of the eight speakers that are left, one woman and one man.
        assert sorted(table[table["part"] == "validation"].drop_duplicates("speaker")["gender"]) == ["female", "male"]


def test_speakers_of_several_sessions_are_refused():
    manifest = manifest_from([4] * 6).assign(speaker=["a", "b"] * 36)
    with pytest.raises(ValueError, match=r"each speaker in one part"):
        folds(manifest, "leave-one-session-out", validation=0)


def test_copies_of_a_recording_stay_together(write_clip):
    """Each of six recordings of each emotion is there twice, so a fold of two has three of them, six clips."""
    rows = [
        {
            "path": str(write_clip(f"{copy}/{emotion}-{i}.wav", seconds=0.02, seed=10 * len(emotion) + i)),
            "emotion": emotion,
            "speaker": str(copy),
            "corpus": "c",
        }
        for copy, emotion, i in itertools.product(range(2), ("sad", "happy"), range(6))
    ]
    tables = folds(pd.DataFrame(rows), "k-fold", k=2, validation=0.4)
    for table in tables:
        name = table["path"].str.rsplit("/", n=1).str[1]
        assert (table.groupby(name)["part"].nunique() == 1).all()
        assert table[table["part"] == "test"]["emotion"].value_counts().to_dict() == {"sad": 6, "happy": 6}
    with pytest.raises(ValueError, match=r"same recording under two speakers"):
        folds(pd.DataFrame(rows), "speaker-k-fold", k=2)


def test_attributes_of_the_manifest_are_kept():
    manifest = manifest_from([4] * 6)
    manifest.attrs["skipped"] = [{"path": "/x", "reason": "no"}]
    assert all(table.attrs == manifest.attrs for table in folds(manifest, k=3))


def test_every_kind_is_known_to_the_leak_check():
    assert set(KINDS_OF_FOLDS) < set(KINDS)


@pytest.mark.parametrize("kind", ["random", "folds", None, 3])
def test_unknown_kind_lists_the_known_ones(kind):
    with pytest.raises(ValueError, match=r"`kind` must be one of 'fold-file', 'k-fold', .* Received: kind="):
        folds(manifest_from([4] * 6), kind)


@pytest.mark.parametrize("k", [1, 0, -3, 2.5, "5", None, True])
def test_impossible_k_is_refused(k):
    with pytest.raises(ValueError, match=r"`k` must be a whole number of folds, 2 or more\. Received: k="):
        folds(manifest_from([4] * 6), k=k)


@pytest.mark.parametrize("validation", [-0.1, 1.5, float("nan"), float("inf"), "0.1", None, True])
def test_impossible_validation_is_refused(validation):
    with pytest.raises(ValueError, match=r"`validation` must be a share .* Received: validation="):
        folds(manifest_from([4] * 6), validation=validation)


def test_validation_leaves_something_to_train_on():
    manifest = manifest_from([4] * 3)
    with pytest.raises(
        ValueError, match=r"`validation` must leave something to train on.* Received: validation=2, of 2 "
    ):
        folds(manifest, "leave-one-speaker-out", validation=2)
    with pytest.raises(ValueError, match=r"`validation` must leave something.* of 1 speakers that are not tested on"):
        folds(manifest_from([4, 4]), "leave-one-speaker-out")
    assert len(folds(manifest_from([4, 4]), "leave-one-speaker-out", validation=0)) == 2
    with pytest.raises(ValueError, match=r"at least a clip of each of the 3 emotions.* Received: 2 of 18 clips"):
        folds(manifest, "k-fold", k=2, validation=2)


def test_more_folds_than_there_is_to_divide():
    with pytest.raises(ValueError, match=r"`k` must be at most the number of speakers, 3\. Received: k=4"):
        folds(manifest_from([4] * 3), k=4)
    with pytest.raises(
        ValueError, match=r"at least 13 different clips of each emotion, one for each fold.* angry \(12\)"
    ):
        folds(manifest_from([4] * 3), "k-fold", k=13)


def test_one_speaker_or_session_can_not_be_left_out():
    with pytest.raises(ValueError, match=r"at least 2 speakers to leave one out\. Received: \['c/00'\]"):
        folds(manifest_from([4]), "leave-one-speaker-out")
    with pytest.raises(ValueError, match=r"at least 2 sessions to leave one out\. Received: \['c/0'\]"):
        folds(manifest_from([4, 4]), "leave-one-session-out")


def test_unknown_speakers_and_sessions_are_refused():
    manifest = manifest_from([4] * 6)
    manifest.loc[:2, ["speaker", "session"]] = pd.NA
    with pytest.raises(ValueError, match=r"`speaker` must be known.* Received: 3 of 72 clips without a speaker"):
        folds(manifest)
    with pytest.raises(ValueError, match=r"`session` must be known.* Received: 3 of 72 clips without a session"):
        folds(manifest, "leave-one-session-out")
    with pytest.raises(ValueError, match=r"`session` must be known.* Received: 72 of 72 clips"):
        folds(manifest.drop(columns="session"), "leave-one-session-out")


def test_clips_are_dealt_whoever_speaks_them(write_clip):
    """As in a crowd, where each clip has a speaker of its own; that two hold one recording is no obstacle here."""
    rows = [
        {"path": str(write_clip(f"{i}.wav", seconds=0.02, seed=min(i, 22))), "emotion": "sad", "speaker": str(i)}
        for i in range(24)
    ]
    for table in folds(pd.DataFrame(rows).assign(corpus="c"), "k-fold", k=2, validation=4):
        assert table["part"].value_counts().to_dict() == {"test": 12, "train": 8, "validation": 4}
        assert table["part"].iloc[22] == table["part"].iloc[23]


def test_a_fold_file_belongs_to_its_kind():
    for arguments in ({"kind": "fold-file"}, {"kind": "k-fold", "file": "folds.csv"}):
        with pytest.raises(ValueError, match=r"`file` must name a CSV of folds where kind is 'fold-file', and only"):
            folds(manifest_from([4] * 6), **arguments)
