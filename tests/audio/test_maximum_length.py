"""Maximum length, against slices of NumPy: what is longer is cropped, what is shorter stays."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.audio import FixedLength, MaximumLength


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def padded(clips):
    longest = max(map(len, clips))
    return np.stack([np.pad(clip, (0, longest - len(clip))) for clip in clips]), np.array([len(clip) for clip in clips])


@settings(deadline=None, max_examples=40)
@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    samples=st.integers(1, 40),
    crop=st.sampled_from(["center", "start"]),
)
def test_each_row_of_a_batch_is_what_it_is_alone(lengths, samples, crop):
    clips = [noise(length, seed=length) for length in lengths]
    batch, given_lengths = padded(clips)
    cropped, left = MaximumLength(samples, crop)(batch, given_lengths.astype("int32"))
    assert cropped.shape[1] == min(samples, max(lengths))
    for clip, row, length in zip(clips, np.asarray(cropped), np.asarray(left), strict=True):
        start = max(len(clip) - samples, 0) // 2 if crop == "center" else 0
        np.testing.assert_array_equal(row[:length], clip[start : start + samples])
        np.testing.assert_array_equal(row[length:], 0)
        np.testing.assert_array_equal(np.asarray(MaximumLength(samples, crop)(clip)), clip[start : start + samples])


@pytest.mark.parametrize("crop", ["center", "start"])
def test_a_longer_clip_is_cropped_as_by_fixed_length(crop):
    clip = noise(101)
    np.testing.assert_array_equal(MaximumLength(40, crop)(clip), FixedLength(40, crop)(clip))


def test_without_samples_everything_stays():
    batch, lengths = padded([noise(5), noise(9)])
    cropped, left = MaximumLength()(batch, lengths)
    np.testing.assert_array_equal(cropped, batch)
    np.testing.assert_array_equal(left, lengths)


def test_in_a_saved_model_of_any_batch_and_length(tmp_path):
    inputs = keras.Input((None,), name="waveform"), keras.Input((), dtype="int32", name="lengths")
    model = keras.Model(inputs, MaximumLength(4)(*inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    batch, lengths = padded([np.arange(1.0, 3.0, dtype="float32"), np.arange(1.0, 8.0, dtype="float32")])
    cropped, left = tf.function(loaded)([batch, lengths.astype("int32")])
    assert cropped.numpy().tolist() == [[1, 2, 0, 0], [2, 3, 4, 5]]
    assert left.numpy().tolist() == [2, 4]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"samples": 0}, "`samples` must be a positive integer, or None. Received: samples=0"),
        ({"crop": "end"}, "crop='end'"),
    ],
)
def test_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        MaximumLength(**arguments)


def test_a_batch_wants_lengths_and_a_single_waveform_none():
    with pytest.raises(ValueError, match="a batch with `lengths`"):
        MaximumLength(3)(noise(2, 5))
    with pytest.raises(ValueError, match="a batch with `lengths`"):
        MaximumLength(3)(noise(5), np.array([5]))
    with pytest.raises(ValueError, match="float waveforms"):
        MaximumLength(3)(np.arange(5))
