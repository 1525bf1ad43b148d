"""What the tests of both wrappers share: batches as `fit` takes them, and a run that is stopped and goes on."""

import keras
import numpy as np
import pytest
import tensorflow as tf


class Batches:
    """Arrays in batches, in their order, with what `fit` asks of `sertk.pipeline.Clips`."""

    def __init__(self, inputs, labels, size):
        self.dataset = tf.data.Dataset.from_tensor_slices((inputs, labels)).batch(size)
        self.epoch = tf.Variable(0, dtype=tf.int64)
        self.padded = False
        self.passes = None


@pytest.fixture
def batches():
    return Batches


@pytest.fixture
def resumes(tmp_path):
    """A function that proves that training in two halves gives the log and the weights of training at once.

    It is given `wrapped`, a function that makes the model anew, and the batches for training and validation.
    """
    from sertk.learning import fit

    def check(wrapped, train, validation):
        def trained(folder, *halves):
            for epochs in halves:
                keras.utils.set_random_seed(1)
                model = wrapped()
                log = fit(
                    model,
                    train,
                    validation,
                    tmp_path / folder,
                    optimizer=keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(1e-2, 3, 0.9)),
                    label_smoothing=0.1,
                    epochs=epochs,
                    patience=None,
                    verbose=0,
                )
            return log.log.drop(columns="seconds"), model.base_model.get_weights()

        log, weights = trained("whole", 4)
        resumed, again = trained("stopped", 2, 4)
        assert list(resumed["epoch"]) == [1, 2, 3, 4]
        np.testing.assert_allclose(resumed, log, rtol=1e-4, atol=1e-6)
        for actual, expected in zip(again, weights, strict=True):
            np.testing.assert_allclose(actual, expected, atol=1e-5)
        return log

    return check
