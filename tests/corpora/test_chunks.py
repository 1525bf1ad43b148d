"""Chunks remember where they are from, stay with their clip, and are drawn evenly; the leaking form leaks."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from sertk.audio import WaveformCache
from sertk.corpora import cut_chunks, draw_chunks, scatter_chunks

RATE = 16_000


@pytest.fixture
def corpus(tmp_path):
    """Twelve clips of two emotions and three speakers: half a second of silence, then of a tone, then of silence."""
    rows = []
    for number in range(12):
        tone = 0.5 * np.sin(2 * np.pi * (100 + 20 * number) * np.arange(RATE // 2) / RATE)
        path = tmp_path / f"{number:02d}.wav"
        soundfile.write(path, np.concatenate([np.zeros(RATE // 2), tone, np.zeros(RATE // 2)]), RATE)
        emotion, speaker = ("angry", "sad")[number % 2], str(number % 3)
        rows.append({"path": str(path), "emotion": emotion, "speaker": speaker, "gender": pd.NA, "corpus": "mine"})
    return pd.DataFrame(rows, dtype="string")


@pytest.fixture
def waveforms(tmp_path):
    return WaveformCache(tmp_path / "cache")


def test_each_chunk_has_its_clips_row_and_a_place_in_the_tone(corpus, waveforms):
    chunks = cut_chunks(corpus, waveforms, seconds=0.05, progress=False)
    by_clip = chunks.groupby("path")
    assert by_clip.ngroups == 12
    # Half a second has ten chunks of 50 ms, but for what the frames at its ends add.
    assert by_clip.size().between(9, 11).all()
    assert chunks["chunk_start"].between(0.5 * RATE - 600, RATE - 0.05 * RATE + 600).all()
    assert set(chunks["duration"]) == {0.05}
    merged = chunks.merge(corpus, on="path", suffixes=("", "_clip"))
    for column in ("emotion", "speaker", "corpus"):
        assert (merged[column] == merged[f"{column}_clip"]).all()


def test_a_split_of_clips_is_one_of_chunks(corpus, waveforms):
    parts = np.array(["train", "validation", "test"])[np.arange(12) % 3]
    chunks = cut_chunks(corpus.assign(part=parts), waveforms, progress=False)
    assert (chunks.groupby("path")["part"].nunique() == 1).all()
    assert (chunks.groupby("speaker")["part"].nunique() == 1).all()


def test_drawn_evenly_from_the_emotions_and_the_same_for_the_same_seed(corpus, waveforms):
    parts = np.array(["train", "train", "validation", "test"])[np.arange(12) // 2 % 4]
    chunks = cut_chunks(corpus.assign(part=parts), waveforms, progress=False)
    drawn = draw_chunks(chunks, (21, 10, 10), seed=3)
    counts = drawn.groupby(["part", "emotion"]).size().to_dict()
    assert counts == {
        ("train", "angry"): 11,
        ("train", "sad"): 10,
        **{(part, emotion): 5 for part in ("validation", "test") for emotion in ("angry", "sad")},
    }
    assert not drawn.duplicated(["path", "chunk_start"]).any()
    pd.testing.assert_frame_equal(drawn, draw_chunks(chunks, (21, 10, 10), seed=3))
    assert not drawn.equals(draw_chunks(chunks, (21, 10, 10), seed=4))


def test_scattered_chunks_leak_as_they_are_meant_to(corpus, waveforms):
    chunks = cut_chunks(corpus, waveforms, progress=False)
    odd = scatter_chunks(chunks, (11, 3, 4)).groupby(["part", "emotion"]).size()
    assert odd.to_dict() == {
        **{("train", "angry"): 6, ("train", "sad"): 5, ("validation", "angry"): 2, ("validation", "sad"): 1},
        **{("test", "angry"): 2, ("test", "sad"): 2},
    }
    scattered = scatter_chunks(chunks, (60, 20, 20), seed=1)
    assert scattered["part"].value_counts().to_dict() == {"train": 60, "validation": 20, "test": 20}
    assert set(scattered.groupby(["part", "emotion"]).size()) == {30, 10}
    assert not scattered.duplicated(["path", "chunk_start"]).any()
    assert (scattered.groupby("path")["part"].nunique() > 1).mean() > 0.5
    pd.testing.assert_frame_equal(scattered, scatter_chunks(chunks, (60, 20, 20), seed=1))


def test_refused(corpus, waveforms):
    with pytest.raises(ValueError, match=r"must hold a clip with a voiced part of 5 s\. Received: 12 clips without"):
        cut_chunks(corpus, waveforms, seconds=5.0, progress=False)
    chunks = cut_chunks(corpus.assign(part="train"), waveforms, progress=False)
    with pytest.raises(
        ValueError, match=r"the train part has \d+ of angry, 500 are asked for\. Received: counts=\(1000"
    ):
        draw_chunks(chunks, (1000, 0, 0))
    with pytest.raises(ValueError, match=r"the validation part has 0 of angry, 1 are asked for"):
        draw_chunks(chunks, (10, 2, 2))
    with pytest.raises(ValueError, match=r"there are \d+ of angry, 600 are asked for"):
        scatter_chunks(chunks, (1000, 100, 100))
    for counts in ((10, 2), (0, 1, 1), (10, -1, 1), (2.5, 1, 1)):
        with pytest.raises(ValueError, match=r"`counts` must be three whole numbers"):
            draw_chunks(chunks, counts)
