"""The supervised contrastive loss: L_out by hand and by a literal loop; NT-Xent where each clip is its own class."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from sertk.learning.nt_xent import nt_xent
from sertk.learning.supervised_contrastive import SupervisedContrastive, supervised_contrastive

E1, E2 = [1.0, 0.0], [0.0, 1.0]


def literal(embeddings, classes, temperature):
    """Khosla et al., eq. (2), term by term in float64, with a class for each vector; None where no anchor has one."""
    z = [np.asarray(vector, "float64") / np.linalg.norm(vector) for vector in embeddings]
    losses = []
    for i in range(len(z)):
        positives = [p for p in range(len(z)) if p != i and classes[p] == classes[i]]
        if positives:
            below = sum(math.exp(z[i] @ z[a] / temperature) for a in range(len(z)) if a != i)
            told = [math.log(math.exp(z[i] @ z[p] / temperature) / below) for p in positives]
            losses.append(-sum(told) / len(positives))
    return np.mean(losses) if losses else None


def vectors(count, seed=0):
    return np.random.default_rng(seed).standard_normal((count, 4)).astype("float32")


def test_a_clip_without_another_of_its_class_is_left_out():
    """Two clips of one class at cosine 1, both at 0 to the third: log(e + 1) - 1 each, the third without a positive."""
    loss = supervised_contrastive([E1, E1, E2], np.eye(2)[[0, 0, 1]], 1.0, views=1)
    np.testing.assert_allclose(loss, math.log(1 + 1 / math.e), rtol=1e-6)


def test_the_mean_over_positives_stands_outside_of_the_logarithm():
    """All of one class. (1, 0): positives at 1 and 0, so log(e + 1) - 1/2, twice; (0, 1): both at 0, so log 2.

    With the mean inside, L_in, the first would be log(e + 1) - log((e + 1) / 2) = log 2 too.
    """
    loss = supervised_contrastive([E1, E1, E2], np.ones((3, 1)), 1.0, views=1)
    np.testing.assert_allclose(loss, (2 * (math.log(math.e + 1) - 0.5) + math.log(2)) / 3, rtol=1e-6)


def test_nobody_with_another_of_its_class_is_no_loss():
    embeddings = tf.constant(vectors(3))
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        loss = supervised_contrastive(embeddings, np.eye(3), 0.1, views=1)
    assert float(loss) == 0
    np.testing.assert_array_equal(tape.gradient(loss, embeddings), np.zeros((3, 4)))


@pytest.mark.parametrize("views", [1, 2, 3])
def test_is_the_published_loss_term_by_term(views):
    classes = [0, 2, 0, 1, 2, 0]
    embeddings, labels = vectors(6 * views), np.eye(3, dtype="float32")[classes]
    expected = literal(embeddings, classes * views, 0.2)
    np.testing.assert_allclose(supervised_contrastive(embeddings, labels, 0.2, views), expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_where_each_clip_is_a_class_of_its_own_it_is_nt_xent(dtype):
    embeddings = vectors(10).astype(dtype)
    expected = nt_xent(embeddings[:5], embeddings[5:], 0.05)
    for labels in (np.eye(5), np.zeros((5, 3))):  # a row of zeros: of unknown class
        np.testing.assert_allclose(supervised_contrastive(embeddings, labels.astype(dtype), 0.05), expected, rtol=1e-6)


def test_clips_of_unknown_class_have_their_other_views_alone():
    labels = np.array([[1, 0], [0, 0], [1, 0], [0, 0]])
    embeddings = vectors(8)
    expected = literal(embeddings, ["a", "unknown 1", "a", "unknown 2"] * 2, 0.3)
    np.testing.assert_allclose(supervised_contrastive(embeddings, labels, 0.3), expected, rtol=1e-5)


def test_the_loss_object_is_the_same_for_batches_of_any_size():
    loss = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(SupervisedContrastive(0.3)))
    signature = [tf.TensorSpec((None, 3)), tf.TensorSpec((None, 4))]
    compiled = tf.function(lambda labels, embeddings: loss(labels, embeddings), input_signature=signature)
    for classes in ([0, 1, 1], [2, 2, 0, 1]):
        embeddings = vectors(2 * len(classes))
        expected = literal(embeddings, classes * 2, 0.3)
        np.testing.assert_allclose(compiled(np.eye(3, dtype="float32")[classes], embeddings), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("embeddings", "labels", "options", "message"),
    [
        ((6, 4), (3,), {}, r"`labels` must be one-hot, \(clips, classes\).* Received: shape \(3,\) for 3 clips"),
        ((6, 4), (6, 2), {}, r"`labels` must be one-hot.* Received: shape \(6, 2\) for 3 clips"),
        ((6, 4), (), {}, r"`labels` must be one-hot.* Received: shape \(\)"),
        ((5, 4), (2, 2), {}, r"`embeddings` must be .*with 2 views of each clip\. Received: shape \(5, 4\)"),
        ((6,), (3, 2), {}, r"`embeddings` must be .* Received: shape \(6,\)"),
        ((2, 4), (1, 2), {}, r"A batch must hold two clips or more"),
        (
            (6, 4),
            (3, 2),
            {"temperature": 0},
            r"`temperature` must be a finite number above 0\. Received: temperature=0",
        ),
        ((6, 4), (3, 2), {"views": 0}, r"`views` must be a positive integer\. Received: views=0"),
        ((6, 4), (3, 2), {"views": 1.5}, r"`views` must be a positive integer\. Received: views=1.5"),
    ],
)
def test_what_can_be_no_batch(embeddings, labels, options, message):
    with pytest.raises(ValueError, match=message):
        supervised_contrastive(np.ones(embeddings, "float32"), np.ones(labels, "float32"), **options)
