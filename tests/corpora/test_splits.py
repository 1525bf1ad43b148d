"""A split keeps apart what it promises to, comes out the same everywhere, and says when it can't be done."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sertk.corpora import check_split, speakers_apart, split

PARTS = ["train", "validation", "test"]


def manifest_from(clips_of_speakers, corpus="c"):
    """A manifest of one emotion and gender in which speaker i has so many clips."""
    rows = [(f"/d/{i:02d}/{j}.wav", f"{i:02d}") for i, clips in enumerate(clips_of_speakers) for j in range(clips)]
    table = pd.DataFrame(rows, columns=["path", "speaker"])
    return table.assign(emotion="sad", gender="female", corpus=corpus)


@settings(deadline=None, max_examples=25)
@given(clips=st.lists(st.integers(1, 30), min_size=3, max_size=12), seed=st.integers(0, 2**32 - 1))
def test_no_speaker_is_in_two_parts(clips, seed):
    table = split(manifest_from(clips), kind="speaker", seed=seed)
    assert (table.groupby("speaker")["part"].nunique() == 1).all()
    assert set(table["part"]) == set(PARTS)


@settings(deadline=None, max_examples=15)
@given(clips=st.lists(st.integers(1, 30), min_size=3, max_size=6), seed=st.integers(0, 99))
@example(clips=[1, 1, 6, 6, 27, 27], seed=0)
def test_sizes_are_the_nearest_there_are(clips, seed):
    """Against all 3^n assignments of the speakers: where only sizes count, none comes nearer to 60/20/20."""
    wanted = np.array([0.6, 0.2, 0.2]) * sum(clips)

    def miss(parts):
        sizes = [sum(size for size, its in zip(clips, parts, strict=True) if its == part) for part in PARTS]
        return np.inf if 0 in sizes else np.square(sizes - wanted).sum()

    table = split(manifest_from(clips), fractions=(0.6, 0.2, 0.2), seed=seed)
    assert miss(table.groupby("speaker")["part"].first()) == pytest.approx(
        min(map(miss, itertools.product(PARTS, repeat=len(clips))))
    )


def test_genders_and_emotions_are_balanced(made_up):
    """24 actors, half of them women, each with the same clips: every part can be half women, so it has to be."""
    for seed in range(5):
        table = split(made_up(), seed=seed)
        assert (
            table.groupby("part")["gender"].value_counts().unstack()[["female", "male"]].diff(axis=1)["male"] == 0
        ).all()
        assert table["part"].value_counts(normalize=True)["train"] == pytest.approx(0.8, abs=0.05)
        shares = table.groupby("part")["emotion"].value_counts(normalize=True)
        np.testing.assert_allclose(shares, 0.25)


def test_emotions_are_balanced_where_speakers_differ():
    """Of ten speakers five are only sad and five only angry: halves of each in every part of 60/20/20."""
    manifest = manifest_from([6] * 10)
    manifest["emotion"] = np.where(manifest["speaker"].astype(int) < 5, "sad", "angry")
    table = split(manifest, fractions=(0.6, 0.2, 0.2))
    counts = table.groupby(["part", "emotion"]).size().unstack()
    assert counts.loc["train"].tolist() == [18, 18]
    assert counts.loc["validation"].tolist() == counts.loc["test"].tolist() == [6, 6]


def test_same_name_in_two_corpora_is_two_speakers(made_up):
    both = pd.concat([made_up(speakers=2, corpus="a"), made_up(speakers=2, corpus="b", root="/other")])
    table = split(both, fractions=(0.5, 0.25, 0.25))
    assert table.groupby(["corpus", "speaker"])["part"].first().value_counts().to_dict() == {
        "train": 2,
        "validation": 1,
        "test": 1,
    }


def test_random_split_is_stratified_and_exact(made_up):
    """1,440 clips as RAVDESS has them: 80/10/10 is 1,152/144/144, and each emotion within a clip of its share."""
    manifest = made_up(speakers=24, emotions=tuple("abcdefg"), clips=8)
    manifest = pd.concat([manifest, made_up(speakers=24, emotions=("neutral",), clips=4)], ignore_index=True)
    table = split(manifest, kind="random", seed=3)
    assert table["part"].value_counts().to_dict() == {"train": 1152, "validation": 144, "test": 144}
    found = table.groupby(["emotion", "part"]).size().unstack()
    wanted = np.outer(table["emotion"].value_counts()[found.index], [0.1, 0.8, 0.1])
    assert (np.abs(found - wanted) <= 1).all(axis=None)


@pytest.mark.parametrize("kind", ["random", "speaker"])
def test_independent_of_row_order_and_of_the_folder(made_up, kind):
    manifest = made_up(speakers=9)
    parts = split(manifest, kind, seed=1).set_index("path")["part"]
    shuffled = manifest.sample(frac=1, random_state=0)
    table = split(shuffled, kind, seed=1)
    assert table.index.tolist() == shuffled.index.tolist()
    pd.testing.assert_series_equal(table.set_index("path")["part"].loc[parts.index], parts)
    moved = split(made_up(speakers=9, root="/zoo/of/voices"), kind, seed=1)
    assert moved["part"].tolist() == parts.tolist()


@pytest.mark.skipif(int(pd.__version__.partition(".")[0]) > 3, reason="pandas 4 has strings alone")
@pytest.mark.filterwarnings("ignore:The 'future.infer_string' option is deprecated")
@pytest.mark.parametrize("kind", ["random", "speaker"])
def test_the_same_where_pandas_keeps_strings_as_objects(made_up, kind):
    """As pandas 2 does, which Google Colab has."""
    parts = split(made_up(speakers=9), kind)["part"].tolist()
    with pd.option_context("future.infer_string", False):
        assert split(made_up(speakers=9), kind)["part"].tolist() == parts


@pytest.mark.parametrize("kind", ["random", "speaker"])
def test_seed_changes_the_split(made_up, kind):
    manifest = made_up()
    assert split(manifest, kind, seed=0)["part"].tolist() != split(manifest, kind, seed=1)["part"].tolist()


def test_choice_is_that_of_every_other_machine(made_up):
    """Pinned: whoever changes it changes what published results refer to."""
    table = split(made_up(), seed=0)
    speakers = table.groupby("part")["speaker"].unique()
    assert speakers["validation"].tolist() == ["01", "22"]
    assert speakers["test"].tolist() == ["13", "16"]


def test_manifest_is_kept_as_it_was(made_up):
    manifest = made_up(speakers=4)
    manifest.attrs["skipped"] = [{"path": "/x", "reason": "no"}]
    before = manifest.copy()
    table = split(manifest)
    pd.testing.assert_frame_equal(manifest, before)
    pd.testing.assert_frame_equal(table.drop(columns="part"), before)
    assert table.attrs == before.attrs


def test_unknown_gender_is_no_obstacle(made_up):
    manifest = made_up(speakers=4)
    assert set(split(manifest.assign(gender=pd.NA))["part"]) == set(PARTS)
    assert set(split(manifest.drop(columns="gender"))["part"]) == set(PARTS)


@pytest.mark.parametrize("seed", range(3))
def test_twins_stay_together(write_clip, seed):
    """Of ten recordings of each emotion one is there twice; a split that ignored it would part them sooner or later."""
    rows = []
    for emotion, number in itertools.product(("sad", "happy"), range(11)):
        path = write_clip(f"{emotion}/{number}.wav", seed=100 * len(emotion) + min(number, 9))
        rows.append({"path": str(path), "emotion": emotion, "speaker": "1", "corpus": "c"})
    table = split(pd.DataFrame(rows), kind="random", fractions=(0.5, 0.25, 0.25), seed=seed)
    parts = dict(zip(table["path"].str.split("/").str[-2:].str.join("/"), table["part"], strict=True))
    for emotion in ("sad", "happy"):
        assert parts[f"{emotion}/9.wav"] == parts[f"{emotion}/10.wav"]


def copies(write_clip, recordings, of_each):
    """A manifest of two emotions in which each recording is there so many times, under other names and folders."""
    rows = []
    for emotion, number, copy in itertools.product(("sad", "happy"), range(recordings), range(of_each)):
        path = write_clip(f"{copy}/{emotion}-{number}.wav", seconds=0.02, seed=1000 * len(emotion) + number)
        rows.append({"path": str(path), "emotion": emotion, "speaker": "1", "corpus": "c"})
    return pd.DataFrame(rows)


def test_a_corpus_of_nothing_but_copies_is_drawn_by_recording(write_clip):
    """As the copy of RAVDESS on Kaggle, which holds every clip twice: 80/10/10 of 20 recordings, two files each."""
    table = split(copies(write_clip, 10, 2), kind="random")
    counts = table.groupby(["emotion", "part"]).size().unstack()
    assert (counts[["train", "validation", "test"]] == [16, 2, 2]).all(axis=None)
    name = table["path"].str.rsplit("/", n=1).str[1]
    assert (table.groupby(name)["part"].nunique() == 1).all()


def test_counts_that_copies_can_not_give_are_refused(write_clip):
    manifest = copies(write_clip, 5, 2)
    table = split(manifest, kind="random", fractions=(16, 4))
    assert table["part"].value_counts().to_dict() == {"train": 16, "test": 4}
    with pytest.raises(ValueError, match=r"copies of a recording stay together.* Received: fractions=\(15, 5\); \("):
        split(manifest, kind="random", fractions=(15, 5))


def test_one_recording_of_two_speakers_is_refused(write_clip):
    paths = [str(write_clip(f"{i}.wav", seed=min(i, 3))) for i in range(5)]
    manifest = pd.DataFrame({"path": paths, "emotion": "sad", "speaker": list("abcde"), "corpus": "c"})
    with pytest.raises(ValueError, match=r"same recording under two speakers.* 1 such .* under c/d and c/e"):
        split(manifest)


@pytest.mark.parametrize(
    "fractions",
    [
        (0.8, 0.1),
        (0.8, 0.1, 0.2),
        (1.0, 0.0, 0.0),
        (1.2, -0.1, -0.1),
        (0.8, 0.1, float("nan")),
        (16, 8, 0),
        (10.5, 8.5, 5),
        (8, 6, 5, 5),
        (1.0,),
        "abc",
        None,
        0.8,
    ],
)
def test_impossible_fractions_are_refused(made_up, fractions):
    with pytest.raises(
        ValueError, match=r"`fractions` must be three numbers above 0 that sum to 1.* Received: fractions="
    ):
        split(made_up(), fractions=fractions)


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, "0", None, True])
def test_impossible_seed_is_refused(made_up, seed):
    with pytest.raises(ValueError, match=r"`seed` must be a whole number from 0 to .* Received: seed="):
        split(made_up(), seed=seed)


@pytest.mark.parametrize("kind", ["speakers", None, 5])
def test_unknown_kind_lists_the_known_ones(made_up, kind):
    with pytest.raises(ValueError, match=r"`kind` must be one of 'random', 'speaker'\. Received: kind="):
        split(made_up(), kind=kind)
    with pytest.raises(ValueError, match=r"`kind` must be one of"):
        check_split(made_up(), kind)


def ravdess_like(made_up):
    """The make-up of RAVDESS: 24 actors, 7 emotions of 192 clips and one of 96."""
    seven = made_up(emotions=("angry", "calm", "disgust", "fear", "happy", "sad", "surprise"), clips=8)
    return pd.concat([seven, made_up(emotions=("neutral",), clips=4)], ignore_index=True)


@pytest.mark.parametrize("fractions", [(0.8, 0.2), (1152, 288), (1152.0, 288.0)])
def test_clips_to_train_and_test_without_validation(made_up, fractions):
    """The 1,152 and 288 of paper 002."""
    table = split(ravdess_like(made_up), "random", fractions)
    assert table["part"].value_counts().to_dict() == {"train": 1152, "test": 288}
    counts = table[table["part"] == "test"]["emotion"].value_counts()
    assert counts.pop("neutral") in (19, 20)
    assert counts.between(38, 39).all()


@pytest.mark.parametrize("seed", range(4))
def test_counted_speakers_are_balanced_in_gender(made_up, seed):
    """The 10, 8 and 6 actors of paper 003, table 1: 600, 480 and 360 clips, half of women."""
    table = split(ravdess_like(made_up), "speaker", (10, 8, 6), seed)
    assert table["part"].value_counts().to_dict() == {"train": 600, "validation": 480, "test": 360}
    actors = table.drop_duplicates("speaker").groupby(["part", "gender"]).size().unstack()
    assert actors.loc[["train", "validation", "test"]].to_numpy().tolist() == [[5, 5], [4, 4], [3, 3]]


def test_two_speakers_are_enough_without_validation(made_up):
    table = split(made_up(speakers=2), fractions=(0.5, 0.5))
    assert table.groupby("part")["speaker"].nunique().to_dict() == {"test": 1, "train": 1}


def test_counts_must_sum_to_what_there_is(made_up):
    with pytest.raises(ValueError, match=r"must sum to the number of speakers, 24\. Received: .*, .* which is 23"):
        split(made_up(), "speaker", (10, 8, 5))
    with pytest.raises(ValueError, match=r"must sum to the number of clips, 384\. Received:"):
        split(made_up(), "random", (1152, 288))


def test_too_few_speakers(made_up):
    with pytest.raises(ValueError, match=r"at least 3 speakers.* kind='random'.* \['made-up/01', 'made-up/02'\]"):
        split(made_up(speakers=2))


def test_unknown_speakers(made_up):
    manifest = made_up()
    manifest.loc[:9, "speaker"] = pd.NA
    with pytest.raises(
        ValueError, match=r"kind='random', or load the corpus from a CSV with a speaker.* 10 of 384 clips"
    ):
        split(manifest)
    assert set(split(manifest, "random")["part"]) == set(PARTS)


def test_rare_emotion_can_not_be_stratified(made_up):
    manifest = made_up()
    manifest.loc[:1, "emotion"] = "boredom"
    with pytest.raises(ValueError, match=r"at least 3 different clips of each emotion.* Received: boredom \(2\)"):
        split(manifest, "random")


def test_part_too_small_for_all_emotions(made_up):
    with pytest.raises(ValueError, match=r"at least a clip of each of the 4 emotions.*'validation': 2"):
        split(made_up(speakers=1, clips=4), "random")


def test_clips_without_emotion(made_up):
    manifest = made_up()
    manifest.loc[0, "emotion"] = pd.NA
    with pytest.raises(ValueError, match=r"`emotion` must be known.* 1 clips without"):
        split(manifest)


def test_no_manifest(made_up):
    with pytest.raises(ValueError, match=r"must be a pandas DataFrame.* Received: list"):
        split([])
    with pytest.raises(ValueError, match=r"at least one clip to split"):
        split(made_up().head(0))
    with pytest.raises(ValueError, match=r"add speaker\. Received: columns="):
        split(made_up().drop(columns="speaker"))


@pytest.fixture
def table(made_up):
    """A sound split of four speakers: 01 and 02 train, 03 validates, 04 tests."""
    manifest = made_up(speakers=4, clips=1)
    return manifest.assign(
        part=manifest["speaker"].map({"01": "train", "02": "train", "03": "validation", "04": "test"})
    )


def test_sound_split_passes(table):
    check_split(table, "speaker")
    check_split(table, "random")


def test_validation_may_be_absent_only_when_asked_for(table):
    without = table[table["part"] != "validation"]
    check_split(without, "speaker", validation=False)
    check_split(table, "speaker", validation=False)
    with pytest.raises(ValueError, match=r"validation has none\."):
        check_split(without, "speaker")
    with pytest.raises(ValueError, match=r"each of train, test at least one clip; test has none\."):
        check_split(table[table["part"] != "test"], "speaker", validation=False)


@pytest.mark.parametrize("kind", ["speaker", "speaker-k-fold", "leave-one-speaker-out", "leave-one-session-out"])
def test_kinds_by_speaker_are_held_to_it(table, kind):
    check_split(table, kind)
    table.loc[0, "part"] = "validation"
    with pytest.raises(ValueError, match=r"each speaker in one part"):
        check_split(table, kind)


def test_speakers_apart_is_told(table):
    assert speakers_apart(table) is True
    table.loc[0, "part"] = "test"
    assert speakers_apart(table) is False
    table.loc[5, "speaker"] = pd.NA
    assert speakers_apart(table) is None


def test_shared_path_is_found(table):
    leak = pd.concat([table, table.tail(1).assign(part="train")])
    for kind in ("random", "speaker"):
        with pytest.raises(
            ValueError,
            match=r"each path in one part.* 1 in several, the first /data/04/sad-0\.wav \(in test and train\)",
        ):
            check_split(leak, kind)


def test_shared_speaker_is_found(table):
    table.loc[[0, 12], "part"] = "validation"
    with pytest.raises(
        ValueError, match=r"each speaker in one part.* 2 in several, the first made-up/01 \(in train and val"
    ):
        check_split(table, "speaker")
    check_split(table, "random")


def test_shared_recording_is_found(write_clip):
    paths = [str(write_clip(f"{i}.wav", seed=min(i, 2))) for i in range(4)]
    table = pd.DataFrame({"path": paths, "part": ["train", "validation", "train", "test"]})
    with pytest.raises(ValueError, match=r"each recording in one part.* the first .*2\.wav \(in test and train\)"):
        check_split(table, "random")


def test_other_words_and_empty_parts_are_refused(table):
    with pytest.raises(ValueError, match=r"only the words train, validation, test\. Received: dev"):
        check_split(table.replace({"part": {"validation": "dev"}}), "random")
    with pytest.raises(ValueError, match=r"only the words .* Received: \(none\)"):
        check_split(table.assign(part=pd.NA), "random")
    with pytest.raises(ValueError, match=r"validation has none\. Received: \{'train': 12, 'test': 4\}"):
        check_split(table.replace({"part": {"validation": "train"}}), "random")
    with pytest.raises(ValueError, match=r"`table` must have the columns path, part; add part"):
        check_split(table.drop(columns="part"), "random")
