"""Which method explains which network, where in a clip it looks, and what is refused."""

import keras
import numpy as np
import pytest
from keras import layers

from sertk.audio import FixedLength
from sertk.export import export_saved_model
from sertk.features import MFCC, LogMelSpectrogram, SpectrogramImage
from sertk.inference import Predictor, explain
from sertk.inference.explanation.anatomy import Anatomy, feature_maps
from sertk.inference.explanation.pixels import from_pixels
from sertk.models import (
    cnn,
    cnn6,
    cnn_transformer,
    ensemble,
    from_waveform,
    resnet9,
    speech_simclr,
    transfer_head,
    two_cnn,
    vgg15,
)

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis")


@pytest.mark.parametrize(
    ("network", "shapes"),
    [
        # Frames and bands where the last convolution stands, by the strides before it.
        (lambda: cnn((94, 128)), [(11, 16, 64)]),
        (lambda: two_cnn((94, 128)), [(11, 16, 64)] * 2),
        (lambda: vgg15((373, 64)), None),
        (lambda: resnet9((373, 64)), [(12, 2, 512)]),
        (lambda: cnn6((373, 64)), None),
        (lambda: transfer_head((64, 64, 3), 3, backbone="squeezenet"), [(3, 3, 512)]),
        (lambda: cnn_transformer((94, 128), encoder_layers=1, feed_forward=8), []),
        (lambda: speech_simclr((94, 32), channels=12, encoder_layers=1, heads=2, feed_forward=8), []),
    ],
    ids=["cnn", "two_cnn", "vgg15", "resnet9", "cnn6", "squeezenet", "cnn_transformer", "speech_simclr"],
)
def test_the_last_feature_map_is_found_in_every_network(network, shapes):
    maps = feature_maps(network())
    if shapes is None:
        assert len(maps) == 1
        assert len(maps[0].shape) == 4
        assert maps[0].shape[1] > 1
    else:
        assert [tuple(found.shape[1:]) for found in maps] == shapes


def clip(seconds, seed=0):
    return np.random.default_rng(seed).uniform(-0.3, 0.3, round(16_000 * seconds)).astype("float32")


def model_of(network, layer, samples=16_000, **cutting):
    return from_waveform(network, layer, fixed_length=FixedLength(samples, **cutting))


LOG_MEL = {"n_mels": 32, "n_fft": 1024}


def test_networks_with_a_way_past_their_convolutions_get_integrated_gradients(predictor_of):
    parallel = cnn_transformer((32, 32), 3, encoder_layers=1, feed_forward=8)
    predictor = predictor_of(model_of(parallel, LogMelSpectrogram(**LOG_MEL)), 16_000)
    assert explain(predictor, clip(1), steps=4).method == "integrated-gradients"
    with pytest.raises(ValueError, match=r"must have convolutions through which all .* Received: cnn_transformer"):
        explain(predictor, clip(1), method="grad-cam")


def test_an_ensemble_is_the_average_of_its_members(predictor_of):
    log_mel = LogMelSpectrogram(**LOG_MEL)
    members = [cnn((32, 32), 3, name=name) for name in ("first", "second")]
    together = explain(predictor_of(model_of(ensemble(members), log_mel), 16_000), clip(1), emotion="b")
    apart = [explain(predictor_of(model_of(member, log_mel), 16_000), clip(1), emotion="b") for member in members]
    assert together.method == "grad-cam"
    np.testing.assert_allclose(together.heat, np.mean([one.heat for one in apart], axis=0), rtol=1e-4, atol=1e-9)


def test_a_network_with_an_embedding_is_explained_by_its_features(predictor_of):
    given = [keras.Input((None,), name="waveform"), keras.Input((), dtype="int32", name="lengths")]
    vector = layers.Dense(8)(keras.ops.mean(keras.ops.abs(given[0]), axis=1, keepdims=True))
    embedder = keras.Model(given, vector, name="embedder")
    network = cnn6((32, 32), 3, units=8, fusion="add", upstream=8)
    model = from_waveform(network, LogMelSpectrogram(**LOG_MEL), fixed_length=FixedLength(16_000), embedder=embedder)
    predictor = predictor_of(model, 16_000)
    assert explain(predictor, clip(1)).heat.shape == (32, 32)
    explanation = explain(predictor, clip(1), emotion="a", method="integrated-gradients")
    assert explanation.heat.sum() == pytest.approx(explanation.probability - explanation.silence, abs=0.01)


def test_features_are_normalised_on_the_way(predictor_of, noise):
    """The explanation asks the same network as the prediction does: at the end of its line it says the same."""
    normalization = keras.layers.Normalization(mean=-30.0, variance=400.0)
    network = cnn((32, 32), 3)
    log_mel = LogMelSpectrogram(**LOG_MEL)
    model = from_waveform(network, log_mel, fixed_length=FixedLength(16_000), normalization=normalization)
    anatomy = Anatomy(model)
    waveform = noise[:16_000]
    answer = network(anatomy.inputs(log_mel(anatomy.heard(waveform)), waveform), training=False)
    np.testing.assert_allclose(answer, model(waveform[None], training=False), atol=1e-6)


def test_grad_cam_on_mfcc_shows_coefficients_and_says_so(predictor_of):
    predictor = predictor_of(model_of(cnn((32, 32), 3), MFCC(n_mfcc=32, n_mels=40)), 16_000)
    explanation = explain(predictor, clip(1), method="grad-cam")
    assert explanation.heat.shape == explanation.spectrogram.shape == (32, 32)
    assert explanation.frequencies is None
    if explanation.strongest is not None:
        assert "within coefficients" in explanation.sentence()


