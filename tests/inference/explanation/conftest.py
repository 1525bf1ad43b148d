"""Networks whose answers hang on what they were built to look at."""

import keras
import numpy as np
import pytest
from keras import layers

from sertk.audio import FixedLength
from sertk.features import LogMelSpectrogram
from sertk.inference import Predictor
from sertk.inference.loading import Loaded
from sertk.models import from_waveform

SAMPLES = 48_000


@pytest.fixture
def predictor_of(monkeypatch):
    """Makes a `Predictor` of a model that no run holds, with the classes a, b, ..."""

    def make(model, samples=SAMPLES, chunks_top_db=None):
        described = {"classes": "abcdefgh"[: model.output_shape[-1]], "sample_rate": 16_000, "alone": False}
        described |= {"seconds": None if samples is None else samples / 16_000, "chunks_top_db": chunks_top_db}
        answer = lambda batch: keras.ops.convert_to_numpy(model(batch, training=False))  # noqa: E731
        monkeypatch.setattr("sertk.inference.predictor.load", lambda _: Loaded(answer, described, model))
        return Predictor("nowhere")

    return make


@pytest.fixture
def looking_at(predictor_of):
    """Makes a model on 94 frames and 32 bands whose class a hangs on one part of them, and b on another.

    `a` and `b` are slices of frames and bands; `convolution`, whether a 1x1 convolution stands before.
    """

    def make(a, b, convolution=True):
        features = x = keras.Input((94, 32))
        # From -100 dB upwards, so that every cell has a value.
        x = layers.Rescaling(0.01, 1.0)(x)
        x = layers.Reshape((94, 32, 1))(x)
        if convolution:
            x = layers.Conv2D(1, 1, activation="relu", kernel_initializer="ones")(x)
            x = layers.MaxPooling2D(1)(x)
        logits = layers.Dense(2, use_bias=False, name="logits")
        network = keras.Model(features, layers.Softmax()(logits(layers.Flatten()(x))))
        weights = np.zeros((94, 32, 2), "float32")
        weights[*a, 0] = weights[*b, 1] = 0.02
        logits.set_weights([weights.reshape(-1, 2)])
        log_mel = LogMelSpectrogram(n_mels=32, hop_length=512, n_fft=1024, top_db=None)
        return predictor_of(from_waveform(network, log_mel, fixed_length=FixedLength(SAMPLES)))

    return make


@pytest.fixture
def burst():
    """Makes 3 s of faint noise with a tone in it."""

    def make(hertz, start, end, samples=SAMPLES):
        time = np.arange(samples) / 16_000
        tone = 0.5 * np.sin(2 * np.pi * hertz * time) * ((time >= start) & (time < end))
        return (tone + 1e-4 * np.random.default_rng(0).standard_normal(samples)).astype("float32")

    return make


@pytest.fixture
def noise():
    """White noise of 3 s: every cell of its spectrogram has a value."""
    return np.random.default_rng(1).uniform(-0.5, 0.5, SAMPLES).astype("float32")
