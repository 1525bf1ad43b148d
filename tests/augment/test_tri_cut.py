"""Tri-cut: how much is taken away, where, of which clips, and what is left in its place."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sertk.augment import TriCut


def clips(*shape, seed=0):
    return np.random.default_rng(seed).normal(-40, 15, shape).astype("float32")


def cut(layer, features):
    return keras.ops.convert_to_numpy(layer(features, training=True))


def half_quiet(count, quiet):
    """Clips whose first half of the frames, or of the bands, is 40 dB below the second."""
    features = clips(count, 60, 40) / 100
    features += np.where(np.arange(60)[:, None] < 30, -60, -20) if quiet == "frames" else 0
    features += np.where(np.arange(40) < 20, -60, -20) if quiet == "bands" else 0
    return features.astype("float32")


def test_a_triangle_of_the_area_holds_the_clips_mean_and_the_rest_its_own_values():
    features = clips(60, 94, 128) + 30 * np.arange(60, dtype="float32")[:, None, None]
    result = cut(TriCut(area=(0.1, 0.1), seed=0), features)
    changed = result != features
    means = np.broadcast_to(features.mean(axis=(1, 2), dtype="float64")[:, None, None], features.shape)
    np.testing.assert_allclose(result[changed], means[changed], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(changed.mean(axis=(1, 2)), 0.1, atol=0.005)


def test_what_is_cut_may_hold_a_number():
    features = clips(10, 30, 20)
    result = cut(TriCut(fill=-80.0, seed=0), features)
    changed = result != features
    assert changed.any(axis=(1, 2)).all()
    assert (result[changed] == -80).all()


@pytest.mark.parametrize("by", ["energy", "random"])
def test_areas_are_drawn_evenly_from_the_range(by):
    features = clips(800, 40, 40)
    share = (cut(TriCut(area=(0.1, 0.3), by=by, seed=1), features) != features).mean(axis=(1, 2))
    assert stats.kstest(share, stats.uniform(0.1, 0.2).cdf).pvalue > 0.001


@pytest.mark.parametrize("quiet", ["frames", "bands"])
def test_by_energy_the_quiet_half_is_cut(quiet):
    features = half_quiet(80, quiet)
    options = {"area": (0.05, 0.05), "fill": 7.0, "seed": 0}
    by_energy, at_random = (cut(TriCut(by=by, candidates=40, **options), features) == 7 for by in ("energy", "random"))
    in_quiet = features < -40
    shares = [(cells & in_quiet).sum(axis=(1, 2)) / cells.sum(axis=(1, 2)) for cells in (by_energy, at_random)]
    # Among 40 triangles of that area there is nearly always one that lies wholly in the quiet half.
    assert (shares[0] == 1).mean() > 0.9
    assert abs(shares[1].mean() - 0.5) < 0.15


def test_a_triangle_without_cells_is_not_the_quietest():
    """Of a clip of 2 by 2 cells most small triangles cover none."""
    features = np.tile(np.array([[-50, -40], [-30, -20]], "float32"), (200, 1, 1))
    options = {"area": (0.05, 0.05), "fill": 7.0, "seed": 0}
    counts = [(cut(TriCut(candidates=count, **options), features) == 7).any(axis=(1, 2)).mean() for count in (1, 60)]
    assert counts[0] < 0.6
    assert counts[1] > 0.99


def test_energy_may_be_above_zero():
    features = half_quiet(40, "frames") + 100
    cells = cut(TriCut(area=(0.05, 0.05), candidates=40, fill=-7.0, seed=0), features) == -7
    assert (cells[:, :30].sum(axis=(1, 2)) / cells.sum(axis=(1, 2))).mean() > 0.95


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_that_share_of_the_clips_is_changed(probability):
    features = clips(400, 20, 20)
    changed = (cut(TriCut(by="random", probability=probability, seed=2), features) != features).any(axis=(1, 2))
    if probability in (0, 1):
        assert (changed == probability).all()
    else:
        assert stats.binomtest(int(changed.sum()), 400, probability).pvalue > 0.001


@pytest.mark.parametrize("by", ["energy", "random"])
def test_each_clip_has_a_triangle_of_its_own_and_each_call_new_ones(by):
    features, layer = np.repeat(clips(1, 40, 30), 20, axis=0), TriCut(by=by, seed=3)
    first, second = cut(layer, features), cut(layer, features)
    assert len(np.unique(first, axis=0)) == 20
    assert (first != second).any(axis=(1, 2)).all()


def test_a_clips_triangle_does_not_depend_on_the_values_of_other_clips():
    features = clips(6, 40, 30)
    others = features.copy()
    others[1:] = clips(5, 40, 30, seed=9)
    np.testing.assert_array_equal(cut(TriCut(seed=4), features)[0], cut(TriCut(seed=4), others)[0])


def test_a_seed_fixes_the_sequence():
    features = clips(4, 40, 30)
    layer, same, other = TriCut(seed=7), TriCut(seed=7), TriCut(seed=8)
    sequence = [cut(layer, features) for _ in range(2)]
    np.testing.assert_array_equal([cut(same, features) for _ in range(2)], sequence)
    assert not np.array_equal(cut(other, features), sequence[0])
    assert not np.array_equal(cut(TriCut(), features), cut(TriCut(), features))


@settings(deadline=None, max_examples=25)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)),
    area=st.floats(0.01, 0.5),
    by=st.sampled_from(["energy", "random"]),
    seed=st.integers(0, 99),
)
def test_features_of_any_size_stay_features(shape, area, by, seed):
    """One frame, one band, one cell: there may be nothing to cut, but nothing else comes in."""
    features = clips(*shape, seed=seed)
    result = cut(TriCut((area, 0.5), by, fill=7.0, seed=seed), features)
    assert ((result == features) | (result == 7)).all()


@pytest.mark.parametrize("by", ["energy", "random"])
def test_without_training_features_stay_as_they_are_everywhere(by, check_layer):
    features = clips(3, 20, 16)
    np.testing.assert_array_equal(check_layer(TriCut((0.1, 0.4), by, 3, 0.7, -80.0, seed=1), features), features)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_neither_overflows_nor_touches_what_is_not_cut(dtype):
    features = clips(8, 94, 128)  # the sum of a clip is -481,000, float16 ends at 65,504
    result = TriCut(area=(0.1, 0.1), seed=1, dtype=dtype)(features, training=True)
    assert keras.backend.standardize_dtype(result.dtype) == dtype
    result, kept = (
        keras.ops.convert_to_numpy(keras.ops.cast(x, "float32")) for x in (result, tf.cast(features, dtype))
    )
    changed = result != kept
    np.testing.assert_allclose(changed.mean(axis=(1, 2)), 0.1, atol=0.01)
    np.testing.assert_allclose(result[changed], -40, atol=1)


AREA = (
    r"`area` must be a pair of numbers \(lowest, highest\), shares of the spectrogram above 0 and at most 0\.5: .*area="
)


@pytest.mark.parametrize(
    "area", [0.1, None, "small", (0.1,), (0.1, 0.2, 0.3), (0.3, 0.1), (0, 0.1), (0.1, 0.6), (float("nan"), 0.2)]
)
def test_impossible_areas_are_refused(area):
    with pytest.raises(ValueError, match=AREA):
        TriCut(area=area)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "loudness"}, r'`by` must be "energy" or "random"\. Received: by=\'loudness\''),
        ({"candidates": 0}, r"`candidates` must be an integer of at least 1\. Received: candidates=0"),
        ({"probability": 1.5}, r"`probability` must be at least 0 and at most 1\. Received: probability=1\.5"),
        ({"probability": None}, r"`probability` must be at least 0 and at most 1\. Received: probability=None"),
        ({"fill": "zero"}, r"`fill` must be .*\. Received: fill='zero'"),
    ],
    ids=str,
)
def test_impossible_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        TriCut(**options)


@pytest.mark.parametrize("shape", [(20, 16), (2, 20, 16, 1), (2, 0, 16)])
def test_what_is_no_batch_of_features_is_refused(shape):
    with pytest.raises(
        ValueError, match=r"TriCut takes features of shape \(batch, frames, bands\).* Received: input_shape="
    ):
        TriCut()(np.zeros(shape, "float32"))
