"""SpecAugment: where its spans may lie, how many there are, and what transformers' own masks cover."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.models.ssl.spec_augment import SpecAugment

MASK = -7.0


def masked(layer, lengths, frames, draws=1, channels=3):
    """Which frames are masked, `(draws, batch, frames)`."""
    features = np.ones((len(lengths), frames, channels), "float32")
    layer.build(features.shape)
    layer.mask.assign(np.full(channels, MASK))
    step = tf.function(lambda: layer(features, lengths=np.array(lengths), training=True))
    found = np.stack([step() for _ in range(draws)])
    assert np.isin(found, [1, MASK]).all()
    assert (found == found[..., :1]).all()
    return found[..., 0] == MASK


@settings(max_examples=20, deadline=None)
@given(
    frames=st.integers(1, 40),
    share=st.floats(0, 1),
    rate=st.floats(0.01, 0.99),
    span=st.integers(1, 12),
    least=st.integers(0, 4),
    seed=st.integers(0, 2**31),
)
def test_spans_lie_within_the_valid_frames(frames, share, rate, span, least, seed):
    length = max(1, round(share * frames))
    layer = SpecAugment(rate, span, least, seed=seed)
    (found,) = masked(layer, [length, frames], frames)
    for row, valid in zip(found, (length, frames), strict=True):
        assert not row[valid:].any()
        if valid < span:
            assert not row.any()
        edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
        runs = edges[1::2] - edges[::2]
        assert (runs >= span).all()
        # Spans may overlap, but each begins at a frame of its own.
        most = max(int(np.ceil(rate * valid / span)), least)
        assert row.sum() <= most * span
        if least and valid >= span:
            assert row.any()


def test_as_many_frames_are_masked_as_by_transformers(script, golden):
    """Shares over 1,000 draws, to four standard errors: a share's deviation is below 0.5."""
    for number, masks in enumerate(script.MASKS):
        layer = SpecAugment(masks["rate"], masks["span"], masks["least"], seed=0)
        found = masked(layer, masks["lengths"], masks["frames"], draws=1_000)
        shares = found.mean(axis=0).sum(axis=1) / masks["lengths"]
        errors = 4 * np.sqrt(2) * (found.sum(axis=2) / masks["lengths"]).std(axis=0) / np.sqrt(1_000)
        np.testing.assert_array_less(abs(shares - golden[f"masks/{number}"]), errors + 1e-3)


def test_channels_are_set_to_zero_over_all_frames():
    layer = SpecAugment(0.0, channel_rate=0.5, channel_length=4, seed=1)
    features = np.ones((2, 9, 32), "float32")
    found = keras.ops.convert_to_numpy(layer(features, training=True))
    zero = found == 0
    assert (zero | (found == 1)).all()
    assert (zero == zero[:, :1]).all()
    assert (zero[:, 0].sum(axis=1) >= 4).all()
    assert (zero[0] != zero[1]).any()


def test_out_of_training_or_where_it_is_off_nothing_is_masked():
    features = np.ones((2, 30, 3), "float32")
    np.testing.assert_array_equal(SpecAugment(0.9)(features, training=False), features)
    off = SpecAugment(0.9, active=False)
    np.testing.assert_array_equal(off(features, training=True), features)
    assert [weight.shape for weight in off.weights] == [(3,)]
    assert not off.trainable_weights


def test_the_seed_tells_the_masks():
    first, same, other = (masked(SpecAugment(0.5, 3, seed=seed), [50, 40], 50, draws=3) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()
    assert (first[0] != first[1]).any()


def test_it_runs_in_a_graph_and_its_vector_learns():
    layer = SpecAugment(0.5, 4, seed=0)
    features = tf.ones((2, 30, 3))
    layer.build(features.shape)

    @tf.function(input_signature=[tf.TensorSpec((None, None, 3)), tf.TensorSpec((None,), tf.int32)])
    def gradient(features, lengths):
        with tf.GradientTape() as tape:
            outputs = layer(features, lengths=lengths, training=True)
        return outputs, tape.gradient(outputs, layer.mask.value)

    outputs, slope = gradient(features, tf.constant([30, 5]))
    replaced = (outputs.numpy()[:, :, 0] != 1).sum()
    assert replaced > 0
    np.testing.assert_array_equal(slope, [replaced] * 3)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_keeps_its_type(policy):
    outputs = SpecAugment(0.5, 4, channel_rate=0.2, channel_length=2, dtype=policy)(np.ones((2, 30, 8)), training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == policy.removeprefix("mixed_")


def test_its_configuration_rebuilds_it():
    layer = SpecAugment(0.1, 5, 1, 0.2, 6, 2, active=False, seed=3, name="masks")
    assert SpecAugment.from_config(layer.get_config()).get_config() == layer.get_config()
