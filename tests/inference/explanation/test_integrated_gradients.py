"""Integrated gradients: by hand where algebra gives them, complete everywhere."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sertk.inference import Predictor, explain
from sertk.inference.explanation.integrated_gradients import integrated_gradients


def test_of_a_line_each_share_is_weight_times_difference():
    weights = tf.constant([1.0, -2.0, 0.5])
    shares, end, begin = integrated_gradients(
        lambda x: tf.linalg.matvec(x, weights), [3.0, 1.0, 2.0], [1.0, 1.0, -2.0], steps=3
    )
    np.testing.assert_allclose(shares, [2.0, 0.0, 2.0], atol=1e-6)
    assert (end, begin) == pytest.approx((2.0, -2.0))


def test_a_product_is_shared_alike():
    """Of x y from 0 each factor has x y / 2, the integral of t x y."""
    shares, *_ = integrated_gradients(lambda x: x[:, 0] * x[:, 1], [3.0, 4.0], [0.0, 0.0], steps=5, batch=2)
    np.testing.assert_allclose(shares, [6.0, 6.0], rtol=1e-6)


def test_a_cube_is_the_middle_rectangles():
    """The integral of 3 (t x)^2 x by n middles is x^3 (1 - 1 / (4 n^2))."""
    shares, *_ = integrated_gradients(lambda x: x[:, 0] ** 3, [2.0], [0.0], steps=10)
    np.testing.assert_allclose(shares, [8 * (1 - 1 / 400)], rtol=1e-5)


def test_what_does_not_matter_has_no_share():
    shares, *_ = integrated_gradients(lambda x: tf.tanh(x[:, 0]), [1.0, 5.0], [0.0, 0.0])
    assert shares[1] == 0
    assert shares[0] == pytest.approx(np.tanh(1), abs=1e-4)


@pytest.mark.parametrize("emotion", ["angry", "sad"])
def test_shares_of_a_trained_network_add_up_to_the_difference_from_silence(finished_run, tiny_corpus, emotion):
    from sertk.audio import read

    predictor, waveform = Predictor(finished_run.directory), read(tiny_corpus["path"][0])
    explanation = explain(predictor, waveform, emotion=emotion, method="integrated-gradients")
    place = predictor.classes.index(emotion)
    assert explanation.probability == pytest.approx(predictor.probabilities(waveform)[place])
    silence = predictor.probabilities(np.zeros(16_000, "float32"))[place]
    assert explanation.silence == pytest.approx(silence, abs=1e-4)
    assert explanation.heat.sum() == pytest.approx(explanation.probability - silence, abs=0.01)
    assert explanation.heat.shape == (32, 32)  # 1 s at a hop of 512, and the mel bands beneath the MFCC


def test_slips_are_told():
    with pytest.raises(ValueError, match=r"`baseline` must have the inputs' shape, \(2,\)"):
        integrated_gradients(keras.ops.sum, [1.0, 2.0], [0.0])
    with pytest.raises(ValueError, match=r"`steps` must be a positive integer\. Received: steps=0"):
        integrated_gradients(keras.ops.sum, [1.0], [0.0], steps=0)
