"""Layers and networks on Keras's JAX backend: TensorFlow's numbers, TensorFlow's files, and a step of training."""

import os
import runpy
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest

from sertk.audio import FixedLength
from sertk.features import MFCC
from sertk.models import attentive_cnn, cnn, cnn6, cnn_transformer, from_waveform, resnet9, two_cnn, vgg15

pytestmark = [
    pytest.mark.slow,  # a second process, which compiles everything by XLA
    pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed: pip install 'sertk[jax]'"),
]

SCRIPT = Path(__file__).with_name("on_jax.py")


def on_tensorflow(function, inputs):
    return keras.ops.convert_to_numpy(function(inputs))


@pytest.fixture
def layers():
    """The layers of the script, made here on TensorFlow."""
    return runpy.run_path(str(SCRIPT))["layers"]()


@pytest.fixture
def inputs():
    rng = np.random.default_rng(0)
    waveforms = 0.1 * rng.standard_normal((3, 8_000))
    waveforms[1, :4_000] *= 1e-4
    return {
        "waveforms": waveforms.astype("float32"),
        "features": rng.standard_normal((3, 40, 32)).astype("float32"),
        "training": (0.1 * rng.standard_normal((4, 16_500))).astype("float32"),
    }


@pytest.fixture
def models(inputs):
    """Networks whose moving averages have moved, to be saved here and loaded there."""
    keras.utils.set_random_seed(0)
    networks = {
        "cnn": cnn((40, 32), 3),
        "two_cnn": two_cnn((40, 32), 3, batch_norm="channels"),
        "cnn_transformer": cnn_transformer((40, 32), 3, encoder_layers=2),
        "attentive_cnn": attentive_cnn((40, 32), 3),
        "vgg15": vgg15((40, 32), 3),
        "resnet9": resnet9((40, 32), 3),
        "cnn6": cnn6((40, 32), 3),
        "any_length": cnn((None, 32), 3, batch_norm="channels"),
    }
    for network in networks.values():
        network(inputs["features"], training=True)
    features = MFCC(n_mfcc=32, n_mels=32, hop_length=256)
    fixed_length = FixedLength(39 * 256, trim_top_db=40.0)
    return networks | {"waveform": from_waveform(networks["cnn"], features, fixed_length=fixed_length)}


@pytest.fixture
def on_jax(inputs, models, tmp_path):
    """The numbers of one process on JAX."""
    np.savez(tmp_path / "inputs.npz", **inputs)
    for name, model in models.items():
        model.save(tmp_path / f"{name}.keras")
    # Compiling takes most of the time: three times less of it without the optimisations.
    jax = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    result = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path)], env=os.environ | jax, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return np.load(tmp_path / "numbers.npz")


def test_numbers_files_and_training_are_the_same_on_jax(on_jax, layers, models, inputs):
    """One test, so that the process, which takes half a minute, runs once however many workers share the tests."""
    assert str(on_jax["backend"]) == "jax"
    assert keras.backend.backend() == "tensorflow"
    check_layers(on_jax, layers, inputs["waveforms"])
    check_noise(on_jax, inputs["waveforms"])
    check_files(on_jax, models, inputs)
    check_training(on_jax)


def check_layers(on_jax, layers, waveforms):
    """Features are the same to 0.001 dB, images to a colour, cut clips to the bit, a clip alone as in a batch."""
    for name, layer in layers.items():
        atol = 0 if isinstance(layer, FixedLength) else 4 if name == "image" else 1e-3
        np.testing.assert_allclose(on_jax[name], on_tensorflow(layer, waveforms), atol=atol, err_msg=name)
        if f"{name}_single" in on_jax:
            np.testing.assert_allclose(on_jax[f"{name}_single"], on_jax[name][0], atol=atol, err_msg=name)


def check_noise(on_jax, waveforms):
    """The noise has a power from the range, is another at every call, and is none in inference."""
    np.testing.assert_array_equal(on_jax["inference"], waveforms)
    clean = waveforms.astype("float64")
    noises = [on_jax[name] - clean for name in ("noisy", "noisy_again")]
    for noise in noises:
        snr = 10 * np.log10(np.mean(clean**2, axis=1) / np.mean(noise**2, axis=1))
        assert ((snr > 14.9) & (snr < 30.1)).all()
    assert not np.allclose(*noises)


def check_files(on_jax, models, inputs):
    """A file that was saved on TensorFlow gives the same probabilities."""
    for name, model in models.items():
        expected = on_tensorflow(model, inputs["waveforms" if name == "waveform" else "features"])
        np.testing.assert_allclose(on_jax[name], expected, atol=1e-4, err_msg=name)


def check_training(on_jax):
    """Two steps from waveforms give finite losses and move every weight."""
    for name in ("cnn", "two_cnn", "cnn_transformer", "attentive_cnn"):
        losses = on_jax[f"{name}_losses"]
        assert np.isfinite(losses).all(), name
        assert (losses > 0).all(), name
        assert on_jax[f"{name}_moved"].all(), name