@pytest.mark.parametrize("kind", ["mel", "stft"])
def test_pictures_are_explained_as_the_spectrograms_that_they_show(predictor_of, kind, burst):
    """A network that sees the green of bright pixels; in viridis loud is bright, and the tone is at 2 kHz and 0.5 s."""
    features = keras.Input((48, 64, 3))
    x = layers.Conv2D(1, 1, activation="relu", use_bias=False)(layers.Rescaling(1 / 255, -0.55)(features))
    x = layers.GlobalAveragePooling2D()(x)
    network = keras.Model(features, layers.Softmax()(layers.Dense(2)(x)))
    network.set_weights([np.float32([[[[0], [1], [0]]]]), np.float32([[200, 0]]), np.zeros(2, "float32")])
    layer = SpectrogramImage(48, 64, kind=kind, n_fft=512, hop_length=128, n_mels=64)
    predictor = predictor_of(model_of(network, layer), 16_000)
    explanation = explain(predictor, burst(2_000, 0.4, 0.6, 16_000), emotion="a")
    assert explanation.method == "grad-cam"
    assert explanation.heat.shape == explanation.spectrogram.shape == (126, 64 if kind == "mel" else 257)
    assert explanation.times[explanation.over_time.argmax()] == pytest.approx(0.5, abs=0.12)
    assert explanation.frequencies[explanation.over_bands.argmax()] == pytest.approx(2_000, rel=0.2)
    explanation = explain(predictor, burst(2_000, 0.4, 0.6, 16_000), emotion="a", method="integrated-gradients")
    assert explanation.heat.sum() == pytest.approx(explanation.probability - explanation.silence, rel=0.02)


def test_pixels_go_back_to_their_cells():
    heat = np.arange(6.0).reshape(2, 3)  # two rows of pixels, the lower one first in frequency
    np.testing.assert_allclose(from_pixels(heat, (3, 2)), heat[::-1].T)
    wide = from_pixels(heat, (6, 4), averages=False)
    assert wide.sum() == pytest.approx(heat.sum())
    np.testing.assert_allclose(wide[:2, :2], heat[1, 0] / 4)
    np.testing.assert_allclose(from_pixels(heat, (1, 1)), [[2.5]])
    np.testing.assert_allclose(from_pixels(np.ones((5, 7)), (3, 2)), np.ones((3, 2)))


def test_times_are_those_of_the_clip(predictor_of):
    """Of 4 s the middle second is heard, of 0.4 s all, and padding; between silences, from where the sound begins."""
    layer = LogMelSpectrogram(**LOG_MEL)
    predictor = predictor_of(model_of(cnn((32, 32), 3), layer), 16_000)
    long, short = explain(predictor, clip(4)), explain(predictor, clip(0.4))
    assert (long.times[0], long.ends) == pytest.approx((1.5, 2.5))
    assert np.diff(long.times) == pytest.approx(512 / 16_000)
    assert (short.times[0], short.ends) == pytest.approx((0, 0.4))
    trimmed = predictor_of(model_of(cnn((32, 32), 3), layer, trim_top_db=40.0), 16_000)
    silence = np.zeros(16_000, "float32")
    between = explain(trimmed, np.concatenate([silence, clip(0.5), silence]))
    assert between.times[0] == pytest.approx(1, abs=0.1)
    assert between.ends == pytest.approx(1.5, abs=0.1)
    starts = predictor_of(model_of(cnn((32, 32), 3), layer, crop="start"), 16_000)
    assert explain(starts, clip(4)).times[0] == 0
    early = LogMelSpectrogram(center=False, **LOG_MEL)
    first = explain(predictor_of(model_of(cnn((32, 32), 3), early, 16_896), 16_896), clip(2)).times[0]
    assert first == pytest.approx((16_000 - 8_448) / 16_000 + 512 / 16_000)  # the middle of the first frame


def test_what_can_not_be_explained_is_refused(predictor_of, finished_run, tmp_path):
    saved_model = Predictor(export_saved_model(finished_run, tmp_path / "1"))
    with pytest.raises(ValueError, match=r"`model` must be a run: what was exported .* holds no layers"):
        explain(saved_model, clip(1))
    on_waveforms = keras.Sequential([keras.Input((16_000,)), layers.Dense(3), layers.Softmax()])
    with pytest.raises(ValueError, match="must hear features, of which times and bands can be shown"):
        explain(predictor_of(from_waveform(on_waveforms, fixed_length=FixedLength(16_000)), 16_000), clip(1))
    log_mel = LogMelSpectrogram(**LOG_MEL)
    chunks = predictor_of(model_of(cnn((32, 32), 3), log_mel), 16_000, chunks_top_db=30.0)
    with pytest.raises(ValueError, match="`model` must hear clips: this one hears chunks of 1 s"):
        explain(chunks, clip(2.5))
    predictor = predictor_of(model_of(cnn((32, 32), 3), log_mel), 16_000)
    with pytest.raises(ValueError, match=r"`emotion` must be one of a, b, c\. Received: emotion='joy'"):
        explain(predictor, clip(1), emotion="joy")
    with pytest.raises(ValueError, match="`method` must be one of auto, grad-cam, integrated-gradients"):
        explain(predictor, clip(1), method="lime")
    with pytest.raises(ValueError, match=r"`waveform` must have the shape \(samples,\)"):
        explain(predictor, clip(1)[None])
