"""MFCC, against librosa: in numbers, in names, and wherever it runs."""

import inspect

import keras
import librosa
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.features import MFCC

# librosa's remark on clips shorter than a frame.
pytestmark = pytest.mark.filterwarnings("ignore:n_fft=.* is too large for input signal")
CLOSE = 1e-3


def mfcc(waveforms, **options):
    return keras.ops.convert_to_numpy(MFCC(**options)(waveforms))


def of_librosa(waveform, sr=16_000, top_db=80.0, n_mfcc=20, **options):
    power = librosa.feature.melspectrogram(y=waveform, sr=sr, **options)
    return librosa.feature.mfcc(S=librosa.power_to_db(power, top_db=top_db), n_mfcc=n_mfcc).T


def noise(*shape, seed=0, level=0.1):
    return level * np.random.default_rng(seed).standard_normal(shape).astype("float32")


OPTIONS = [
    {"n_mfcc": 128},
    {"n_mfcc": 128, "hop_length": 256},
    {"n_mfcc": 13, "n_fft": 400, "hop_length": 160, "n_mels": 40, "top_db": None},
    {"n_mfcc": 20, "n_fft": 401, "hop_length": 133, "n_mels": 20},
    {"sr": 8_000, "n_mfcc": 12, "n_fft": 256, "hop_length": 80, "n_mels": 23, "fmin": 60.0, "fmax": 3_400.0},
    {"sr": 22_050},
    {"sr": 48_000, "n_mfcc": 1, "top_db": 30.0},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_equals_librosa_on_noise(options):
    for seed, samples in enumerate((1, 700, 6_000)):
        waveform = noise(samples, seed=seed)
        np.testing.assert_allclose(mfcc(waveform, **options), of_librosa(waveform, **options), atol=CLOSE)


def test_defaults_are_librosas_but_for_the_rate():
    waveform = noise(6_000)
    np.testing.assert_allclose(mfcc(waveform), librosa.feature.mfcc(y=waveform, sr=16_000).T, atol=CLOSE)


@settings(deadline=None, max_examples=20)
@given(
    samples=st.integers(1, 5_000),
    hop_length=st.integers(50, 600),
    n_mels=st.integers(1, 30),
    share=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_equals_librosa_for_any_number_of_coefficients(samples, hop_length, n_mels, share, seed):
    waveform = noise(samples, seed=seed)
    options = {"hop_length": hop_length, "n_mels": n_mels, "n_mfcc": max(1, round(share * n_mels))}
    np.testing.assert_allclose(mfcc(waveform, **options), of_librosa(waveform, **options), atol=CLOSE)


@pytest.mark.parametrize("corpus", ["ravdess-16k", "emovo-16k"])
@pytest.mark.parametrize("hop_length", [512, 256])
def test_equals_librosa_on_speech(corpora_dir, corpus, hop_length):
    clips = sorted((corpora_dir / corpus).rglob("*.flac"))[::73]
    if not clips:
        pytest.skip(f"no {corpus} at hand")
    options = {"n_mfcc": 128, "hop_length": hop_length}
    for path in clips:
        waveform, _ = soundfile.read(path, dtype="float32")
        np.testing.assert_allclose(mfcc(waveform, **options), of_librosa(waveform, **options), atol=CLOSE)


@pytest.mark.parametrize(
    ("options", "samples"), [(OPTIONS[0], 2_048), (OPTIONS[3], 6_000), (OPTIONS[-1], 6_000)], ids=str
)
def test_equals_librosa_where_frames_begin_with_the_first_sample(options, samples):
    waveform, options = noise(samples), {**options, "center": False}
    np.testing.assert_allclose(mfcc(waveform, **options), of_librosa(waveform, **options), atol=CLOSE)


def test_a_configuration_without_centre_is_the_centred_layer():
    """That of a model saved before the argument was there."""
    config = MFCC().get_config()
    del config["center"]
    waveform = noise(4_000)
    np.testing.assert_allclose(MFCC.from_config(config)(waveform), of_librosa(waveform), atol=CLOSE)


def test_arguments_have_librosas_names():
    ours = set(inspect.signature(MFCC).parameters) - {"dtype", "kwargs"}
    functions = (librosa.feature.mfcc, librosa.feature.melspectrogram, librosa.filters.mel, librosa.power_to_db)
    assert ours <= {name for function in functions for name in inspect.signature(function).parameters}


@pytest.mark.parametrize(("hop_length", "frames"), [(512, 94), (256, 188)])
def test_three_seconds_give_the_papers_frames(hop_length, frames):
    layer = MFCC(n_mfcc=128, hop_length=hop_length)
    assert layer(noise(8, 48_000)).shape == (8, frames, 128)
    assert layer(keras.KerasTensor((None, 48_000))).shape == (None, frames, 128)


def test_silence_has_only_a_mean():
    """128 bands of -100 dB: the orthonormal transform of a constant is its sqrt(128)-fold, and nothing else."""
    coefficients = mfcc(np.zeros(4_000, "float32"), n_mfcc=128)
    np.testing.assert_allclose(coefficients[:, 0], -100 * np.sqrt(128), rtol=1e-6)
    assert not coefficients[:, 1:].any()


def test_a_louder_clip_differs_in_the_first_coefficient_alone():
    """Ten times the amplitude is 20 dB more in every band, 20 sqrt(40) in the first coefficient."""
    quiet, loud = (mfcc(level * noise(4_000), n_mels=40, n_mfcc=40, top_db=None) for level in (1.0, 10.0))
    np.testing.assert_allclose(loud[:, 0] - quiet[:, 0], 20 * np.sqrt(40), atol=CLOSE)
    np.testing.assert_allclose(loud[:, 1:], quiet[:, 1:], atol=CLOSE)


def test_all_coefficients_keep_the_spectrograms_energy():
    """Parseval: an orthonormal transform changes no length."""
    from sertk.features import LogMelSpectrogram

    decibels = keras.ops.convert_to_numpy(LogMelSpectrogram(n_mels=40)(noise(4_000)))
    coefficients = mfcc(noise(4_000), n_mels=40, n_mfcc=40)
    np.testing.assert_allclose(np.linalg.norm(coefficients, axis=1), np.linalg.norm(decibels, axis=1), rtol=1e-6)


@pytest.mark.parametrize(
    "options", [{"n_mfcc": 128}, {"n_mfcc": 13, "n_mels": 40, "hop_length": 160, "top_db": None}, {"center": False}]
)
def test_same_wherever_it_runs(check_layer, options):
    clips = noise(3, 4_000) * np.array([[1.0], [0.01], [0.1]], "float32")
    expected = np.stack([of_librosa(clip, **options) for clip in clips])
    np.testing.assert_allclose(check_layer(MFCC(**options), clips, atol=CLOSE), expected, atol=CLOSE)


def test_float32_under_mixed_precision():
    waveforms = noise(2, 4_000)
    expected = mfcc(waveforms)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = keras.Sequential([keras.Input((None,)), MFCC()])
        actual = keras.ops.convert_to_numpy(model(waveforms))
    finally:
        keras.config.set_dtype_policy("float32")
    assert actual.dtype == np.float32
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("n_mfcc", [0, 129, 20.0, None])
def test_impossible_number_of_coefficients_is_refused(n_mfcc):
    message = r"`n_mfcc` must be an integer from 1 to `n_mels`, 128: .* Received: n_mfcc="
    with pytest.raises(ValueError, match=message):
        MFCC(n_mfcc=n_mfcc)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sr": 0}, r"`sr` must be a positive integer. Received: sr=0"),
        ({"hop_length": 1.5}, r"`hop_length` must be a positive integer. Received: hop_length=1.5"),
        ({"n_mels": 0}, r"`n_mels` must be a positive integer. Received: n_mels=0"),
        ({"fmax": 9_000.0}, r"`fmin` and `fmax` must satisfy .* Received: fmin=0.0, fmax=9000.0"),
        ({"center": 0}, r"`center` must be True or False. Received: center=0"),
        ({"top_db": -3.0}, r"`top_db` must be None or at least 0 dB. Received: top_db=-3.0"),
    ],
)
def test_the_spectrograms_arguments_are_checked_too(options, message):
    with pytest.raises(ValueError, match=message):
        MFCC(**options)


@pytest.mark.parametrize("shape", [(2, 100, 2), (), (2, 0)])
def test_what_is_no_waveform_is_refused(shape):
    with pytest.raises(ValueError, match=r"(takes waveforms|needs at least one sample).* Received: input_shape="):
        MFCC()(np.zeros(shape, "float32"))


def test_clips_shorter_than_a_frame_are_refused_where_nothing_is_padded():
    layer = MFCC(n_fft=512, center=False)
    for refused in (noise(2, 511), keras.KerasTensor((None, 511))):
        with pytest.raises(ValueError, match=r"Clips must have at least `n_fft`, 512, .* Received: samples=511"):
            layer(refused)
