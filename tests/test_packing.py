"""Clips with their neighbours: joined by clip, whatever the order, the copies and the length of the batch."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.audio import FixedLength, MaximumLength, WaveformCache, read
from sertk.pipeline import Clips

FIVE = pd.DataFrame({"path": list("abcde"), "emotion": ["happy", "sad", "happy", "sad", "happy"]})
CLASSES = ["happy", "sad"]
# Clip 0 is near 1 and 2, clip 3 near 4; where there is no second neighbour, the clip itself stands with no weight.
NEAR = np.array([[1, 2], [0, 1], [0, 2], [4, 3], [3, 4]])
WEIGHTS = np.array([[0.9, 0.8], [0.9, 0], [0.8, 0], [0.7, 0], [0.7, 0]], "float32")


def packed(features, neighbors=(NEAR, WEIGHTS), manifest=FIVE, **options):
    return Clips(manifest, CLASSES, features=features, neighbors=neighbors, **options)


def all_of(clips, epoch=0):
    clips.epoch.assign(epoch)
    batches = list(clips.dataset.as_numpy_iterator())
    examples = {name: np.concatenate([x[name] for x, _ in batches]) for name in batches[0][0]}
    return examples, np.concatenate([y for _, y in batches])


@settings(deadline=None, max_examples=25)
@given(batch_size=st.integers(1, 7), seed=st.integers(0, 2**31 - 1), epoch=st.integers(0, 9))
def test_each_clip_has_its_own_neighbours_and_weights_in_any_order(batch_size, seed, epoch):
    """A clip's one feature is ten times its number, so who stands beside whom can be read off."""
    features = np.arange(5, dtype="float32")[:, None] * 10
    examples, labels = all_of(packed(features, batch_size=batch_size, shuffle=True, seed=seed), epoch)
    clip = (examples["features"][:, 0] / 10).astype(int)
    assert sorted(clip) == [0, 1, 2, 3, 4]
    for number in range(2):
        np.testing.assert_array_equal(examples[f"NL_nbr_{number}_features"][:, 0], 10 * NEAR[clip, number])
        np.testing.assert_array_equal(examples[f"NL_nbr_{number}_weight"], WEIGHTS[clip, number : number + 1])
    assert [CLASSES[place] for place in labels.argmax(axis=1)] == [FIVE["emotion"][number] for number in clip]


