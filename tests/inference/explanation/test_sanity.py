"""Where the answer is known, an explanation gives it; where weights are random, it gives something else."""

import keras
import numpy as np
import pytest
from keras import layers
from scipy.stats import spearmanr

from sertk.audio import FixedLength
from sertk.features import MFCC, LogMelSpectrogram
from sertk.inference import explain
from sertk.inference.explanation.grad_cam import grad_cam
from sertk.models import attentive_cnn, cnn, from_waveform

METHODS = ("grad-cam", "integrated-gradients")
ALL = slice(None)
# Paper 004's networks as published attend over one frame where a clip has one.
pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis")


@pytest.mark.parametrize("method", METHODS)
def test_a_network_that_looks_at_one_band_is_found_out(looking_at, noise, method):
    predictor = looking_at(a=(ALL, slice(10, 13)), b=(ALL, slice(20, 21)))
    for emotion, bands in (("a", [10, 11, 12]), ("b", [20])):
        explanation = explain(predictor, noise, emotion=emotion, method=method)
        assert explanation.heat.shape == explanation.spectrogram.shape == (94, 32)
        assert set(np.flatnonzero(explanation.over_bands > 1e-9)) == set(bands)
        assert (np.abs(explanation.heat[:, bands]) > 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_network_that_looks_at_one_moment_is_found_out(looking_at, noise, method):
    predictor = looking_at(a=(slice(60, 63), ALL), b=(slice(0, 1), ALL))
    explanation = explain(predictor, noise, emotion="a", method=method)
    assert set(np.flatnonzero(explanation.over_time > 1e-9)) == {60, 61, 62}
    first, last = explanation.strongest["seconds"]
    assert 60 * 0.032 <= first <= last <= 62 * 0.032


def test_integrated_gradients_say_what_speaks_against(looking_at, noise):
    explanation = explain(
        looking_at((ALL, slice(10, 13)), (ALL, slice(20, 21))), noise, emotion="a", method="integrated-gradients"
    )
    assert (explanation.heat[:, 20] < 0).all()


def test_published_grad_cam_shows_places_that_the_network_does_not_look_at(looking_at, noise):
    """With gradients averaged over all places, as Draelos and Carin (2020) show; why it is not what we take."""
    predictor = looking_at((ALL, slice(10, 13)), (ALL, slice(20, 21)))
    network = predictor.network.layers[-1]
    features = predictor.network.layers[-2](noise[None])
    ours, published = (grad_cam(network, features, 0, averaged=averaged) for averaged in (False, True))
    looked_at = np.zeros(32, bool)
    looked_at[10:13] = True
    assert ours[:, ~looked_at].max() == 0
    assert (published[:, ~looked_at] > 0).all()


def test_both_forms_of_grad_cam_agree_where_a_network_averages_its_maps():
    """Then the gradient is the same at all places, by the definition of an average."""
    keras.utils.set_random_seed(3)
    features = x = keras.Input((20, 16))
    x = layers.Conv2D(4, 3, activation="relu")(layers.Reshape((20, 16, 1))(x))
    x = layers.Dense(3)(layers.GlobalAveragePooling2D()(x))
    network = keras.Model(features, layers.Softmax()(x))
    features = np.random.default_rng(0).standard_normal((1, 20, 16)).astype("float32")
    heats = [grad_cam(network, features, place) for place in range(3)]
    assert np.max(heats) > 0
    for place, heat in enumerate(heats):
        np.testing.assert_allclose(heat, grad_cam(network, features, place, averaged=True), rtol=1e-4, atol=1e-9)


def loudness_network():
    """Hears nothing but how much lies above -20 dB, anywhere."""
    features = keras.Input((94, 64))
    x = layers.Rescaling(0.01, 0.2)(features)
    x = layers.Reshape((94, 64, 1))(x)
    for pool in (2, 4, 1):
        x = layers.Conv2D(1, 1, activation="relu", use_bias=False)(x)
        x = layers.MaxPooling2D(pool)(x)
    x = layers.Flatten()(x)
    network = keras.Model(features, layers.Softmax()(layers.Dense(2)(x)))
    network.set_weights(
        [np.ones((1, 1, 1, 1), "float32")] * 3 + [np.stack([np.ones(x.shape[1]), np.zeros(x.shape[1])], 1), np.zeros(2)]
    )
    return network


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("hertz", "start"), [(1_000, 0.8), (3_000, 0.3), (500, 2.55)])
def test_a_tone_is_found_where_and_as_high_as_it_sounds(predictor_of, burst, method, hertz, start):
    """Near the end too: 94 frames leave a rest that the pools drop, and a map must not be stretched over it."""
    log_mel = LogMelSpectrogram(n_mels=64, hop_length=512, n_fft=1024)
    predictor = predictor_of(from_waveform(loudness_network(), log_mel, fixed_length=FixedLength(48_000)))
    explanation = explain(predictor, burst(hertz, start, start + 0.3), emotion="a", method=method)
    assert explanation.times[explanation.over_time.argmax()] == pytest.approx(start + 0.15, abs=0.25)
    peak = explanation.frequencies[explanation.over_bands.argmax()]
    assert 0.6 * hertz < peak < 1.65 * hertz
    first, last = explanation.strongest["seconds"]
    assert start - 0.2 < first <= last < start + 0.5
    middle = np.average(explanation.times, weights=np.maximum(explanation.over_time, 0))
    assert middle == pytest.approx(start + 0.15, abs=0.16)


