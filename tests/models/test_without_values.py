"""Networks without values: shapes are there, values are never made, errors come through."""

import keras
import numpy as np
import pytest

from sertk.models.without_values import without_values


def test_shapes_are_known_and_values_are_never_made():
    made = []

    def initializer(shape, dtype=None):
        made.append(shape)
        return keras.ops.zeros(shape, dtype)

    def build():
        inputs = keras.Input((3,))
        return keras.Model(inputs, keras.layers.Dense(4, kernel_initializer=initializer)(inputs))

    model = without_values(build)
    assert [tuple(weight.shape) for weight in model.weights] == [(3, 4), (4,)]
    assert model.count_params() == 16
    # Leaving a scope, Keras makes the values of all weights that it knows to have none.
    with keras.StatelessScope():
        pass
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    other.compile("sgd", "mse")
    other.fit(np.zeros((2, 3)), np.zeros((2, 2)), verbose=0)
    assert not made


def test_the_policy_is_the_callers():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        layer = without_values(lambda: keras.layers.Dense(2))
    finally:
        keras.config.set_dtype_policy("float32")
    assert layer.compute_dtype == "float16"
    assert keras.layers.Dense(2).compute_dtype == "float32"


def test_what_goes_wrong_is_told():
    def build():
        raise ValueError("no such network")

    with pytest.raises(ValueError, match="no such network"):
        without_values(build)
