"""The log-mel spectrogram, against librosa: in numbers, in names, and wherever it runs."""

import inspect

import keras
import librosa
import numpy as np
import pytest
import soundfile
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.features import LogMelSpectrogram
from sertk.recipes import RECIPES

# librosa's remarks on clips shorter than a frame and on bands between two bins.
pytestmark = [
    pytest.mark.filterwarnings("ignore:n_fft=.* is too large for input signal"),
    pytest.mark.filterwarnings("ignore:Empty filters detected"),
]
# In dB. float32 resolves no finer what lies 80 dB below a clip's maximum.
CLOSE = 1e-3


def log_mel(waveforms, **options):
    return keras.ops.convert_to_numpy(LogMelSpectrogram(**options)(waveforms))


def of_librosa(waveform, sr=16_000, ref=1.0, top_db=80.0, **options):
    power = librosa.feature.melspectrogram(y=waveform, sr=sr, **options)
    return librosa.power_to_db(power, ref=np.max if ref == "max" else ref, top_db=top_db).T


def noise(*shape, seed=0, level=0.1):
    return level * np.random.default_rng(seed).standard_normal(shape).astype("float32")


def settings_of_recipes():
    """What the recipes ask of their features, each once."""
    names = ("n_fft", "hop_length", "n_mels", "fmin", "fmax", "top_db")
    found = {
        (recipe.audio.sample_rate, *(getattr(recipe.features, name) for name in names)) for recipe in RECIPES.values()
    }
    return [dict(zip(("sr", *names), values, strict=True)) for values in sorted(found, key=str)]


OPTIONS = [
    *settings_of_recipes(),
    {"n_fft": 512, "hop_length": 256, "n_mels": 64},
    {"n_fft": 400, "hop_length": 160, "n_mels": 40, "top_db": None},
    {"n_fft": 401, "hop_length": 133, "n_mels": 20},
    {"sr": 8_000, "n_fft": 256, "hop_length": 80, "n_mels": 23, "fmin": 60.0, "fmax": 3_400.0},
    {"sr": 22_050},
    {"sr": 48_000, "hop_length": 1_024, "ref": "max"},
    {"ref": 0.5, "top_db": 30.0},
    {"ref": "max", "top_db": None},
    {"top_db": 0.0},
    {"n_fft": 16, "hop_length": 8, "n_mels": 128, "top_db": None},  # the lowest 41 bands lie between two bins
    {"n_mels": 3},
]


def test_the_recipes_features_are_among_those_tested():
    assert {(options["sr"], options["hop_length"]) for options in settings_of_recipes()} >= {
        (16_000, 512),
        (16_000, 256),
    }


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_equals_librosa_on_noise(options):
    for seed, samples in enumerate((1, 700, 6_000)):
        waveform = noise(samples, seed=seed)
        np.testing.assert_allclose(log_mel(waveform, **options), of_librosa(waveform, **options), atol=CLOSE)


@settings(deadline=None, max_examples=25)
@given(
    samples=st.integers(1, 5_000),
    n_fft=st.sampled_from([256, 300, 512, 2048]),
    hop_length=st.integers(50, 600),
    n_mels=st.integers(1, 30),
    level=st.floats(1e-4, 1.0),
    seed=st.integers(0, 99),
)
def test_equals_librosa_whatever_the_length(samples, n_fft, hop_length, n_mels, level, seed):
    waveform = noise(samples, seed=seed, level=level)
    options = {"n_fft": n_fft, "hop_length": hop_length, "n_mels": n_mels}
    np.testing.assert_allclose(log_mel(waveform, **options), of_librosa(waveform, **options), atol=CLOSE)


@pytest.mark.parametrize("corpus", ["ravdess-16k", "emovo-16k"])
@pytest.mark.parametrize("options", [{"hop_length": 512}, {"hop_length": 256}, {"ref": "max"}], ids=str)
def test_equals_librosa_on_speech(corpora_dir, corpus, options):
    clips = sorted((corpora_dir / corpus).rglob("*.flac"))[::73]
    if not clips:
        pytest.skip(f"no {corpus} at hand")
    for path in clips:
        waveform, _ = soundfile.read(path, dtype="float32")
        np.testing.assert_allclose(log_mel(waveform, **options), of_librosa(waveform, **options), atol=CLOSE)


NOT_CENTRED = [
    {"n_fft": 512, "hop_length": 256, "n_mels": 64},
    {"n_fft": 401, "hop_length": 160, "n_mels": 20, "ref": "max"},
    {"sr": 48_000, "hop_length": 1_024, "top_db": None},
]


