"""Time and frequency masks: how wide, how many, where, and what stands in them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sertk.augment import FrequencyMask, TimeMask

# Each mask with the axes that bring its own axis to the front of the clip.
MASKS = [(TimeMask, (0, 1, 2)), (FrequencyMask, (0, 2, 1))]


def clips(*shape, seed=0):
    """Log-mel spectrograms, as far as their values go; no two cells of a clip are equal."""
    return np.random.default_rng(seed).normal(-40, 15, shape).astype("float32")


def masked(layer, features):
    return keras.ops.convert_to_numpy(layer(features, training=True))


def changed_along(layer, axes, shape, seed=0):
    """Which places of the masked axis were changed: bool `(clips, places)`, all of a place or nothing of it."""
    features = np.transpose(clips(*shape, seed=seed), axes)
    changed = np.transpose(masked(layer, features) != features, axes)
    assert (changed.any(axis=2) == changed.all(axis=2)).all()
    return changed.any(axis=2)


def runs(places):
    """Where runs of changed places begin, and their lengths."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], places, [0]])))
    return edges[::2], edges[1::2] - edges[::2]


@pytest.mark.parametrize(("mask", "axes"), MASKS)
def test_widths_and_places_are_drawn_evenly(mask, axes):
    changed = changed_along(mask(max_width=0.25, seed=1), axes, (4_000, 20, 2))
    found = [runs(places) for places in changed]
    assert {len(starts) for starts, _ in found} == {0, 1}
    widths = changed.sum(axis=1)
    assert stats.chisquare(np.bincount(widths, minlength=6)).pvalue > 0.001  # 0 to 5 of 20 places
    starts = [starts[0] for starts, lengths in found if list(lengths) == [5]]
    assert stats.chisquare(np.bincount(starts, minlength=16)).pvalue > 0.001


@pytest.mark.parametrize(("mask", "axes"), MASKS)
def test_as_many_masks_as_asked_for_or_fewer_where_they_meet(mask, axes):
    changed = changed_along(mask(max_width=0.1, count=3, seed=1), axes, (300, 60, 2))
    numbers = np.array([len(runs(places)[0]) for places in changed])
    assert numbers.max() == 3
    assert changed.sum(axis=1).max() <= 3 * 6
    # Three masks of 0 to 6 of 60 places lie apart, and none of them is empty, in about half of the clips.
    assert (numbers == 3).mean() > 0.3


@pytest.mark.parametrize(("mask", "axes"), MASKS)
def test_the_widest_mask_is_the_share_in_whole_places(mask, axes):
    """0.29 of 100 is 28.999999999999996 in floating point."""
    assert changed_along(mask(max_width=0.29, seed=1), axes, (600, 100, 1)).sum(axis=1).max() == 29
    assert changed_along(mask(max_width=1.0, seed=1), axes, (100, 7, 1)).sum(axis=1).max() == 7


@pytest.mark.parametrize(("mask", "axes"), MASKS)
def test_what_is_masked_holds_the_clips_own_mean_and_the_rest_its_own_values(mask, axes):
    features = clips(50, 30, 20) + 30 * np.arange(50, dtype="float32")[:, None, None]
    result = masked(mask(max_width=0.5, seed=2), features)
    changed = result != features
    means = features.mean(axis=(1, 2), dtype="float64")
    expected = np.broadcast_to(means[:, None, None], features.shape)
    assert changed.any(axis=(1, 2)).sum() > 40
    np.testing.assert_allclose(result[changed], expected[changed], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("fill", [-80.0, 0])
def test_what_is_masked_may_hold_a_number(fill):
    features = clips(20, 30, 20)
    result = masked(TimeMask(max_width=0.5, fill=fill, seed=2), features)
    changed = result != features
    assert changed.any()
    assert (result[changed] == fill).all()


@settings(deadline=None, max_examples=25)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)),
    max_width=st.floats(0.01, 1),
    count=st.integers(1, 4),
    seed=st.integers(0, 99),
)
@pytest.mark.parametrize(("mask", "axes"), MASKS)
def test_features_of_any_size_stay_features(mask, axes, shape, max_width, count, seed):
    changed = changed_along(mask(max_width, count, seed=seed), axes, shape, seed=seed)
    assert changed.shape == shape[:2]
    assert (changed.sum(axis=1) <= count * round(max_width * shape[1])).all()


