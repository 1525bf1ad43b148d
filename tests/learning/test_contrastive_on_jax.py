"""The contrastive losses on Keras's JAX backend: TensorFlow's numbers, compiled, and gradients."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from sertk.learning.nt_xent import contrastive_accuracy, nt_xent
from sertk.learning.supervised_contrastive import supervised_contrastive

pytestmark = [
    pytest.mark.slow,  # a second process
    pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed: pip install 'sertk[jax]'"),
]

SCRIPT = Path(__file__).with_name("on_jax.py")


def test_losses_and_gradients_are_the_same_on_jax(tmp_path):
    first, second = np.random.default_rng(0).standard_normal((2, 6, 4)).astype("float32")
    first[0] = 0
    labels = np.eye(3, dtype="float32")[[0, 1, 1, 2, 0, 1]]
    np.savez(tmp_path / "given.npz", first=first, second=second, labels=labels)
    result = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path / "given.npz"), str(tmp_path / "numbers.npz")],
        env=os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    numbers = np.load(tmp_path / "numbers.npz")
    assert str(numbers["backend"]) == "jax"
    variable = tf.Variable(first)
    with tf.GradientTape() as tape:
        loss = nt_xent(variable, second, 0.1)
    expected = {
        "nt_xent": loss,
        "gradient": tape.gradient(loss, variable),
        "supervised": supervised_contrastive(np.concatenate([first, second]), labels, 0.1),
        "accuracy": contrastive_accuracy(first, second),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(numbers[name], value, rtol=1e-4, atol=1e-6, err_msg=name)
    assert numbers["half"].dtype == np.float16
    assert np.isfinite(numbers["half"]).all()
