"""Few labels: as many as asked for, some of each emotion, the fewer among the more, the same everywhere."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.corpora import keep_labels, load, split
from sertk.corpora.splits.few_labels import _drawn

SHARES = (0.01, 0.05, 0.1, 1.0)


def manifest_from(counts):
    """A training part with so many clips of each emotion, and a speaker each for validation and test."""
    rows = [
        (f"/d/{part}/{emotion}-{i}.wav", f"e{emotion}", part, part)
        for emotion, count in enumerate(counts)
        for part, clips in (("train", count), ("validation", 1), ("test", 2))
        for i in range(clips)
    ]
    return pd.DataFrame(rows, columns=["path", "emotion", "speaker", "part"], dtype="string").assign(corpus="c")


def kept(table):
    """How many training clips of each emotion keep their labels."""
    return table[table["part"] == "train"].groupby("emotion")["labelled"].sum()


counts = st.lists(st.integers(1, 60), min_size=1, max_size=8)
shares = st.floats(0, 1, exclude_min=True)
seeds = st.integers(0, 2**32 - 1)


@settings(deadline=None, max_examples=60)
@given(counts, shares, seeds)
def test_as_many_as_asked_for_and_one_of_each_emotion(counts, share, seed):
    found = kept(keep_labels(manifest_from(counts), share, seed))
    assert found.sum() == max(round(share * sum(counts)), len(counts))
    assert found.min() >= 1
    assert (found.to_numpy() <= counts).all()


@settings(deadline=None, max_examples=60)
@given(counts, shares, shares, seeds)
def test_the_clips_of_a_share_are_among_those_of_a_larger_one(counts, share, other, seed):
    few, more = (keep_labels(manifest_from(counts), one, seed)["labelled"] for one in sorted((share, other)))
    assert (more | ~few).all()
    assert keep_labels(manifest_from(counts), 1.0, seed)["labelled"].all()


@settings(deadline=None, max_examples=60)
@given(counts, shares, seeds)
def test_no_emotion_has_a_better_claim_to_a_label_that_another_one_has(counts, share, seed):
    """What Webster's method is known by: n / (2k + 1) of no emotion with k clips is above n / (2k - 1) of another one,
    but for those that have one clip, which are promised it."""
    found = kept(keep_labels(manifest_from(counts), share, seed))
    for (n, k), (other_n, other_k) in itertools.permutations(zip(counts, found, strict=True), 2):
        assert other_k == 1 or n * (2 * other_k - 1) <= other_n * (2 * k + 1)


def test_growing_by_a_clip_takes_none_from_an_emotion():
    """6, 6 and 2 of 14 clips: the largest remainder gives 4, 4, 2 of 10 labels and 5, 5, 1 of 11, which no draw of 10
    can be among. Webster's quotients after the first of each: 2, 2, 6/5, 6/5, 6/7, 6/7, 2/3, 2/3 (of 6 and 6 and of 2),
    so 4, 4, 1 of 9, and then 2/3 three times."""
    table = manifest_from([6, 6, 2])
    assert kept(keep_labels(table, 9 / 14)).tolist() == [4, 4, 1]
    assert sorted(kept(keep_labels(table, 12 / 14))) == [2, 5, 5]
    ten, eleven = (kept(keep_labels(table, labels / 14)) for labels in (10, 11))
    assert (ten <= eleven).all()


@pytest.mark.parametrize(("share", "seven", "neutral"), [(0.05, {6, 7}, {3}), (0.1, {12, 13}, {6}), (1.0, {128}, {64})])
def test_shares_of_ravdess(made_up, share, seven, neutral):
    """16 actors, eight clips of seven emotions and four of neutral: 5 % are 6.4 and 3.2, 10 % are 12.8 and 6.4."""
    few = keep_labels(ravdess_like(made_up), share)
    found = kept(few)
    assert found.sum() == 960 * share
    assert found.pop("neutral") in neutral
    assert set(found) <= seven
    assert few[few["part"] != "train"]["labelled"].all()
    assert few["labelled"].dtype == bool


def test_one_percent_of_ravdess_is_one_clip_of_each_emotion_and_two_of_two(made_up):
    """9.6 clips, so 10. Neutral has half the clips of the others and so not two: its claim is 64/3, theirs 128/3."""
    table = ravdess_like(made_up)
    drawn = [kept(keep_labels(table, 0.01, seed)) for seed in range(9)]
    more = {tuple(found.index[found == 2]) for found in drawn}
    assert all(found.sum() == 10 for found in drawn)
    assert all(len(two) == 2 and "neutral" not in two for two in more)
    assert len(more) > 1  # which of the seven it is, is drawn


def ravdess_like(made_up):
    """24 actors in 16, 4 and 4, with the emotions of RAVDESS."""
    emotions = ("angry", "calm", "disgust", "fear", "happy", "sad", "surprise")
    both = [made_up(emotions=emotions, clips=8), made_up(emotions=("neutral",), clips=4)]
    return split(pd.concat(both, ignore_index=True), fractions=(16, 4, 4))


def test_all_clips_of_an_emotion_are_as_likely():
    """One of 20 clips of each emotion is drawn 2,000 times: each 100 times, but for chance (5 sigma is 49)."""
    emotions, recording = np.array(["sad"] * 20 + ["happy"] * 20, dtype=object), np.arange(40)
    drawn = [_drawn(emotions, recording, np.random.RandomState(seed))[:2] for seed in range(2000)]
    assert np.abs(np.bincount(np.ravel(drawn), minlength=40) - 100).max() < 49


def test_independent_of_row_order_and_of_the_folder(made_up):
    table = split(made_up(speakers=9), seed=1)
    expected = keep_labels(table, 0.1, seed=3).set_index("path")["labelled"]
    shuffled = table.sample(frac=1, random_state=0)
    few = keep_labels(shuffled, 0.1, seed=3)
    pd.testing.assert_frame_equal(few.drop(columns="labelled"), shuffled)
    pd.testing.assert_series_equal(few.set_index("path")["labelled"].loc[expected.index], expected)
    moved = keep_labels(split(made_up(speakers=9, root="/zoo/of/voices"), seed=1), 0.1, seed=3)
    assert moved["labelled"].tolist() == expected.tolist()


def test_what_is_measured_on_does_not_change_the_draw(made_up):
    table = split(made_up(speakers=9), seed=1)
    train = table["part"] == "train"
    alone = keep_labels(table[train], 0.1)["labelled"]
    assert keep_labels(table, 0.1)["labelled"][train].tolist() == alone.tolist()


def test_choice_is_that_of_every_other_machine(made_up):
    """Pinned: whoever changes it changes what published results refer to."""
    few = keep_labels(split(made_up(), seed=0), 0.02, seed=0)
    chosen = few[few["labelled"] & (few["part"] == "train")]["path"].str.removeprefix("/data/")
    assert chosen.tolist() == [
        "04/happy-0.wav",
        "05/sad-0.wav",
        "06/happy-0.wav",
        "14/neutral-3.wav",
        "15/angry-0.wav",
        "18/neutral-0.wav",
    ]


def test_another_seed_draws_other_clips(made_up):
    table = split(made_up())
    draws = {tuple(keep_labels(table, 0.05, seed)["labelled"]) for seed in range(5)}
    assert len(draws) == 5


def test_the_table_is_kept_as_it_was(made_up):
    table = split(made_up(speakers=4))
    table.attrs["skipped"] = [{"path": "/x", "reason": "no"}]
    before = table.copy()
    few = keep_labels(table, 0.5)
    pd.testing.assert_frame_equal(table, before)
    assert few.attrs == before.attrs
    again = keep_labels(few.assign(labelled="old"), 0.5)
    pd.testing.assert_frame_equal(again, few)


@pytest.mark.parametrize("seed", range(4))
def test_copies_of_a_recording_are_drawn_together(write_clip, seed):
    """Ten recordings of each emotion, each twice: of 8 in 40 clips, 4 of each emotion are 2 recordings."""
    rows = [
        {"path": str(write_clip(f"{copy}/{emotion}-{i}.wav", seconds=0.02, seed=100 * len(emotion) + i))}
        | {"emotion": emotion, "recording": f"{emotion}-{i}"}
        for copy, emotion, i in itertools.product(("a", "b"), ("sad", "happy"), range(10))
    ]
    table = pd.DataFrame(rows).assign(speaker="1", corpus="c", part="train")
    for share, each in ((0.2, 4), (0.15, 4), (0.1, 2)):  # 3 clips of an emotion are 2 recordings as well
        few = keep_labels(table, share, seed)
        assert (few.groupby("recording")["labelled"].nunique() == 1).all()
        assert few.groupby("emotion")["labelled"].sum().tolist() == [each, each]


@pytest.mark.parametrize("share", [0, -0.1, 1.01, 5, float("nan"), "0.1", None, True])
def test_impossible_share_is_refused(made_up, share):
    message = r"`share` must be a number above 0 and at most 1: .* Received: share="
    with pytest.raises(ValueError, match=message):
        keep_labels(split(made_up()), share)


def test_impossible_seed_and_kind_are_refused(made_up):
    with pytest.raises(ValueError, match=r"`seed` must be a whole number from 0 .* Received: seed=-1"):
        keep_labels(split(made_up()), 0.1, seed=-1)
    with pytest.raises(ValueError, match=r"`kind` must be one of .* Received: kind='speakers'"):
        keep_labels(split(made_up()), 0.1, kind="speakers")


def test_a_table_that_is_not_divided_is_refused(made_up):
    with pytest.raises(ValueError, match=r"`table` must have .*part"):
        keep_labels(made_up(), 0.1)
    with pytest.raises(ValueError, match=r"at least one clip; train has none"):
        keep_labels(made_up().assign(part="test"), 0.1)


def test_speakers_who_are_measured_on_are_refused_unless_the_split_says_so(made_up):
    table = split(made_up(), kind="random")
    with pytest.raises(ValueError, match=r"must keep each speaker in one part.* Received: 23 in several, .*made-up/01"):
        keep_labels(table, 0.1)
    assert kept(keep_labels(table, 0.1, kind="random")).sum() == round(0.1 * (table["part"] == "train").sum())


def test_an_emotion_without_a_training_clip_is_told(made_up):
    table = split(made_up())
    table = table[(table["part"] != "train") | ~table["emotion"].isin(["sad", "angry"])]
    message = r"must have a training clip of each emotion.* Received: no training clip of angry, sad$"
    with pytest.raises(ValueError, match=message):
        keep_labels(table, 0.1)


def test_clips_without_an_emotion_are_told(made_up):
    table = split(made_up())
    table.loc[table.index[:3], "emotion"] = pd.NA
    with pytest.raises(ValueError, match=r"`emotion` must be known for each clip.* Received: 3 clips"):
        keep_labels(table, 0.1)


def test_ravdess_by_speaker(ravdess_dir):
    """960 clips of 16 actors; the recording that is there under two names keeps both labels or none."""
    table = split(load("ravdess", ravdess_dir), fractions=(16, 4, 4))
    counted = [kept(keep_labels(table, share)).sum() for share in SHARES]
    np.testing.assert_allclose(counted, [10, 48, 96, 960], atol=1)
    twins = table[table["path"].str.contains("03-01-03-01-02-0[12]-07")].index
    assert len(twins) == 2
    assert all(keep_labels(table, 0.1, seed).loc[twins, "labelled"].nunique() == 1 for seed in range(8))
