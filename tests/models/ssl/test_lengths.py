"""Frame counts, against sizes in print and a convolution of NumPy, and lengths that are refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from sertk.models.ssl.lengths import FrameCounts, check_lengths, frame_count, receptive_field, valid_frames

KERNELS, STRIDES = (10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2)


def test_the_published_stack_hears_25_ms_every_20_ms():
    """wav2vec 2.0, section 4.2: a receptive field of 400 input samples, or 25 ms, a stride of 20 ms."""
    assert receptive_field(KERNELS, STRIDES) == 400
    assert frame_count(400 + 10 * 320, KERNELS, STRIDES) == 11


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (1, 0), (399, 0), (400, 1), (719, 1), (720, 2), (16_000, 49)])
def test_frames_of_clips_at_the_edges(samples, frames):
    assert frame_count(samples, KERNELS, STRIDES) == frames


convolutions = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4)), min_size=1, max_size=4)


@given(convolutions, st.integers(0, 200))
def test_frames_are_as_many_as_a_convolution_makes(convolutions, samples):
    kernels, strides = zip(*convolutions, strict=True)
    x = np.zeros(samples)
    for kernel, stride in convolutions:
        x = np.lib.stride_tricks.sliding_window_view(x, kernel)[::stride, 0] if len(x) >= kernel else x[:0]
    assert frame_count(samples, kernels, strides) == len(x)
    assert (samples >= receptive_field(kernels, strides)) == (len(x) > 0)


def test_tensors_arrays_and_layers_count_alike():
    samples = np.array([0, 5, 399, 400, 719, 48_000], "int32")
    expected = [0, 0, 0, 1, 1, 149]
    assert keras.ops.convert_to_numpy(frame_count(samples, KERNELS, STRIDES)).tolist() == expected
    layer = FrameCounts(KERNELS, STRIDES)
    assert keras.ops.convert_to_numpy(layer(samples)).tolist() == expected
    assert FrameCounts.from_config(layer.get_config()).get_config() == layer.get_config()


def test_valid_frames_come_first():
    expected = [[True, True, False], [False, False, False], [True, True, True]]
    assert keras.ops.convert_to_numpy(valid_frames(np.array([2, 0, 3]), 3)).tolist() == expected


@pytest.mark.parametrize("lengths", [[1_000, 399], [0, 1_000], [1_000, 1_001]], ids=["short", "empty", "beyond"])
def test_lengths_that_can_not_be_are_refused_at_once(lengths):
    message = r"`lengths` must be at least 400 samples, the receptive field, and at most the batch's 1000\. Received: "
    with pytest.raises(ValueError, match=message):
        check_lengths(np.zeros((2, 1_000)), np.array(lengths), 400)


def test_waveforms_that_are_too_short_are_refused_at_once():
    with pytest.raises(ValueError, match=r"Clips must have at least 400 samples, .* Received: 399"):
        check_lengths(np.zeros((2, 399)), None, 400)


@pytest.mark.parametrize(
    ("samples", "lengths", "message"),
    [(399, [399, 399], "Clips must have at least 400 samples"), (1_000, [1_000, 3], "`lengths` must be at least 400")],
)
def test_in_a_graph_the_same_is_an_assertion(samples, lengths, message):
    @tf.function(input_signature=[tf.TensorSpec((None, None)), tf.TensorSpec((None,), tf.int32)])
    def check(waveforms, lengths):
        check_lengths(waveforms, lengths, 400)
        return tf.shape(waveforms)

    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        check(tf.zeros((2, samples)), tf.constant(lengths))
    assert check(tf.zeros((2, 400)), tf.constant([400, 400])).numpy().tolist() == [2, 400]


def test_a_batch_of_no_clips_has_no_length_to_refuse():
    check_lengths(np.zeros((0, 1_000)), np.zeros(0, "int32"), 400)
