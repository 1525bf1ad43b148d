"""Fixed length, against NumPy and librosa: which samples stay, what follows them, what counts as silence."""

import keras
import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.audio import FixedLength

lengths = st.integers(1, 60)


def fixed(waveforms, *arguments, **options):
    return keras.ops.convert_to_numpy(FixedLength(*arguments, **options)(waveforms))


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def with_silent_ends(before, sound, after, seed=0):
    """A burst of noise between noise 80 dB below it."""
    level = np.repeat([1e-4, 1.0, 1e-4], [before, sound, after]).astype("float32")
    return level * noise(before + sound + after, seed=seed)


@settings(deadline=None, max_examples=40)
@given(length=lengths, samples=lengths)
def test_start_and_zeros_are_fix_length_of_librosa(length, samples):
    waveform = noise(length)
    np.testing.assert_array_equal(
        fixed(waveform, samples, crop="start"), librosa.util.fix_length(waveform, size=samples)
    )


@settings(deadline=None, max_examples=40)
@given(length=lengths, samples=lengths)
def test_start_and_repeat_are_resize_of_numpy(length, samples):
    waveform = noise(length)
    np.testing.assert_array_equal(fixed(waveform, samples, "start", "repeat"), np.resize(waveform, samples))


@settings(deadline=None, max_examples=40)
@given(length=lengths, samples=lengths, pad=st.sampled_from(["zero", "repeat"]))
def test_centre_loses_as_much_at_both_ends(length, samples, pad):
    waveform = noise(length)
    actual = fixed(waveform, samples, "center", pad)
    if length <= samples:
        np.testing.assert_array_equal(actual, fixed(waveform, samples, "start", pad))
        return
    (start,) = np.flatnonzero(waveform == actual[0])
    np.testing.assert_array_equal(actual, waveform[start : start + samples])
    end = length - samples - start
    assert 0 <= end - start <= 1


def test_docstring_example():
    assert fixed(np.array([1.0, 2.0]), 5, pad="repeat").tolist() == [1, 2, 1, 2, 1]
    assert fixed(np.array([1.0, 2.0]), 5).tolist() == [1, 2, 0, 0, 0]
    assert fixed(np.arange(7.0), 3).tolist() == [2, 3, 4]


@settings(deadline=None, max_examples=25)
@given(
    before=st.integers(0, 9_000),
    sound=st.integers(1_000, 9_000),
    after=st.integers(0, 9_000),
    top_db=st.sampled_from([20, 40.0, 60]),
    pad=st.sampled_from(["zero", "repeat"]),
    seed=st.integers(0, 9),
)
def test_silence_is_what_librosa_trims(before, sound, after, top_db, pad, seed):
    waveform = with_silent_ends(before, sound, after, seed)
    sounding, _ = librosa.effects.trim(waveform, top_db=top_db)
    expected = fixed(sounding, 8_000, "center", pad)
    np.testing.assert_array_equal(fixed(waveform, 8_000, "center", pad, top_db), expected)


def test_real_clips_are_trimmed_as_librosa_trims_them(ravdess_dir):
    """RAVDESS clips begin and end with up to a second of near silence."""
    shortened = 0
    for path in sorted(ravdess_dir.glob("*/*.flac"))[::97]:
        waveform, _ = librosa.load(path, sr=None)
        for top_db in (25.0, 60.0):
            expected, _ = librosa.effects.trim(waveform, top_db=top_db)
            shortened += len(expected) < len(waveform)
            actual = fixed(waveform, len(waveform), "start", "zero", top_db)
            np.testing.assert_array_equal(actual[: len(expected)], expected)
            assert not actual[len(expected) :].any()
    assert shortened > 10


def test_each_clip_of_a_batch_is_trimmed_alone():
    clips = [with_silent_ends(before, 4_000, 12_000 - before, seed=before) for before in (0, 3_000, 12_000)]
    together = fixed(np.stack(clips), 6_000, "start", trim_top_db=40)
    for clip, actual in zip(clips, together, strict=True):
        sounding, _ = librosa.effects.trim(clip, top_db=40)
        np.testing.assert_array_equal(actual, librosa.util.fix_length(sounding, size=6_000))


@pytest.mark.parametrize("level", [0.0, 1e-3, 1.0])
def test_clips_that_are_silent_or_loud_throughout_are_not_trimmed(level):
    waveform = level * noise(20_000)
    np.testing.assert_array_equal(fixed(waveform, 20_000, trim_top_db=60), waveform)


@pytest.mark.parametrize("samples", [2_500, 7_000])
@pytest.mark.parametrize("options", [{}, {"crop": "start"}, {"pad": "repeat"}, {"pad": "repeat", "trim_top_db": 30.0}])
def test_same_wherever_it_runs(check_layer, samples, options):
    clips = np.stack([with_silent_ends(before, 1_500, 3_500 - before) for before in (0, 1_100, 3_500)])
    assert check_layer(FixedLength(samples, **options), clips).shape == (3, samples)


def test_float32_under_mixed_precision():
    """Half precision would lose the last bits of a 16-bit recording."""
    waveforms = (np.arange(-8, 8, dtype="float32")[None] * 1001 + 1) / 2**15
    keras.config.set_dtype_policy("mixed_float16")
    try:
        np.testing.assert_array_equal(fixed(waveforms, 16), waveforms)
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("samples", [0, -1, 3.0, "3", None])
def test_impossible_length_is_refused(samples):
    with pytest.raises(ValueError, match=r"`samples` must be a positive integer. Received: samples="):
        FixedLength(samples)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crop": "end"}, r"`crop` must be one of center, start. Received: crop='end'"),
        ({"pad": None}, r"`pad` must be one of zero, repeat. Received: pad=None"),
        ({"trim_top_db": 0}, r"`trim_top_db` must be above 0 dB, or None. Received: trim_top_db=0"),
        ({"trim_top_db": float("nan")}, r"`trim_top_db` must be above 0 dB, or None. Received: trim_top_db=nan"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        FixedLength(100, **options)


@pytest.mark.parametrize("shape", [(2, 100, 2), (), (2, 0)])
def test_what_is_no_waveform_is_refused(shape):
    with pytest.raises(
        ValueError, match=r"FixedLength (takes waveforms|needs at least one sample).* Received: input_shape="
    ):
        FixedLength(100)(np.zeros(shape, "float32"))
