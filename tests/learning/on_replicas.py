"""What test_replicas.py runs in a process of its own, on two devices: losses and weights of each way, as a file."""

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from sertk.learning.contrastive import Contrastive
from sertk.learning.nt_xent import contrastive_accuracy, nt_xent
from sertk.learning.replicas import gathered
from sertk.learning.supervised_contrastive import supervised_contrastive
from sertk.models.projection_head import projection_head

CLIPS = 6
RNG = np.random.default_rng(0)
FIRST, SECOND = RNG.standard_normal((2, CLIPS, 5)).astype("float32")
LABELS = np.eye(2, dtype="float32")[[0, 1, 1, 0, 1, 1]]
KERNEL = RNG.standard_normal((5, 4)).astype("float32")


def losses(first, second, labels, across):
    return {
        "nt_xent": nt_xent(first, second, 0.2, across),
        "supervised": supervised_contrastive(tf.concat([first, second], 0), labels, 0.2, across_replicas=across),
        "accuracy": contrastive_accuracy(first, second, across),
    }


def measured(strategy, across):
    """Each loss as the mean of what the replicas say, and its gradient to a kernel as they sum it."""
    with strategy.scope():
        kernel = tf.Variable(KERNEL)
    replicas = strategy.num_replicas_in_sync

    def step(first, second, labels):
        with tf.GradientTape(persistent=True) as tape:
            given = losses(first @ kernel, second @ kernel, labels, across)
        said = {}
        for name, loss in given.items():
            gradient = tape.gradient(loss, kernel)
            said[name] = tf.distribute.get_replica_context().all_reduce("sum", loss) / replicas
            if gradient is not None:
                said[f"{name}_gradient"] = tf.distribute.get_replica_context().all_reduce("sum", gradient) / replicas
        return said

    data = tf.data.Dataset.from_tensor_slices((FIRST, SECOND, LABELS)).batch(CLIPS)
    batch = next(iter(strategy.experimental_distribute_dataset(data)))
    said = tf.function(lambda: strategy.run(step, batch))()
    return {name: strategy.experimental_local_results(value)[0].numpy() for name, value in said.items()}


def trained(strategy, across):
    """The log and the weights after two epochs; the views are the clips, so that nothing is drawn."""
    keras.utils.set_random_seed(0)
    with strategy.scope():
        features = keras.Input((3, 5))
        body = keras.Model(features, layers.Flatten()(layers.Dense(4, activation="relu")(features)))
        model = Contrastive(body, projection_head(12, (4,)), layers.Identity(), across_replicas=across)
        model.compile(keras.optimizers.SGD(0.5))
    clips = np.random.default_rng(1).standard_normal((8, 3, 5)).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((clips, LABELS[[0] * 8])).batch(8)
    log = model.fit(data, validation_data=data, epochs=2, verbose=0).history
    weights = np.concatenate([weight.numpy().ravel() for weight in body.weights])
    return {f"log_{name}": np.array(values) for name, values in log.items()} | {"weights": weights}


def unequal(strategy):
    """Parts of other sizes, joined: the whole and where each part begins."""

    def step():
        number = tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.int32)
        joined, begins = gathered(tf.fill([1, 2 + number], number), axis=1)
        return joined, tf.distribute.get_replica_context().all_gather(tf.reshape(begins, (1,)), axis=0)

    joined, begins = tf.function(lambda: strategy.run(step))()
    return {
        "joined": strategy.experimental_local_results(joined)[0],
        "begins": strategy.experimental_local_results(begins)[0],
    }


def main(path):
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    one, two = tf.distribute.MirroredStrategy(["CPU:0"]), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    numbers = {"replicas": two.num_replicas_in_sync} | unequal(two)
    for name, strategy, across in (("one", one, True), ("two", two, True), ("apart", two, False)):
        said = measured(strategy, across) | trained(strategy, across)
        numbers |= {f"{name}_{key}": value for key, value in said.items()}
    np.savez(path, **numbers)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