def test_the_names_are_those_that_nsl_unpacks():
    """`unpack_neighbor_features` of neural-structured-learning takes the dict as it is."""
    from sertk.learning import nsl

    examples, _ = next(iter(packed(np.arange(5, dtype="float32")[:, None]).dataset))
    config = nsl.configs.GraphNeighborConfig(max_neighbors=2)
    clips, neighbors, weights = nsl.unpack_neighbor_features(examples, config)
    assert list(clips) == ["features"]
    np.testing.assert_array_equal(np.ravel(clips["features"]), [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(np.ravel(neighbors["features"]), NEAR.ravel())
    np.testing.assert_array_equal(np.ravel(weights), WEIGHTS.ravel())


def test_what_stands_beside_a_clip_comes_with_its_neighbours_too():
    features, embeddings = np.zeros((5, 1), "float32"), np.arange(5, dtype="float32")[:, None]
    examples, _ = all_of(packed(features, beside={"embedding": embeddings}, batch_size=2))
    assert sorted(examples) == sorted(
        ["features", "embedding"]
        + [f"NL_nbr_{number}_{name}" for number in range(2) for name in ("features", "embedding", "weight")]
    )
    np.testing.assert_array_equal(examples["embedding"], embeddings)
    np.testing.assert_array_equal(examples["NL_nbr_1_embedding"][:, 0], NEAR[:, 1])


def test_without_neighbours_only_what_stands_beside_is_added():
    embeddings = np.arange(5, dtype="float32")[:, None]
    clips = Clips(FIVE, CLASSES, features=embeddings + 1, beside={"embedding": embeddings}, batch_size=2, shuffle=True)
    examples, labels = all_of(clips)
    np.testing.assert_array_equal(examples["features"], examples["embedding"] + 1)
    assert sorted(examples["embedding"][:, 0]) == [0, 1, 2, 3, 4]
    assert labels.shape == (5, 2)


ONES = np.ones((5, 1), "float32")


@pytest.mark.parametrize(
    ("beside", "message"),
    [
        (
            {"embedding": ONES[:4]},
            r"`beside` must hold arrays with a row for each clip.*embedding=\(4, 1\) for 5 clips",
        ),
        ({"embedding": ONES, "scale": np.float32(1)}, r"scale=\(\) for 5 clips"),
        ({"features": ONES}, "`beside` must have names of its own.*Received: features"),
        ({"lengths": ONES, "waveform": ONES}, "Received: lengths, waveform"),
    ],
)
def test_what_can_not_stand_beside_clips_is_refused(beside, message):
    with pytest.raises(ValueError, match=message):
        Clips(FIVE, CLASSES, features=ONES, beside=beside)


@pytest.mark.parametrize("rounds", [None, (1, 3)])
@pytest.mark.parametrize("cut", [None, MaximumLength()])
def test_heard_are_the_features_alone_once_each(cut, rounds):
    """Also of embeddings of clips of any length, which are one vector a clip."""
    features = np.arange(10, dtype="float32").reshape(5, 2)
    beside = {"embedding": features + 1}
    for more in ({}, {"beside": beside}, {"beside": beside, "neighbors": (NEAR, WEIGHTS)}):
        clips = Clips(FIVE, CLASSES, None, cut, features=features, batch_size=2, shuffle=True, rounds=rounds, **more)
        batches = list(clips.heard.as_numpy_iterator())
        np.testing.assert_array_equal(np.concatenate(batches), features)
        assert [len(batch) for batch in batches] == [2, 2, 1]


@pytest.fixture
def spoken(tiny_corpus, cache):
    """Three clips of the synthetic corpus, in a ring, from their files."""

    def make(cut, **options):
        manifest = tiny_corpus.iloc[:3]
        ring = np.array([[1], [2], [0]]), np.ones((3, 1), "float32")
        emotions = sorted(set(manifest["emotion"]))
        return manifest, Clips(manifest, emotions, WaveformCache(cache), cut, neighbors=ring, progress=False, **options)

    return make


def test_waveforms_bring_those_of_their_neighbours(spoken):
    manifest, clips = spoken(FixedLength(4_000, crop="start"), batch_size=2)
    examples, _ = all_of(clips)
    expected = np.stack([read(path)[:4_000] for path in manifest["path"]])
    np.testing.assert_array_equal(examples["waveform"], expected)
    np.testing.assert_array_equal(examples["NL_nbr_0_waveform"], expected[[1, 2, 0]])


def test_heard_are_the_waveforms_without_their_neighbours(spoken):
    """Of clips that are padded with their lengths, as they stand in a batch without neighbours."""
    manifest, clips = spoken(FixedLength(4_000, crop="start"), batch_size=2)
    sounds = [read(path) for path in manifest["path"]]
    np.testing.assert_array_equal(
        np.concatenate(list(clips.heard.as_numpy_iterator())), [sound[:4_000] for sound in sounds]
    )
    _, padded = spoken(MaximumLength(), batch_size=1, shuffle=True)
    for heard, own in zip(padded.heard.as_numpy_iterator(), sounds, strict=True):
        assert sorted(heard) == ["lengths", "waveform"]
        np.testing.assert_array_equal(heard["waveform"], own[None])
        assert heard["lengths"] == [len(own)]


def test_padded_clips_and_neighbours_share_one_length(spoken):
    """The longest of a batch, clips and neighbours alike, so that one pass of a network takes them all."""
    manifest, clips = spoken(MaximumLength(), batch_size=1)
    sounds = [read(path) for path in manifest["path"]]
    for (examples, _), own, near in zip(
        clips.dataset.as_numpy_iterator(), sounds, sounds[1:] + sounds[:1], strict=True
    ):
        longest = max(len(own), len(near))
        assert examples["lengths"] == [len(own)]
        assert examples["NL_nbr_0_lengths"] == [len(near)]
        np.testing.assert_array_equal(examples["waveform"][0], np.pad(own, (0, longest - len(own))))
        np.testing.assert_array_equal(examples["NL_nbr_0_waveform"][0], np.pad(near, (0, longest - len(near))))


def test_neighbours_of_noisy_copies_are_without_noise(spoken):
    manifest, clips = spoken(FixedLength(4_000, crop="start"), noisy_copies=2, batch_size=4)
    examples, _ = all_of(clips)
    clean = np.stack([read(path)[:4_000] for path in manifest["path"]])
    assert len(examples["waveform"]) == 9
    np.testing.assert_array_equal(examples["NL_nbr_0_waveform"], np.repeat(clean[[1, 2, 0]], 3, axis=0))
    assert not np.array_equal(examples["waveform"][1], clean[0])


@pytest.mark.parametrize(
    ("neighbors", "message"),
    [
        ((NEAR[:4], WEIGHTS[:4]), "a row for each clip"),
        ((NEAR, WEIGHTS[:, :1]), "a column for each neighbour"),
        ((NEAR[:, :0], WEIGHTS[:, :0]), "a column for each neighbour"),
        ((NEAR + 1, WEIGHTS), "0 to 4. Received: 1 to 5"),
        ((NEAR - 1, WEIGHTS), "0 to 4. Received: -1 to 3"),
    ],
)
def test_neighbours_that_are_no_clips_are_refused(neighbors, message):
    with pytest.raises(ValueError, match=message):
        packed(np.zeros((5, 1), "float32"), neighbors)
