"""Decoding, against what was written: every format, rate and number of channels."""

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.audio import AUDIO_EXTENSIONS, info, read

EXACT = 1e-7
LOSSLESS = [
    (".wav", "PCM_U8", 1 / 2**7),
    (".wav", "PCM_16", 1 / 2**15),
    (".wav", "PCM_24", 1 / 2**23),
    (".wav", "PCM_32", EXACT),
    (".wav", "FLOAT", EXACT),
    (".wav", "DOUBLE", EXACT),
    (".flac", "PCM_16", 1 / 2**15),
    (".flac", "PCM_24", 1 / 2**23),
    (".aiff", "PCM_16", 1 / 2**15),
    (".au", "PCM_16", 1 / 2**15),
    (".caf", "PCM_24", 1 / 2**23),
    (".w64", "PCM_16", 1 / 2**15),
]
LOSSY = [(".mp3", "MPEG_LAYER_III"), (".ogg", "VORBIS"), (".ogg", "OPUS"), (".opus", "OPUS")]
# libsndfile does not tell this format by the ending.
FORMATS = {".opus": "OGG"}


def tone(frequency, rate, seconds=0.5, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate)


def decibels(ratio):
    return 20 * np.log10(ratio)


def rms(waveform):
    return np.sqrt(np.mean(np.square(waveform, dtype="float64")))


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize(("suffix", "subtype", "step"), LOSSLESS)
def test_lossless_formats_give_back_what_was_written(tmp_path, suffix, subtype, step, rate, channels):
    samples = np.random.default_rng(rate).uniform(-0.9, 0.9, (400, channels))
    path = tmp_path / f"clip{suffix}"
    soundfile.write(path, samples, rate, subtype=subtype)
    for channel, expected in (("mean", samples.mean(axis=1)), (channels - 1, samples[:, -1])):
        waveform = read(path, rate, channel)
        assert waveform.dtype == np.float32
        np.testing.assert_allclose(waveform, expected, atol=step)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [16_000, 48_000])
@pytest.mark.parametrize(("suffix", "subtype"), LOSSY)
def test_lossy_formats_sound_like_what_was_written(tmp_path, suffix, subtype, rate, channels):
    """A chord decodes to itself with errors at least 20 dB below it."""
    chord = sum(tone(frequency, rate, amplitude=0.2) for frequency in (300, 500, 1_100))
    path = tmp_path / f"clip{suffix}"
    soundfile.write(path, np.tile(chord[:, None], channels), rate, format=FORMATS.get(suffix), subtype=subtype)
    waveform = read(path, rate)
    assert waveform.dtype == np.float32
    assert len(waveform) == len(chord)
    middle = slice(rate // 10, -rate // 10)
    assert decibels(rms(waveform[middle] - chord[middle]) / rms(chord[middle])) < -20


@settings(deadline=None, max_examples=25)
@given(
    steps=st.lists(st.integers(-(2**15), 2**15 - 1), min_size=1, max_size=50), suffix=st.sampled_from([".wav", ".flac"])
)
def test_every_sixteen_bit_sample_survives(tmp_path_factory, steps, suffix):
    path = tmp_path_factory.mktemp("steps") / f"clip{suffix}"
    soundfile.write(path, np.array(steps, "int16"), 16_000)
    assert (read(path) * 2**15).tolist() == steps


@pytest.mark.parametrize(
    ("rate", "wanted"),
    [
        *((rate, 16_000) for rate in (8_000, 11_025, 22_050, 44_100, 48_000, 96_000)),
        *((16_000, wanted) for wanted in (8_000, 22_050, 44_100)),
    ],
)
def test_resampling_keeps_pitch_level_and_duration(tmp_path, rate, wanted):
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(1_000, rate, seconds=1.0), rate, subtype="FLOAT")
    waveform = read(path, wanted)
    assert len(waveform) == pytest.approx(wanted, abs=1)
    # The ends ring; what lies between is the same tone, in phase, sampled at the other rate.
    middle = slice(wanted // 10, wanted - wanted // 10)
    np.testing.assert_allclose(waveform[middle], tone(1_000, wanted, seconds=1.0)[middle], atol=1e-3)


@pytest.mark.parametrize(("rate", "wanted"), [(48_000, 16_000), (44_100, 16_000), (11_025, 22_050), (768_000, 1_000)])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_long_file_is_resampled_as_if_at_once(tmp_path, rate, wanted, channels):
    """Longer than what is decoded at once; what soxr makes of all of it is the oracle."""
    noise = np.random.default_rng(0).integers(-(2**14), 2**14, (2_300_001, channels)).astype("int16")
    path = tmp_path / "noise.wav"
    soundfile.write(path, noise, rate)
    expected = soxr.resample((noise / 2**15).mean(axis=1), rate, wanted)
    waveform = read(path, wanted)
    assert (waveform.dtype, waveform.shape) == (np.float32, expected.shape)
    assert waveform.flags.writeable
    np.testing.assert_allclose(waveform, expected, atol=1e-6)


def test_what_lies_above_the_new_band_is_removed(tmp_path):
    """10 kHz can't be told at 16 kHz; without a filter it would come back as 6 kHz."""
    path = tmp_path / "tone.wav"
    high = tone(10_000, 48_000, seconds=1.0)
    soundfile.write(path, high, 48_000, subtype="FLOAT")
    assert decibels(rms(read(path)[1_600:-1_600]) / rms(high)) < -90


def test_channels_are_averaged_or_chosen(tmp_path):
    path = tmp_path / "stereo.wav"
    left, right = tone(300, 16_000), tone(500, 16_000)
    soundfile.write(path, np.stack([left, right], axis=1), 16_000, subtype="FLOAT")
    np.testing.assert_allclose(read(path), (left + right) / 2, atol=EXACT)
    np.testing.assert_allclose(read(path, channel=0), left, atol=EXACT)
    np.testing.assert_allclose(read(path, channel=1), right, atol=EXACT)


def test_opposite_channels_cancel(tmp_path):
    path = tmp_path / "opposite.flac"
    soundfile.write(path, np.stack([tone(300, 48_000), -tone(300, 48_000)], axis=1), 48_000)
    assert np.abs(read(path)).max() < 1e-4


def test_float_files_may_exceed_full_scale(tmp_path):
    path = tmp_path / "loud.wav"
    soundfile.write(path, tone(300, 16_000, amplitude=2.0), 16_000, subtype="FLOAT")
    assert np.abs(read(path)).max() == pytest.approx(2.0, abs=1e-3)


def test_real_clips_are_those_resampled_elsewhere(corpora_dir):
    """Eight RAVDESS originals at 48 kHz, five in stereo, and the same clips at 16 kHz in 16 bits."""
    originals = sorted((corpora_dir / "ravdess-48k-sample").glob("*/*.wav"))
    if not originals:
        pytest.skip("no RAVDESS at 48 kHz at hand")
    channels = [soundfile.info(path).channels for path in originals]
    assert (len(originals), channels.count(2)) == (8, 5)
    for path in originals:
        waveform = read(path)
        assert len(waveform) == pytest.approx(soundfile.info(path).frames / 3, abs=1)
        expected, _ = soundfile.read(corpora_dir / "ravdess-16k" / path.parent.name / f"{path.stem}.flac")
        assert decibels(rms(waveform - expected) / rms(expected)) < -30, path


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [16_000, 48_000])
@pytest.mark.parametrize(
    ("suffix", "subtype"), [*((suffix, subtype) for suffix, subtype, _ in LOSSLESS), (".mp3", None), (".ogg", "VORBIS")]
)
def test_header_is_told_as_libsndfile_tells_it(tmp_path, suffix, subtype, rate, channels):
    path = tmp_path / f"clip{suffix}"
    soundfile.write(path, np.tile(tone(300, rate, seconds=0.3)[:, None], channels), rate, subtype=subtype)
    expected = soundfile.info(path)
    found = info(str(path))
    assert found == (expected.samplerate, expected.channels, expected.frames / expected.samplerate)
    assert (found.sample_rate, found.channels, found.seconds) == found


