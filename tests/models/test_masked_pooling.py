"""Pooling over valid frames, against NumPy's of the cut clips."""

import keras
import numpy as np
import pytest

from sertk.models import MaskedPooling

LENGTHS = np.array([7, 3, 1])


def frames(seed=0):
    # All below 0, so that a maximum that hears padding is told by its 0.
    return -np.random.default_rng(seed).random((3, 7, 4)).astype("float32") - 0.5


@pytest.mark.parametrize("kind", ["mean", "sum", "max"])
def test_every_place_a_layer_runs_in(kind, check_layer):
    np.testing.assert_allclose(check_layer(MaskedPooling(kind), frames()), getattr(np, kind)(frames(), 1), rtol=1e-5)


@pytest.mark.parametrize("kind", ["mean", "sum", "max"])
def test_padding_is_not_pooled(kind):
    expected = [getattr(np, kind)(clip[:length], axis=0) for clip, length in zip(frames(), LENGTHS, strict=True)]
    padded = frames()
    for clip, length in zip(padded, LENGTHS, strict=True):
        clip[length:] = np.nan
    actual = MaskedPooling(kind)(padded, lengths=LENGTHS)
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


@pytest.mark.parametrize("kind", ["mean", "sum", "max"])
def test_a_clip_without_frames_gives_zeros(kind):
    assert not keras.ops.convert_to_numpy(MaskedPooling(kind)(frames()[:1], lengths=np.array([0]))).any()


def test_half_precision_does_not_overflow():
    pooled = MaskedPooling("mean", dtype="mixed_float16")(np.full((1, 500, 1), 1_000.0), lengths=np.array([400]))
    assert float(pooled[0, 0]) == 1_000


def test_other_kinds_are_refused():
    with pytest.raises(ValueError, match=r"`kind` must be one of mean, sum, max\. Received: kind='median'"):
        MaskedPooling("median")