@pytest.mark.parametrize("options", NOT_CENTRED, ids=str)
@pytest.mark.parametrize("more", [0, 1, 5_000])
def test_equals_librosa_where_frames_begin_with_the_first_sample(options, more):
    waveform = noise(options.get("n_fft", 2048) + more)
    expected = of_librosa(waveform, center=False, **options)
    np.testing.assert_allclose(log_mel(waveform, center=False, **options), expected, atol=CLOSE)


@settings(deadline=None, max_examples=20)
@given(samples=st.integers(300, 5_000), n_fft=st.integers(16, 300), hop_length=st.integers(50, 600))
def test_not_centred_gives_librosas_frames_whatever_the_length(samples, n_fft, hop_length):
    waveform, frames = noise(samples), {"n_fft": n_fft, "hop_length": hop_length, "n_mels": 5}
    expected = of_librosa(waveform, center=False, **frames)
    layer = LogMelSpectrogram(center=False, **frames)
    assert layer.compute_output_shape((samples,)) == expected.shape
    np.testing.assert_allclose(layer(waveform), expected, atol=CLOSE)


@pytest.mark.parametrize("corpus", ["ravdess-16k", "emovo-16k"])
def test_equals_librosa_on_speech_where_frames_begin_with_the_first_sample(corpora_dir, corpus):
    clips = sorted((corpora_dir / corpus).rglob("*.flac"))[::146]
    if not clips:
        pytest.skip(f"no {corpus} at hand")
    for path in clips:
        waveform, _ = soundfile.read(path, dtype="float32")
        expected = of_librosa(waveform, center=False, **NOT_CENTRED[0])
        # Centred or not, windows of 512 are up to 0.0011 dB from librosa's where the clip is 77 dB below its maximum.
        np.testing.assert_allclose(log_mel(waveform, center=False, **NOT_CENTRED[0]), expected, atol=2 * CLOSE)


def test_paper_003_has_373_frames():
    layer = LogMelSpectrogram(n_fft=512, hop_length=256, n_mels=64, center=False)
    assert layer(noise(2, 95_744)).shape == (2, 373, 64)
    assert layer(keras.KerasTensor((None, 95_744))).shape == (None, 373, 64)
    assert layer.compute_output_shape((None, 95_743)) == (None, 372, 64)


def test_a_configuration_without_centre_is_the_centred_layer():
    """That of a model saved before the argument was there."""
    config = LogMelSpectrogram(n_mels=20).get_config()
    del config["center"]
    waveform = noise(4_000)
    expected = of_librosa(waveform, n_mels=20)
    np.testing.assert_allclose(LogMelSpectrogram.from_config(config)(waveform), expected, atol=CLOSE)


def test_arguments_have_librosas_names():
    ours = set(inspect.signature(LogMelSpectrogram).parameters) - {"dtype", "kwargs"}
    theirs = (librosa.feature.melspectrogram, librosa.filters.mel, librosa.power_to_db)
    assert ours <= {name for function in theirs for name in inspect.signature(function).parameters}


@pytest.mark.parametrize(("hop_length", "frames"), [(512, 94), (256, 188)])
def test_three_seconds_give_the_papers_frames(hop_length, frames):
    layer = LogMelSpectrogram(hop_length=hop_length)
    assert layer(noise(2, 48_000)).shape == (2, frames, 128)
    assert layer(keras.KerasTensor((None, 48_000))).shape == (None, frames, 128)


def test_a_tone_lights_up_its_band_and_doubling_it_adds_six_decibels():
    frequencies = librosa.mel_frequencies(n_mels=42, fmin=0.0, fmax=8_000.0)[1:-1]
    for band in (5, 20, 35):
        tone = np.sin(2 * np.pi * frequencies[band] * np.arange(8_000) / 16_000, dtype="float32")
        quiet, loud = (log_mel(level * tone, n_mels=40)[5:-5] for level in (0.2, 0.4))
        assert (loud.argmax(axis=1) == band).all()
        np.testing.assert_allclose((loud - quiet)[:, band], 20 * np.log10(2), atol=CLOSE)


@pytest.mark.parametrize("options", [{}, {"ref": "max"}])
def test_a_clips_features_do_not_depend_on_its_batch(options):
    """Clips 60 dB apart: a maximum over the batch would flatten the quiet one."""
    clips = np.stack([noise(4_000, seed=seed, level=level) for seed, level in enumerate((1e-4, 1e-1, 1e-3))])
    together = log_mel(clips, **options)
    for clip, features in zip(clips, together, strict=True):
        np.testing.assert_allclose(features, of_librosa(clip, **options), atol=CLOSE)