def test_mfcc_are_explained_in_bands(predictor_of, burst):
    """The answer hangs on one coefficient of all; what is drawn are the bands beneath, and the tone's is among them."""
    features = keras.Input((94, 20))
    x = layers.Flatten()(features[:, :, :1])
    dense = layers.Dense(2, use_bias=False)
    network = keras.Model(features, layers.Softmax()(dense(x)))
    dense.set_weights([np.stack([np.full(94, 2e-5), np.zeros(94)], 1)])
    mfcc = MFCC(n_mfcc=20, n_mels=64, n_fft=1024)
    predictor = predictor_of(from_waveform(network, mfcc, fixed_length=FixedLength(48_000)))
    explanation = explain(predictor, burst(2_000, 1.0, 1.5), emotion="a")
    assert explanation.method == "integrated-gradients"
    assert explanation.heat.shape == (94, 64)
    # The first coefficient is the sum of all bands: the share of each is its level over silence's.
    above_silence = explanation.spectrogram + 100
    shares = explanation.heat / explanation.heat.sum()
    np.testing.assert_allclose(shares, above_silence / above_silence.sum(), atol=1e-5)
    assert explanation.heat.sum() == pytest.approx(explanation.probability - explanation.silence, abs=1e-4)


@pytest.mark.parametrize(
    ("builder", "layer", "method"),
    [
        (cnn, MFCC(n_mfcc=32, n_mels=32), "integrated-gradients"),
        (cnn, LogMelSpectrogram(n_mels=32), "grad-cam"),
        (attentive_cnn, LogMelSpectrogram(n_mels=32), "grad-cam"),
    ],
    ids=["mfcc", "log-mel", "attentive"],
)
def test_other_weights_make_another_picture(predictor_of, noise, burst, builder, layer, method):
    """Adebayo et al. (2018): what random weights leave as it is, is a picture of the sound, not of the network."""
    sound = burst(800, 0.5, 2.0) + 0.1 * noise
    heats = []
    for seed in range(3):
        keras.utils.set_random_seed(seed)
        predictor = predictor_of(from_waveform(builder((94, 32), 4), layer, fixed_length=FixedLength(48_000)))
        explanation = explain(predictor, sound, emotion="c", method=method, steps=16)
        heats.append(explanation.heat.ravel())
    alike = [spearmanr(heats[one], heats[other]).statistic for one, other in ((0, 1), (0, 2), (1, 2))]
    assert np.mean(alike) < 0.65, alike


def test_the_same_weights_make_the_same_picture(looking_at, noise):
    predictor = looking_at((ALL, slice(3, 5)), (ALL, slice(8, 9)))
    one, other = (explain(predictor, noise).heat for _ in range(2))
    np.testing.assert_array_equal(one, other)
