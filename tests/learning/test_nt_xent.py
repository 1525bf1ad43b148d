"""NT-Xent: equation (1) by hand and by a literal loop, what it does not depend on, and half precision."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.learning.nt_xent import NTXent, contrastive_accuracy, nt_xent

EYE = np.eye(2, dtype="float32")


def literal(first, second, temperature):
    """Equation (1), term by term, in float64; the partner of the k-th of 2N vectors is N further on."""
    z = [np.asarray(vector, "float64") for vector in (*first, *second)]
    half = len(z) // 2

    def sim(a, b):
        lengths = np.linalg.norm(a) * np.linalg.norm(b)
        return a @ b / lengths if lengths else 0.0

    losses = []
    for i in range(len(z)):
        j = i + half if i < half else i - half
        below = [math.exp(sim(z[i], z[k]) / temperature) for k in range(len(z)) if k != i]
        losses.append(-math.log(math.exp(sim(z[i], z[j]) / temperature) / sum(below)))
    return np.mean(losses)


def pairs(clips=5, channels=4, seed=0):
    return np.random.default_rng(seed).standard_normal((2, clips, channels)).astype("float32")


@pytest.mark.parametrize("temperature", [1.0, 0.5, 2])
def test_orthogonal_clips_whose_views_agree(temperature):
    """Each anchor has its partner at cosine 1 and two others at 0: -log(e^(1/t) / (e^(1/t) + 2)) = log(1 + 2 e^(-1/t)).

    With t = 1 that is log(1 + 2 / e) = 0.5514447.
    """
    expected = math.log(1 + 2 * math.exp(-1 / temperature))
    np.testing.assert_allclose(nt_xent(EYE, EYE, temperature), expected, rtol=1e-6)
    np.testing.assert_allclose(nt_xent(7 * EYE, 0.01 * EYE, temperature), expected, rtol=1e-6)  # lengths are nothing


def test_orthogonal_clips_whose_views_are_mistaken_for_each_other():
    """The partner at cosine 0, one other at 0 and one at 1: log(e + 2) - 0."""
    np.testing.assert_allclose(nt_xent(EYE, EYE[::-1], 1.0), math.log(math.e + 2), rtol=1e-6)


def test_second_views_at_45_degrees():
    """First views (1, 0) and (0, 1), second (1, 1) and (1, -1), c = cos 45 degrees, t = 1.

    (1, 0): partner c, others 0 and c. (1, 1): partner c, others c and 0. Both log(2 e^c + 1) - c.
    (0, 1): partner -c, others 0 and c. (1, -1): partner -c, others c and 0. Both log(e^c + 1 + e^-c) + c.
    """
    c = math.sqrt(0.5)
    near, far = math.log(2 * math.exp(c) + 1) - c, math.log(math.exp(c) + 1 + math.exp(-c)) + c
    np.testing.assert_allclose(nt_xent(EYE, [[1, 1], [1, -1]], 1.0), (near + far) / 2, rtol=1e-6)


def test_nothing_told_apart_is_the_logarithm_of_the_others():
    alike = np.ones((4, 3), "float32")
    np.testing.assert_allclose(nt_xent(alike, 2 * alike, 0.1), math.log(7), rtol=1e-6)


@pytest.mark.parametrize("temperature", [0.05, 0.5, 3.0])
@pytest.mark.parametrize("clips", [2, 9])
def test_is_equation_1_term_by_term(clips, temperature):
    first, second = pairs(clips)
    np.testing.assert_allclose(nt_xent(first, second, temperature), literal(first, second, temperature), rtol=1e-5)


def test_is_compiled_alike_for_batches_of_any_size():
    compiled = tf.function(
        lambda first, second: nt_xent(first, second, 0.2),
        input_signature=[tf.TensorSpec((None, 4))] * 2,
        jit_compile=True,
    )
    for clips in (2, 5):
        first, second = pairs(clips)
        np.testing.assert_allclose(compiled(first, second), literal(first, second, 0.2), rtol=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 6), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_neither_the_order_nor_which_view_is_first_nor_lengths_nor_a_rotation_matter(clips, channels, seed):
    rng = np.random.default_rng(seed)
    first, second = pairs(clips, channels, seed)
    order = rng.permutation(clips)
    rotation, _ = np.linalg.qr(rng.standard_normal((channels, channels)))
    lengths = rng.uniform(0.1, 10, (clips, 1))
    expected = nt_xent(first, second, 0.3)
    changed = nt_xent((second * lengths)[order] @ rotation, first[order] @ rotation, 0.3)
    np.testing.assert_allclose(changed, expected, rtol=1e-4, atol=1e-5)
    assert 0 <= float(expected) <= math.log(2 * clips - 1) + 2 / 0.3


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_is_as_exact_in_half_precision_as_what_comes_in(dtype):
    """Vectors as long as 65,000, whose squares half precision has not, and a temperature that makes logits of 100."""
    first, second = (keras.ops.cast(30_000 * views / np.abs(views).max(), dtype) for views in pairs(6))
    rounded = [keras.ops.convert_to_numpy(keras.ops.cast(views, "float32")) for views in (first, second)]
    loss = nt_xent(first, second, 0.01)
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
    np.testing.assert_allclose(loss, literal(*rounded, 0.01), rtol=1e-4)


def test_gradients_are_finite_in_half_precision_with_zeros_and_repeated_vectors():
    first, second = (views.astype("float16") for views in pairs(6))
    first[0] = second[0] = first[1] = 0
    first[2] = second[2] = first[3]
    first, second = tf.constant(first), tf.constant(second)
    with tf.GradientTape() as tape:
        tape.watch([first, second])
        loss = nt_xent(first, second, 0.01)
    np.testing.assert_allclose(loss, literal(first.numpy(), second.numpy(), 0.01), rtol=1e-3)
    for gradient in tape.gradient(loss, [first, second]):
        assert gradient.dtype == tf.float16
        assert np.isfinite(gradient).all()
        assert np.abs(gradient).max() > 0


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_the_gradient_is_that_of_the_literal_loop_however_long_the_vectors(scale):
    first, second = (scale * views for views in pairs(3, 2))
    given = tf.constant(first)
    with tf.GradientTape() as tape:
        tape.watch(given)
        loss = nt_xent(given, second, 0.5)
    step = 1e-5 * scale
    steps = step * np.eye(6).reshape(6, 3, 2)  # float64, and so are the sums
    numerical = [
        (literal(first + change, second, 0.5) - literal(first - change, second, 0.5)) / (2 * step) for change in steps
    ]
    np.testing.assert_allclose(tape.gradient(loss, given), np.reshape(numerical, (3, 2)), rtol=1e-3, atol=1e-4 / scale)


def test_a_batch_of_one_of_unknown_size_has_no_loss_and_no_gradient():
    @tf.function(input_signature=[tf.TensorSpec((None, 2))] * 2)
    def step(first, second):
        with tf.GradientTape() as tape:
            tape.watch(first)
            loss = nt_xent(first, second, 0.1)
        return loss, tape.gradient(loss, first), contrastive_accuracy(first, second)

    loss, gradient, accuracy = step([[1.0, 2.0]], [[3.0, 1.0]])
    assert (float(loss), float(accuracy)) == (0, 1)
    np.testing.assert_array_equal(gradient, [[0, 0]])


def test_contrastive_accuracy_counts_anchors_whose_partner_is_nearest():
    """(1, 0) is nearest to (2, 1), its own; (0, 1) is too, since (-1, 0), its partner, is at a right angle to it.

    (2, 1) is nearest to (1, 0), its own; (-1, 0) has (0, 1), its own, at cosine 0 and all others below. Three of four.
    """
    np.testing.assert_allclose(contrastive_accuracy(EYE, [[2, 1], [-1, 0]]), 0.75)
    assert float(contrastive_accuracy(EYE, EYE)) == 1
    assert float(contrastive_accuracy(EYE, EYE[::-1])) == 0


def test_the_loss_object_is_the_same_and_can_be_described():
    first, second = pairs()
    loss = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(NTXent(0.3)))
    assert (loss.temperature, loss.name) == (0.3, "nt_xent")
    together = np.concatenate([first, second])
    np.testing.assert_allclose(loss(np.zeros((5, 3)), together), literal(first, second, 0.3), rtol=1e-5)


@pytest.mark.parametrize("temperature", [0, -0.1, float("nan"), float("inf"), None, "0.1", True])
def test_impossible_temperatures(temperature):
    message = r"^`temperature` must be a finite number above 0\. Received: temperature="
    for refused in (lambda: nt_xent(EYE, EYE, temperature), lambda: NTXent(temperature)):
        with pytest.raises(ValueError, match=message):
            refused()


@pytest.mark.parametrize(
    ("first", "second"), [((3, 2), (2, 2)), ((2, 3), (2, 2)), ((2,), (2,)), ((2, 2, 2), (2, 2, 2))]
)
def test_what_are_no_two_views_of_the_same_clips(first, second):
    message = r"^`first` and `second` must both be \(clips, channels\).* Received: shapes \(.*\) and \(.*\)$"
    for function in (nt_xent, contrastive_accuracy):
        with pytest.raises(ValueError, match=message):
            function(np.ones(first), np.ones(second))


def test_a_batch_of_one_and_views_without_partner():
    for function in (nt_xent, contrastive_accuracy):
        with pytest.raises(ValueError, match=r"^A batch must hold two clips or more: .* Received: a batch of one$"):
            function([[1.0, 0.0]], [[1.0, 0.0]])
    with pytest.raises(
        ValueError, match=r"must be \(views \* clips, channels\), with 2 views .* Received: shape \(3, 2\)"
    ):
        NTXent()(np.zeros((3, 1)), np.ones((3, 2)))
