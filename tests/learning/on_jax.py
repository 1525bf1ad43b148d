"""What test_contrastive_on_jax.py runs in a process of its own, on Keras's JAX backend."""

import sys

import jax
import keras
import numpy as np

from sertk.learning.nt_xent import contrastive_accuracy, nt_xent
from sertk.learning.supervised_contrastive import supervised_contrastive


def main(source, target):
    given = np.load(source)
    first, second, labels = given["first"], given["second"], given["labels"]
    together = np.concatenate([first, second])
    value, gradient = jax.jit(jax.value_and_grad(lambda views: nt_xent(views, second, 0.1)))(first)
    half = jax.grad(lambda views: nt_xent(views, second.astype("float16"), 0.01))(first.astype("float16"))
    np.savez(
        target,
        backend=keras.backend.backend(),
        nt_xent=value,
        gradient=gradient,
        half=half,
        supervised=jax.jit(lambda views: supervised_contrastive(views, labels, 0.1))(together),
        accuracy=contrastive_accuracy(first, second),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
