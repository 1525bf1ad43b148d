"""What a training leaves behind is gone when it is over, and what was there before stays."""

import gc

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.func_graph import FuncGraph

from sertk.tuning.forgetting import forgetting


def train():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(tf.data.Dataset.from_tensors((np.ones((3, 4), "float32"), np.zeros(3))), verbose=0)


def graphs():
    gc.collect()
    # Not isinstance: it asks a weak proxy for the class of what is gone.
    return sum(issubclass(type(thing), FuncGraph) for thing in gc.get_objects())


@pytest.mark.slow
def test_no_graph_stays_of_a_training():
    with forgetting():
        train()
    before = graphs()
    for _ in range(3):
        with forgetting():
            train()
    assert graphs() <= before


def test_graphs_go_when_a_training_fails():
    @forgetting()
    def fail():
        train()
        raise ValueError("diverged")

    before = graphs()
    with pytest.raises(ValueError, match="diverged"):
        fail()
    assert graphs() <= before


def test_a_gradient_that_was_there_before_can_be_taken_after():
    """d/dx of x squared, which is told to be 5 whatever x is, in a graph whose gradient is asked for afterwards."""

    @tf.custom_gradient
    def squared(x):
        return x * x, lambda upstream: upstream * 5.0

    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder("float32", ())
        y = squared(x)
    with forgetting():
        train()
    with graph.as_default(), tf.compat.v1.Session() as session:
        (slope,) = tf.gradients(y, x)
        assert session.run(slope, {x: 3.0}) == 5.0
