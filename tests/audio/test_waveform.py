"""The checks of a waveform's shape and numbers, in the words that every layer uses."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sertk.audio import FixedLength
from sertk.audio.waveform import check_waveform_dtype, check_waveform_shape
from sertk.augment import AWGN
from sertk.features import MFCC, LogMelSpectrogram


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


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_floats_pass(dtype):
    check_waveform_dtype(Layer(), keras.ops.zeros((2, 100), dtype))
    check_waveform_dtype(Layer(), keras.Input((100,), dtype=dtype))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64", "bool"])
def test_integers_are_refused(dtype):
    message = r'^Layer takes float waveforms in \[-1, 1\]; convert .* `x.astype\("float32"\) / 32768`. Received: dtype='
    for waveforms in (np.zeros(100, dtype), tf.zeros((2, 100), dtype), keras.Input((100,), dtype=dtype)):
        with pytest.raises(ValueError, match=message + dtype):
            check_waveform_dtype(Layer(), waveforms)


@pytest.mark.parametrize(
    "layer", [LogMelSpectrogram, MFCC, lambda: FixedLength(100), lambda: FixedLength(9, "start"), AWGN]
)
def test_no_layer_takes_integers(layer):
    """What `soundfile.read(path, dtype="int16")` gives: called, in a model, in `tf.data`, single or in a batch."""
    layer = layer()
    message = r"takes float waveforms in \[-1, 1\]; .* / 32768`. Received: dtype=int16"
    model = keras.Sequential([keras.Input((4_000,), dtype="int16"), layer])
    for waveforms in (np.ones((2, 4_000), "int16"), tf.ones((2, 4_000), "int16")):
        for function in (layer, model):
            with pytest.raises(ValueError, match=message):
                function(waveforms)
    if not isinstance(layer, AWGN):  # which takes batches only
        with pytest.raises(ValueError, match=message):
            layer(np.ones(4_000, "int16"))
    with pytest.raises(ValueError, match=message):
        tf.data.Dataset.from_tensors(np.ones((2, 4_000), "int16")).map(layer)


@pytest.mark.parametrize("layer", [LogMelSpectrogram, MFCC, lambda: FixedLength(100)])
def test_doubles_are_taken_for_what_they_are(layer):
    layer = layer()
    waveforms = np.random.default_rng(0).uniform(-1, 1, (2, 4_000))
    np.testing.assert_array_equal(layer(waveforms), layer(waveforms.astype("float32")))