def test_silence_is_the_floor():
    assert (log_mel(np.zeros(4_000, "float32")) == -100).all()
    assert (log_mel(np.zeros(4_000, "float32"), ref="max") == 0).all()


@pytest.mark.parametrize(
    "options",
    [{}, {"ref": "max", "top_db": None, "n_fft": 401, "hop_length": 160, "n_mels": 20}, {"center": False}],
    ids=str,
)
def test_same_wherever_it_runs(check_layer, options):
    clips = noise(3, 4_000)
    expected = np.stack([of_librosa(clip, **options) for clip in clips])
    np.testing.assert_allclose(check_layer(LogMelSpectrogram(**options), clips, atol=CLOSE), expected, atol=CLOSE)


def test_float32_under_mixed_precision():
    waveforms = noise(2, 4_000)
    expected = log_mel(waveforms)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = keras.Sequential([keras.Input((None,)), LogMelSpectrogram()])
        actual = keras.ops.convert_to_numpy(model(waveforms))
    finally:
        keras.config.set_dtype_policy("float32")
    assert actual.dtype == np.float32
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("name", ["sr", "n_fft", "hop_length", "n_mels"])
@pytest.mark.parametrize("value", [0, -1, 16.0, "16", None])
def test_impossible_sizes_are_refused(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must be a positive integer. Received: {name}="):
        LogMelSpectrogram(**{name: value})


@pytest.mark.parametrize("band", [{"fmin": -1.0}, {"fmin": 8_000.0}, {"fmax": 8_001.0}, {"fmin": 900.0, "fmax": 300.0}])
def test_impossible_frequencies_are_refused(band):
    message = r"`fmin` and `fmax` must satisfy 0 <= fmin < fmax <= sr / 2 = 8000 Hz. Received: fmin="
    with pytest.raises(ValueError, match=message):
        LogMelSpectrogram(**band)


@pytest.mark.parametrize("ref", [0, -1.0, "loudest", None, float("nan")])
def test_impossible_reference_is_refused(ref):
    with pytest.raises(ValueError, match=r'`ref` must be a positive power or "max". Received: ref='):
        LogMelSpectrogram(ref=ref)


@pytest.mark.parametrize("top_db", [-1.0, float("nan")])
def test_impossible_range_is_refused(top_db):
    with pytest.raises(ValueError, match=r"`top_db` must be None or at least 0 dB. Received: top_db="):
        LogMelSpectrogram(top_db=top_db)


@pytest.mark.parametrize("shape", [(2, 100, 2), (), (2, 0)])
def test_what_is_no_waveform_is_refused(shape):
    message = r"LogMelSpectrogram (takes waveforms|needs at least one sample).* Received: input_shape="
    with pytest.raises(ValueError, match=message):
        LogMelSpectrogram()(np.zeros(shape, "float32"))


TOO_SHORT = r"Clips must have at least `n_fft`, 512, samples where `center` is False: .* Received: samples="


def test_clips_shorter_than_a_frame_are_refused_where_nothing_is_padded():
    layer = LogMelSpectrogram(n_fft=512, center=False)
    with pytest.raises(librosa.ParameterError, match="too large for uncentered analysis"):
        of_librosa(noise(511), n_fft=512, center=False)
    for refused in (noise(511), noise(2, 511), keras.KerasTensor((None, 511))):
        with pytest.raises(ValueError, match=TOO_SHORT + "511"):
            layer(refused)
    assert layer(noise(512)).shape == (1, 128)
    with pytest.raises(ValueError, match=TOO_SHORT + "1"):
        layer(noise(1))


def test_a_graph_for_any_length_refuses_them_when_it_meets_them():
    layer = LogMelSpectrogram(n_fft=512, center=False)
    graph = tf.function(layer, input_signature=[tf.TensorSpec((None, None))])
    assert graph(noise(2, 600)).shape == (2, 1, 128)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"`n_fft`, 512, samples where `center` is False"):
        graph(noise(2, 511))


@pytest.mark.parametrize("center", [None, 1, "no"])
def test_impossible_centres_are_refused(center):
    with pytest.raises(ValueError, match=r"`center` must be True or False\. Received: center="):
        LogMelSpectrogram(center=center)
