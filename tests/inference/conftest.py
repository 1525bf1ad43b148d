"""A model that needs no TensorFlow, and whose answers can be worked out by hand."""

import numpy as np
import pytest

from sertk.inference import Predictor


class EnergyPredictor(Predictor):
    """Says "early" with the share of a window's energy that lies in its first half, and "late" with the rest."""

    def __init__(self, seconds=1.0, sample_rate=16_000, shortest=1):
        self.classes = ("early", "late")
        self.sample_rate, self.shortest = sample_rate, shortest
        self.samples = None if seconds is None else round(seconds * sample_rate)
        self.chunks_top_db, self.batch, self.network = None, 32, None

    def _answer(self, windows):
        energy = np.square(windows, dtype="float64") + 1e-12
        early = energy[:, : windows.shape[1] // 2].sum(axis=1) / energy.sum(axis=1)
        return np.stack([early, 1 - early], axis=1).astype("float32")


@pytest.fixture(scope="session")
def energy_predictor():
    """The class; call it with the length that the model hears, its rate, and the shortest clip."""
    return EnergyPredictor


@pytest.fixture(scope="session")
def speech_like():
    """Makes noise whose loudness rises and falls, float32 in [-1, 1]."""

    def make(samples, seed=0):
        generator = np.random.default_rng(seed)
        loudness = np.interp(np.linspace(0, 10, samples), np.arange(11), generator.uniform(0, 0.5, 11))
        return (loudness * generator.uniform(-1, 1, samples)).astype("float32")

    return make
