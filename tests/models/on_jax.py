"""What test_jax.py runs in a process of its own, on Keras's JAX backend: folder of inputs in, file of numbers out."""

import sys
from pathlib import Path

import keras
import numpy as np

from sertk.audio import FixedLength
from sertk.augment import AWGN
from sertk.features import MFCC, LogMelSpectrogram, SpectrogramImage
from sertk.models import attentive_cnn, cnn, cnn_transformer, from_waveform, load, two_cnn

# Layers that also get a clip without a batch.
SINGLE = ("mfcc", "trimmed")
SMALL = {"encoder_layers": 1, "feed_forward": 8}


def layers():
    """Each layer that changes waveforms, by name; the test makes the same on TensorFlow."""
    return {
        "log_mel": LogMelSpectrogram(),
        "log_mel_256": LogMelSpectrogram(hop_length=256, ref="max"),
        "log_mel_odd": LogMelSpectrogram(n_fft=401, hop_length=160, n_mels=20, top_db=None),
        "mfcc": MFCC(n_mfcc=128),
        "image": SpectrogramImage(60, 80),
        "repeated": FixedLength(9_000, pad="repeat"),
        "trimmed": FixedLength(3_000, trim_top_db=30.0),
    }


def train(network, waveforms):
    """Two steps, from waveforms with noise on; the losses, and whether every weight moved and stayed finite."""
    features = MFCC(n_mfcc=32, n_mels=32, n_fft=512)
    fixed_length = FixedLength(16_000, crop="start")
    model = from_waveform(network, features, samples=waveforms.shape[1], fixed_length=fixed_length, noise=AWGN(seed=0))
    model.compile(keras.optimizers.Adam(1e-3), loss="categorical_crossentropy")
    before = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_variables]
    labels = np.eye(3, dtype="float32")[np.arange(len(waveforms)) % 3]
    losses = [float(model.train_on_batch(waveforms, labels)) for _ in range(2)]
    after = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_variables]
    moved = [not np.array_equal(old, new) and np.isfinite(new).all() for old, new in zip(before, after, strict=True)]
    return losses, moved


def main(folder):
    inputs = np.load(folder / "inputs.npz")
    waveforms, features = inputs["waveforms"], inputs["features"]
    numbers = {"backend": keras.backend.backend()}
    for name, layer in layers().items():
        numbers[name] = layer(waveforms)
    for name in SINGLE:
        numbers[f"{name}_single"] = layers()[name](waveforms[0])
    noise = AWGN(seed=0)
    numbers |= {"inference": noise(waveforms), "noisy": noise(waveforms, training=True)}
    numbers["noisy_again"] = noise(waveforms, training=True)
    for path in sorted(folder.glob("*.keras")):
        numbers[path.stem] = load(path)(waveforms if path.stem.startswith("waveform") else features)
    for builder, options in ((cnn, {}), (two_cnn, {}), (cnn_transformer, SMALL), (attentive_cnn, {"width": 4})):
        losses, moved = train(builder((32, 32), 3, **options), inputs["training"])
        numbers |= {f"{builder.__name__}_losses": losses, f"{builder.__name__}_moved": moved}
    np.savez(folder / "numbers.npz", **{name: np.asarray(value) for name, value in numbers.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
