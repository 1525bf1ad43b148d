"""Voiced parts and chunks: signals whose voiced part is known, and what chunks promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.audio import chunk_starts, voiced_intervals

RATE = 16_000


def tone(seconds, level=1.0):
    return level * np.sin(2 * np.pi * 200 * np.arange(round(seconds * RATE)) / RATE)


def silence(seconds):
    return np.zeros(round(seconds * RATE))


def test_two_words_are_found_to_within_a_frame():
    waveform = np.concatenate([silence(0.5), tone(0.4), silence(0.3), tone(0.2, 0.5), silence(0.5)])
    found = voiced_intervals(waveform, RATE)
    expected = np.array([[0.5, 0.9], [1.2, 1.4]])
    assert found.shape == (2, 2)
    np.testing.assert_allclose(found / RATE, expected, atol=0.032)


def test_what_is_quieter_than_top_db_is_not_voiced():
    """A tone at a tenth of the amplitude is 20 dB below."""
    waveform = np.concatenate([tone(0.5), silence(0.2), tone(0.5, 0.1)])
    assert len(voiced_intervals(waveform, RATE, top_db=19)) == 1
    assert len(voiced_intervals(waveform, RATE, top_db=21)) == 2


def test_silence_has_no_voiced_part_and_no_chunk():
    assert voiced_intervals(silence(1), RATE).shape == (0, 2)
    assert chunk_starts(silence(1), RATE).shape == (0,)


def test_a_stretch_shorter_than_a_chunk_gives_none():
    assert len(chunk_starts(np.concatenate([silence(0.5), tone(0.02), silence(0.5)]), RATE, seconds=0.2)) == 0


@settings(max_examples=30, deadline=None)
@given(
    words=st.lists(st.tuples(st.floats(0.05, 0.5), st.floats(0.05, 0.5)), min_size=1, max_size=4),
    seconds=st.sampled_from([0.01, 0.03, 0.1]),
    rate=st.sampled_from([8_000, 16_000, 44_100]),
)
def test_chunks_lie_in_voiced_parts_and_do_not_overlap(words, seconds, rate):
    parts = [np.concatenate([np.zeros(round(gap * rate)), np.ones(round(length * rate))]) for gap, length in words]
    waveform = np.concatenate(parts)
    starts, samples = chunk_starts(waveform, rate, seconds), round(seconds * rate)
    assert (np.diff(starts) >= samples).all()
    inside = np.zeros(len(waveform) + 1, bool)
    for start, end in voiced_intervals(waveform, rate):
        inside[start:end] = True
    for start in starts:
        assert inside[start : start + samples].all()
    # Only a stretch's remainder is dropped.
    assert inside.sum() - len(starts) * samples < samples * len(voiced_intervals(waveform, rate))


def test_real_speech(ravdess_dir):
    """RAVDESS' clips begin and end with about a second of silence; its sentences take 1 to 2.5 s."""
    from sertk.audio import read

    clip = read(next(ravdess_dir.rglob("03-01-05-02-01-01-01.*")))
    voiced = sum(end - start for start, end in voiced_intervals(clip)) / RATE
    assert 0.7 < voiced < 2.5
    assert len(clip) / RATE - voiced > 0.7
    assert voiced / 0.03 * 0.8 < len(chunk_starts(clip)) <= voiced / 0.03


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"waveform": np.zeros((2, 10))}, r"`waveform` must have the shape \(samples,\)\. Received: shape=\(2, 10\)"),
        ({"waveform": np.ones(10), "top_db": 0}, r"`top_db` must be above 0 dB\. Received: top_db=0"),
        ({"waveform": np.ones(10), "seconds": 0}, r"`seconds` must be at least one sample long\. Received: seconds=0"),
    ],
)
def test_refused_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        chunk_starts(**arguments)