def test_header_of_a_real_clip(corpora_dir):
    for path in sorted((corpora_dir / "ravdess-48k-sample").glob("*/*.wav")):
        expected = soundfile.info(path)
        assert info(path) == (48_000, expected.channels, expected.duration)


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF, 0x7FFF_F000])
def test_length_of_a_piped_wav_is_that_of_its_samples(put, by_hand, pcm, size):
    assert info(put("clip.wav", by_hand.wav(pcm, size=size, riff=size))) == (16_000, 1, 1.0)


def test_length_of_a_piped_flac_is_that_of_its_samples(tmp_path):
    """Its header leaves the number of samples at 0: they are counted."""
    path = tmp_path / "clip.flac"
    soundfile.write(path, np.tile(tone(300, 16_000, seconds=1.5)[:, None], 2), 16_000)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert info(path) == (16_000, 2, 1.5)


def test_extensions_are_those_that_a_folder_is_searched_for():
    assert {suffix for suffix, *_ in (*LOSSLESS, *LOSSY)} <= AUDIO_EXTENSIONS


def test_file_too_short_to_resample_is_refused(tmp_path):
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.ones(1) / 2, 48_000)
    with pytest.raises(ValueError, match=r"too short to resample. Received: 1 samples at 48000 Hz"):
        read(path, 1_000)


@pytest.mark.parametrize("sample_rate", [0, -16_000, 999, 10**6, 16_000.0, "16k", None])
def test_impossible_sample_rate_is_refused(tmp_path, sample_rate):
    path = tmp_path / "clip.wav"
    soundfile.write(path, tone(300, 16_000), 16_000)
    with pytest.raises(
        ValueError, match=r"`sample_rate` must be an integer from 1000 to 768000 Hz. Received: sample_rate="
    ):
        read(path, sample_rate)


@pytest.mark.parametrize("channel", [-1, "left", 1.0, None])
def test_impossible_channel_is_refused(tmp_path, channel):
    path = tmp_path / "clip.wav"
    soundfile.write(path, tone(300, 16_000), 16_000)
    with pytest.raises(ValueError, match=r'`channel` must be "mean" or the number of a channel.* Received: channel='):
        read(path, channel=channel)


def test_channel_that_the_file_lacks_is_refused(tmp_path):
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.zeros((10, 2)), 16_000)
    with pytest.raises(ValueError, match=r'clip\.wav: `channel` must be "mean" or one of its 2 channels.* channel=2'):
        read(path, channel=2)


@pytest.mark.parametrize("max_seconds", [0, -1, float("nan"), "60", None, True])
def test_impossible_limit_is_refused(tmp_path, max_seconds):
    with pytest.raises(ValueError, match=r"`max_seconds` must be a number of seconds above 0.* Received: max_seconds="):
        read(tmp_path / "clip.wav", max_seconds=max_seconds)
