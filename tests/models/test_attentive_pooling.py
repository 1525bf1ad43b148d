"""Attentive statistics pooling, against NumPy's weighted averages and cases whose answer is known."""

import keras
import numpy as np
import pytest

from sertk.models import AttentiveStatisticsPooling


def frames(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def pooled(layer, inputs, **options):
    return keras.ops.convert_to_numpy(layer(inputs, **options))


def test_every_place_a_layer_runs_in(check_layer):
    keras.utils.set_random_seed(0)
    layer = AttentiveStatisticsPooling(heads=3, units=5)
    assert check_layer(layer, frames(4, 9, 6)).shape == (4, 2 * 3 * 6)


def test_without_preference_it_is_the_mean_and_the_standard_deviation():
    """Scores that are all alike weigh all frames alike."""
    inputs = frames(2, 50, 3)
    layer = AttentiveStatisticsPooling(heads=2, units=4)
    layer.build(inputs.shape)
    layer.scores.set_weights([np.zeros((4, 2), "float32"), np.zeros(2, "float32")])
    expected = [inputs.mean(axis=1)] * 2 + [inputs.std(axis=1)] * 2
    np.testing.assert_allclose(pooled(layer, inputs), np.concatenate(expected, axis=1), atol=1e-5)


def test_each_head_follows_its_own_scores():
    """One channel, whose sign head 0 loves and head 1 shuns: tanh(10 x) times 30, so that one frame takes all."""
    inputs = np.array([[[1.0], [-1.0], [-1.0]]], "float32")
    layer = AttentiveStatisticsPooling(heads=2, units=1)
    layer.build(inputs.shape)
    layer.hidden.set_weights([np.array([[10.0]], "float32"), np.zeros(1, "float32")])
    layer.scores.set_weights([np.array([[30.0, -30.0]], "float32"), np.zeros(2, "float32")])
    mean_of_both = pooled(layer, inputs)[0, :2]
    np.testing.assert_allclose(mean_of_both, [1.0, -1.0], atol=1e-6)


def test_weights_against_numpy():
    inputs = frames(3, 20, 5)
    keras.utils.set_random_seed(1)
    layer = AttentiveStatisticsPooling(heads=4, units=8)
    ours = pooled(layer, inputs)
    (w1, b1), (w2, b2) = layer.hidden.get_weights(), layer.scores.get_weights()
    scores = np.tanh(inputs.astype("float64") @ w1 + b1) @ w2 + b2
    for clip in range(3):
        weights = np.exp(scores[clip]) / np.exp(scores[clip]).sum(axis=0)
        means = [np.average(inputs[clip], axis=0, weights=weights[:, head]) for head in range(4)]
        deviations = [
            np.average((inputs[clip] - means[head]) ** 2, axis=0, weights=weights[:, head]) ** 0.5 for head in range(4)
        ]
        np.testing.assert_allclose(ours[clip], np.concatenate(means + deviations), atol=1e-4)


def test_masked_frames_have_no_weight():
    inputs = frames(2, 12, 3)
    mask = np.arange(12)[None] < np.array([[12], [7]])
    layer = AttentiveStatisticsPooling(heads=2, units=4)
    together = pooled(layer, inputs, mask=mask)
    np.testing.assert_allclose(together[1], pooled(layer, inputs[1:, :7])[0], atol=1e-5)
    np.testing.assert_allclose(together[0], pooled(layer, inputs[:1])[0], atol=1e-5)


def test_frames_that_are_all_the_same_have_a_gradient():
    """The standard deviation is 0 there, where the square root has no slope."""
    import tensorflow as tf

    inputs = tf.ones((2, 6, 3))
    layer = AttentiveStatisticsPooling()
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(layer(inputs))
    assert np.isfinite(tape.gradient(loss, inputs).numpy()).all()


def test_half_precision_does_not_overflow():
    inputs = 300 * frames(2, 10, 4)
    layer = AttentiveStatisticsPooling(dtype="mixed_float16")
    assert np.isfinite(pooled(layer, inputs)).all()


@pytest.mark.parametrize("arguments", [{"heads": 0}, {"units": 1.5}, {"heads": "4"}], ids=str)
def test_refused_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=rf"`{name}` must be a positive integer\. Received: {name}="):
        AttentiveStatisticsPooling(**arguments)
