"""A padded batch, clip by clip: what each gets alone, whatever stands behind it."""

import keras
import numpy as np
import pytest

from sertk.audio import FixedLength
from sertk.features import MFCC
from sertk.models import by_lengths, cnn, from_waveform

LENGTHS = np.array([900, 2_600, 4_000, 7_001], "int32")


def padded(lengths):
    """Clips that begin with near silence, and the batch that they make."""
    random = np.random.default_rng(0)
    clips = [0.1 * random.standard_normal(length).astype("float32") for length in lengths]
    for clip in clips:
        clip[: len(clip) // 4] *= 1e-3
    return clips, np.stack([np.pad(clip, (0, lengths.max() - len(clip))) for clip in clips])


@pytest.mark.parametrize("trim_top_db", [None, 30.0])
@pytest.mark.parametrize("pad", ["zero", "repeat"])
@pytest.mark.parametrize("crop", ["center", "start"])
def test_a_clip_of_a_padded_batch_is_fixed_as_it_is_alone(crop, pad, trim_top_db):
    layer = FixedLength(3_000, crop, pad, trim_top_db)
    clips, batch = padded(LENGTHS)
    together = layer(batch, lengths=LENGTHS)
    assert together.shape == (4, 3_000)
    for clip, row in zip(clips, together, strict=True):
        np.testing.assert_array_equal(row, layer(clip))


def test_a_single_waveform_has_no_lengths():
    with pytest.raises(ValueError, match=r"takes `lengths` with a batch alone.*Received: shape=\(9,\) with lengths"):
        FixedLength(3)(np.zeros(9, "float32"), lengths=np.array([9], "int32"))


def test_a_model_by_lengths_says_of_each_clip_what_it_says_of_it_alone():
    mfcc = MFCC(n_mfcc=32, n_mels=32, n_fft=512)
    keras.utils.set_random_seed(0)
    model = from_waveform(cnn((32, 32), 4), mfcc, fixed_length=FixedLength(16_000))
    lengths = 5 * LENGTHS
    clips, batch = padded(lengths)
    again = by_lengths(model)
    together = again({"waveform": batch, "lengths": lengths})
    expected = np.concatenate([model(clip[None]) for clip in clips])
    np.testing.assert_allclose(together, expected, atol=1e-6)
    assert np.abs(np.asarray(model(batch)) - expected).max() > 1e-4
    assert {id(weight) for weight in again.weights} == {id(weight) for weight in model.weights}


def test_a_model_that_hears_what_pads_is_refused():
    model = from_waveform(cnn((32, 32), 4), MFCC(n_mfcc=32, n_mels=32, n_fft=512), samples=16_000)
    with pytest.raises(ValueError, match=r"must begin with a fixed length.*Received: a model of waveform, mfcc"):
        by_lengths(model)
