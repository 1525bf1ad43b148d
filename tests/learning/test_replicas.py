"""Contrastive losses over several replicas: as if one device had the whole batch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sertk.learning.replicas import gathered

SCRIPT = Path(__file__).with_name("on_replicas.py")


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """Of a process with two devices: a process that has begun with one can't be given another."""
    path = tmp_path_factory.mktemp("replicas") / "numbers.npz"
    result = subprocess.run([sys.executable, str(SCRIPT), str(path)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return np.load(path)


@pytest.mark.slow  # a process of its own
def test_two_replicas_are_one_with_the_whole_batch(numbers):
    """Losses, gradients, and what a training logs and learns; without gathering all of them are others."""
    assert numbers["replicas"] == 2
    names = [name.removeprefix("one_") for name in numbers if name.startswith("one_")]
    assert {"nt_xent", "nt_xent_gradient", "supervised", "supervised_gradient", "accuracy", "weights"} < set(names)
    for name in names:
        np.testing.assert_allclose(numbers[f"two_{name}"], numbers[f"one_{name}"], rtol=1e-4, atol=1e-6, err_msg=name)
    for name in (
        "nt_xent",
        "nt_xent_gradient",
        "supervised",
        "supervised_gradient",
        "weights",
        "log_loss",
        "log_val_loss",
    ):
        assert not np.allclose(numbers[f"apart_{name}"], numbers[f"one_{name}"], rtol=1e-2), name


@pytest.mark.slow
def test_parts_of_other_sizes_are_joined_in_the_replicas_order(numbers):
    np.testing.assert_array_equal(numbers["joined"], [[0, 0, 1, 1, 1]])
    np.testing.assert_array_equal(numbers["begins"], [0, 2])


def test_without_a_strategy_there_is_nothing_to_join():
    tensor = np.ones((2, 3))
    joined, begins = gathered(tensor)
    assert joined is tensor
    assert begins == 0