@pytest.mark.parametrize(("mask", "axes"), MASKS)
def test_each_clip_has_masks_of_its_own_and_each_call_new_ones(mask, axes):
    layer = mask(max_width=0.5, seed=3)
    first, second = (changed_along(layer, axes, (40, 50, 2)) for _ in range(2))
    assert len(np.unique(first, axis=0)) > 30
    assert (first != second).any(axis=1).sum() > 30


@pytest.mark.parametrize(("mask", "axes"), MASKS)
def test_a_seed_fixes_the_sequence(mask, axes):
    features, layer, same, other = clips(8, 40, 40), mask(0.5, seed=7), mask(0.5, seed=7), mask(0.5, seed=8)
    sequence = [masked(layer, features) for _ in range(2)]
    np.testing.assert_array_equal([masked(same, features) for _ in range(2)], sequence)
    assert not np.array_equal(masked(other, features), sequence[0])


@pytest.mark.parametrize(("mask", "axes"), MASKS)
def test_without_training_features_stay_as_they_are_everywhere(mask, axes, check_layer):
    features = clips(3, 20, 16)
    np.testing.assert_array_equal(check_layer(mask(0.3, 2, -80.0, seed=1), features), features)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_neither_overflows_nor_touches_what_is_not_masked(dtype):
    features = clips(16, 100, 128)  # the sum of a clip is -512,000, float16 ends at 65,504
    result = TimeMask(max_width=0.5, seed=1, dtype=dtype)(features, training=True)
    assert keras.backend.standardize_dtype(result.dtype) == dtype
    result, kept = (
        keras.ops.convert_to_numpy(keras.ops.cast(x, "float32")) for x in (result, tf.cast(features, dtype))
    )
    changed = result != kept
    in_frame = changed.mean(axis=2)  # some of 128 cells are the mean by chance
    assert ((in_frame == 0) | (in_frame > 0.9)).all()
    assert (in_frame > 0).any()
    np.testing.assert_allclose(result[changed], -40, atol=1)


@pytest.mark.parametrize("max_width", [0, -0.1, 1.1, None, "wide", True, float("nan")])
def test_impossible_widths_are_refused(max_width):
    with pytest.raises(ValueError, match=r"`max_width` must be above 0 and at most 1\. Received: max_width="):
        TimeMask(max_width=max_width)


@pytest.mark.parametrize("count", [0, -1, 1.5, None, "two", True])
def test_impossible_counts_are_refused(count):
    with pytest.raises(ValueError, match=r"`count` must be an integer of at least 1\. Received: count="):
        FrequencyMask(count=count)


@pytest.mark.parametrize("fill", [None, "zero", float("nan"), float("inf"), True])
def test_impossible_fills_are_refused(fill):
    with pytest.raises(
        ValueError, match=r'`fill` must be "mean", the clip\'s own, or a finite number\. Received: fill='
    ):
        TimeMask(fill=fill)


@pytest.mark.parametrize("shape", [(20, 16), (2, 20, 16, 1), (2, 0, 16), (2, 20, 0)])
@pytest.mark.parametrize("mask", [TimeMask, FrequencyMask])
def test_what_is_no_batch_of_features_is_refused(mask, shape):
    with pytest.raises(
        ValueError, match=r"Mask takes features of shape \(batch, frames, bands\).* Received: input_shape="
    ):
        mask()(np.zeros(shape, "float32"))


def test_whole_numbers_are_refused():
    with pytest.raises(ValueError, match=r"TimeMask takes float features, .*\. Received: dtype=int32"):
        TimeMask()(np.zeros((2, 20, 16), "int32"))
