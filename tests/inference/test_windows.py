"""Windows: where they begin, and that pieces of any size give the same ones as the whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.inference.windows import Windows, window_sizes, window_starts


@pytest.mark.parametrize(
    ("total", "samples", "hop", "starts"),
    [
        (10, 4, 2, [0, 2, 4, 6]),
        (11, 4, 2, [0, 2, 4, 6, 7]),
        (4, 4, 2, [0]),
        (5, 4, 4, [0, 1]),
        (9, 4, 4, [0, 4, 5]),
        (6, 4, 1, [0, 1, 2]),
    ],
)
def test_windows_begin_every_hop_and_the_last_one_ends_with_the_recording(total, samples, hop, starts):
    assert window_starts(total, samples, hop) == starts


@settings(deadline=None)
@given(samples=st.integers(1, 20), hop=st.integers(1, 20), pieces=st.lists(st.integers(0, 60), max_size=12))
def test_pieces_of_any_size_give_the_windows_of_the_whole(samples, hop, pieces):
    hop = min(hop, samples)
    whole = np.arange(sum(pieces), dtype="float32")
    cutter, found = Windows(samples, hop), []
    for piece in np.split(whole, np.cumsum(pieces)[:-1]) if pieces else []:
        starts, windows = cutter.push(piece)
        found += zip(starts, windows.copy(), strict=True)
        assert len(cutter._kept) <= max(samples, hop) + hop  # whatever came in before
    starts, windows = cutter.end()
    found += zip(starts, windows.copy(), strict=True)
    expected = window_starts(len(whole), samples, hop) if len(whole) >= samples else [0] * bool(len(whole))
    assert [int(start) for start, _ in found] == expected
    for start, window in found:
        np.testing.assert_array_equal(window, whole[start : start + samples])


def test_what_came_in_may_be_overwritten_afterwards():
    """As a sound card does with its buffer."""
    cutter, buffer = Windows(4, 2), np.arange(3, dtype="float32")
    cutter.push(buffer)
    buffer[:] = -1
    np.testing.assert_array_equal(cutter.push(np.float32([3]))[1], [[0, 1, 2, 3]])


def test_sizes_are_the_models_unless_told_otherwise(energy_predictor):
    assert window_sizes(energy_predictor(1.0)) == (16_000, 8_000)
    assert window_sizes(energy_predictor(1.0), hop=0.1) == (16_000, 1_600)
    assert window_sizes(energy_predictor(1.0), window=0.5) == (8_000, 4_000)
    assert window_sizes(energy_predictor(None, 8_000)) == (24_000, 12_000)  # 3 s where it hears any length


@pytest.mark.parametrize("seconds", [None, 3.0])
def test_windows_are_no_longer_than_an_exported_model_takes(energy_predictor, seconds):
    """As one that was exported with `max_seconds=2`."""
    predictor = energy_predictor(seconds)
    predictor.longest = 32_000
    assert window_sizes(predictor) == (32_000, 16_000)
    assert predictor.probabilities(np.zeros(40_000), windows=True) == pytest.approx([0.5, 0.5])
    with pytest.raises(ValueError, match=r"`window` must be at most 2 s, .* Received: window=2\.5"):
        window_sizes(predictor, window=2.5)


def test_silence_of_any_length_is_heard_by_a_model_of_chunks(energy_predictor):
    """There is no voiced chunk in it; of the whole, an exported model takes no more than it was exported for."""
    predictor = energy_predictor(0.2)
    predictor.chunks_top_db, predictor.longest = 30.0, 32_000
    assert predictor.probabilities(np.zeros(32_001)) == pytest.approx([0.5, 0.5])
    assert window_sizes(predictor) == (48_000, 24_000)
    assert predictor.of_windows(np.zeros((1, 48_000), "float32"))[0] == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"window": 1.5}, "`window` must be at most 1 s, what the model hears at once"),
        ({"window": 0.01}, "`window` must have at least 400 samples, 0.025 s. Received: 160 samples"),
        ({"hop": 1.5}, "`hop` must be at most a window, 1 s"),
        ({"hop": 0}, "`hop` must be seconds, at least a sample's. Received: hop=0"),
        ({"hop": 1e-6}, "`hop` must be seconds"),
        ({"hop": float("nan")}, "`hop` must be seconds"),
        ({"window": float("inf")}, "`window` must be seconds"),
        ({"window": "1"}, "`window` must be seconds"),
        ({"window": True}, "`window` must be seconds"),
    ],
)
def test_sizes_that_make_no_windows_are_refused(energy_predictor, sizes, message):
    with pytest.raises(ValueError, match=message):
        window_sizes(energy_predictor(1.0, shortest=400), **sizes)
