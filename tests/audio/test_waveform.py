"""The check of a waveform's shape, in the words that every layer uses."""

import keras
import pytest

from sertk.audio.waveform import check_waveform_shape


class Layer(keras.layers.Layer):
    pass


@pytest.mark.parametrize("shape", [(2, 100), (None, None), (None, 100), [2, 100], (100,), (None,)])
def test_waveforms_pass(shape):
    check_waveform_shape(Layer(), shape)


@pytest.mark.parametrize("shape", [(), (2, 100, 1), (2, 100, 2, 1)])
@pytest.mark.parametrize("single", [True, False])
def test_other_ranks_are_refused(shape, single):
    message = r"Layer takes waveforms of shape \(batch, samples\).*mix channels down first. Received: input_shape=\("
    with pytest.raises(ValueError, match=message):
        check_waveform_shape(Layer(), shape, single)


def test_a_layer_of_batches_says_how_to_make_one():
    with pytest.raises(ValueError, match=r"add a batch axis to a single one with `x\[None\]`.* input_shape=\(100,\)"):
        check_waveform_shape(Layer(), (100,), single=False)


def test_a_layer_of_both_says_so():
    with pytest.raises(ValueError, match=r"or a single one of shape \(samples,\)"):
        check_waveform_shape(Layer(), (2, 100, 2))


@pytest.mark.parametrize("shape", [(2, 0), (0,)])
def test_no_samples_are_refused(shape):
    with pytest.raises(ValueError, match=r"Layer needs at least one sample. Received: input_shape="):
        check_waveform_shape(Layer(), shape)
