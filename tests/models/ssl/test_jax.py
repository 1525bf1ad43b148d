"""Speech encoders on Keras's JAX backend: TensorFlow's files and numbers, the same gradients with recomputation."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest

from sertk.models import ssl_classifier, with_hidden_states, without_lengths

pytestmark = [
    pytest.mark.slow,  # a second process, which compiles everything by XLA
    pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed: pip install 'sertk[jax]'"),
]

SCRIPT = Path(__file__).with_name("on_jax.py")
LENGTHS = np.array([4_000, 2_000, 400], "int32")


@pytest.fixture
def backbone(script):
    """One layer; recomputation, masks and every dropout are in it."""
    sizes = {"num_hidden_layers": 1, "conv_dim": [6] * 7, "mask_feature_prob": 0.2, "mask_feature_length": 3}
    return {"model_type": "wav2vec2", **script.SMALL, **script.FORMS["large"], **sizes}


@pytest.fixture
def model(backbone):
    keras.utils.set_random_seed(0)
    options = {"padded": True, "gradient_checkpointing": True, "layer_drop": 0.0, "seed": 0}
    return ssl_classifier(num_classes=3, backbone=backbone, **options)


@pytest.fixture
def waveforms():
    return 0.1 * np.random.default_rng(0).standard_normal((3, 4_000)).astype("float32")


@pytest.fixture
def on_jax(model, backbone, waveforms, tmp_path):
    """The numbers of one process on JAX."""
    np.savez(tmp_path / "inputs.npz", waveforms=waveforms, lengths=LENGTHS)
    (tmp_path / "config.json").write_text(json.dumps(backbone))
    model.save(tmp_path / "model.keras")
    jax = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    result = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path)], env=os.environ | jax, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return dict(np.load(tmp_path / "numbers.npz"))


def test_numbers_errors_gradients_and_training_are_right_on_jax(on_jax, model, waveforms):
    """One test, so that the process runs once."""
    assert str(on_jax["backend"]) == "jax"
    assert keras.backend.backend() == "tensorflow"
    inputs = [waveforms, LENGTHS]
    np.testing.assert_allclose(on_jax["padded"], model(inputs), atol=1e-5)
    np.testing.assert_allclose(on_jax["whole"], without_lengths(model)(waveforms), atol=1e-5)
    for actual, expected in zip(on_jax["states"], with_hidden_states(model)(inputs), strict=True):
        for clip, frames in enumerate((12, 6, 1)):
            np.testing.assert_allclose(actual[clip, :frames], expected[clip, :frames], atol=1e-5)
    assert "Clips must have at least 400 samples, the receptive field. Received: 399" in str(on_jax["short"])
    assert "`lengths` must be at least 400 samples" in str(on_jax["no_length"])
    check_recomputation(on_jax)
    assert np.isfinite(on_jax["losses"]).all()
    # The softmax has no gradient for the keys' bias, which moves all scores of a frame alike.
    still = {str(name) for name, moved in zip(on_jax["names"], on_jax["moved"], strict=True) if not moved}
    assert all("key/bias" in name for name in still)


def check_recomputation(on_jax):
    assert not on_jax["plain_remat"]
    assert on_jax["anew_remat"]
    names = [name for name in on_jax if name.startswith("plain_") and name != "plain_remat"]
    assert len(names) > 30
    for name in names:
        anew = on_jax[name.replace("plain", "anew")]
        np.testing.assert_allclose(anew, on_jax[name], atol=1e-5, err_msg=name)
    assert any(abs(on_jax[name]).max() > 1e-3 for name in names)
