"""WAV files in the graph: what `sertk.audio.read` makes of the same bytes, and a sentence for what it does not take."""

import random
import struct

import numpy as np
import pytest
import soxr
import tensorflow as tf

from sertk.export.recordings import read_batch
from sertk.export.resampling import supported_rates


@pytest.fixture(scope="module")
def decode():
    """A function from files' bytes to waveforms, in a graph, or the sentence that it ends in."""
    # Without autograph, as Keras exports, and a tenth of the time to trace.
    takes = [tf.TensorSpec((None,), tf.string)]
    graph = tf.function(lambda files: read_batch(files, 16_000, 60.0), input_signature=takes, autograph=False)

    def decode(*files):
        try:
            waveforms, lengths = graph(tf.constant(files, tf.string))
        except tf.errors.InvalidArgumentError as error:
            said = error.message.partition("assertion failed: [")[2].partition("]\n")[0]
            return said.replace("\\'", "'")
        return [waveform[:length].numpy() for waveform, length in zip(waveforms, lengths, strict=True)]

    return decode


def noise(frames, channels=1, seed=0):
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (frames, channels))


# How samples in [-1, 1) lie in a file, by bits and tag; 24 bits are the upper three bytes of 32.
ENCODED = {
    (8, 1): lambda x: (np.round(x * 128) + 128).astype("u1").tobytes(),
    (16, 1): lambda x: np.round(x * 2**15).astype("<i2").tobytes(),
    (24, 1): lambda x: np.round(x * 2**31).astype("<i4").reshape(-1, 1).view("u1")[:, 1:].tobytes(),
    (32, 1): lambda x: np.round(x * 2**31).astype("<i4").tobytes(),
    (32, 3): lambda x: x.astype("<f4").tobytes(),
}


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize(("bits", "tag"), ENCODED)
def test_every_format_is_what_read_gives(decode, by_hand, read_bytes, bits, tag, channels, extensible):
    data = ENCODED[bits, tag](noise(1_001, channels))
    content = by_hand.wav(data, bits, channels, tag=tag, extensible=extensible)
    (waveform,) = decode(content)
    np.testing.assert_allclose(waveform, read_bytes(content), atol=1e-7)
    np.testing.assert_allclose(waveform, noise(1_001, channels).mean(axis=1), atol=1 / 2 ** (min(bits, 24) - 1))


@pytest.mark.parametrize(
    "options",
    [
        {"before": b"LIST\x04\0\0\0abcd"},
        {"before": b"odd \x03\0\0\0abc\0fact\x04\0\0\0\x01\0\0\0", "after": b"id3 \x02\0\0\0ab"},
        {"riff": 7},
        {"riff": 2**32 - 1},
        {"size": 2**32 - 1, "riff": 0},
        {"size": 2**32 - 1, "riff": 2**32 - 1},
        {"size": 0, "riff": 0},
        {"size": 0x7FFF_F000, "riff": 0x7FFF_F024},
        {"size": 1_001},
    ],
    ids=str,
)
def test_chunks_and_sizes_are_taken_as_read_takes_them(decode, by_hand, read_bytes, options):
    content = by_hand.wav(ENCODED[16, 1](noise(1_000)), **options)
    (waveform,) = decode(content)
    np.testing.assert_allclose(waveform, read_bytes(content), atol=1e-7)


@pytest.mark.parametrize("rate", [8_000, 22_050, 24_000, 44_100, 48_000])
def test_every_rate_people_have_is_resampled_as_soxr_does(decode, by_hand, read_bytes, rate):
    """Of white noise, to which the filters' edges matter as to no speech; lengths are soxr's to the sample."""
    content = by_hand.noise(2 * rate + 1, rate)
    (waveform,), expected = decode(content), read_bytes(content)
    assert len(waveform) == len(expected)
    ratio = np.sqrt(np.mean((waveform - expected) ** 2) / np.mean(expected**2))
    assert 20 * np.log10(ratio) < -55
    np.testing.assert_allclose(expected, soxr.resample(read_bytes(content, rate), rate, 16_000), atol=1e-6)


def test_a_model_at_an_odd_rate_takes_files_at_that_rate_alone(by_hand):
    """16,001 shares no divisor with the others: a filter for each of 16,001 phases would be gigabytes of graph."""
    decode = tf.function(lambda files: read_batch(files, 16_001, 60.0), autograph=False)
    (waveform,), lengths = decode(tf.constant([by_hand.noise(500, 16_001)]))
    assert (len(waveform), list(lengths)) == (500, [500])
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have a sample rate of 16,001 Hz; resample it"):
        decode(tf.constant([by_hand.noise(500, 16_000)]))


@pytest.mark.parametrize("rate", [11_025, 12_000, 16_000, 22_050, 32_000, 44_100, 48_000])
def test_models_at_rates_that_people_have_take_them_all(rate):
    assert supported_rates(rate) == tuple(sorted({8_000, 16_000, 22_050, 24_000, 44_100, 48_000, rate}))


def test_speech_is_resampled_as_soxr_does(decode, by_hand, corpora_dir):
    """Speech at 48 kHz; at the worst sample 60 dB below its peak."""
    import soundfile

    folder = corpora_dir / "ravdess-48k-sample"
    path = min(path for path in folder.rglob("*") if path.suffix in (".wav", ".flac"))
    speech, rate = soundfile.read(path, always_2d=True)
    for other in (8_000, 22_050, 24_000, 44_100, 48_000):
        given = np.clip(np.round(soxr.resample(speech.mean(axis=1), rate, other) * 2**15), -(2**15), 2**15 - 1)
        (waveform,) = decode(by_hand.wav(given.astype("<i2").tobytes(), rate=other))
        expected = soxr.resample((given / 2**15).astype("float32"), other, 16_000)
        assert np.abs(waveform - expected).max() < 10 ** (-60 / 20) * np.abs(expected).max()


def test_files_of_several_lengths_and_rates_are_one_batch(decode, by_hand, read_bytes):
    files = [by_hand.noise(3_000), by_hand.noise(24_000, 48_000, 1), by_hand.noise(400, 8_000, 2)]
    for one, waveform in zip(files, decode(*files), strict=True):
        np.testing.assert_array_equal(waveform, decode(one)[0])
        assert len(waveform) == len(read_bytes(one))


TONE = ENCODED[16, 1](noise(1_000))
CUT = "is cut off, or its header is damaged; copy or download it again. Received: "
NO_WAV = "can't be decoded; send the bytes of a WAV file. Received: "
FORMAT = "must be PCM of 8, 16, 24 or 32 bits or float of 32; convert it. Received: "
CHANNELS = "its header gives no number of channels from 1 to 32. Received: "
NAN = "holds samples that are NaN or infinite; export it again from its source. Received: such samples"
RATE = "must have a sample rate of 8,000, 16,000, 22,050, 24,000, 44,100 or 48,000 Hz; resample it. Received: "
LONG = "is longer than 60 s; send less, or export again with a larger `max_seconds`. Received: "
NONE = "holds no samples; delete it or record it again. Received: 0 samples"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda wav: b"", "is empty; copy or download it again. Received: 0 bytes"),
        (lambda wav: b"<html>not found</html>", NO_WAV + "22 bytes that begin with <htm"),
        (lambda wav: b"RIFF\x04\0\0\0AVI ", NO_WAV + "12 bytes that begin with RIFF"),
        (lambda wav: b"\xff\xfb\x90\0" * 9, NO_WAV + "36 bytes that begin with ...."),
        (
            lambda wav: wav(TONE)[:30],
            "has no description of its samples before them; is it complete? Received: 30 bytes",
        ),
        (lambda wav: wav(TONE)[:40], "has no samples; is it complete? Received: 40 bytes without a data chunk"),
        (lambda wav: wav(TONE)[:100], CUT + "56 of the 2000 bytes of samples that its header announces"),
        (lambda wav: wav(TONE, size=2_002), CUT + "2000 of the 2002 bytes of samples that its header announces"),
        (lambda wav: wav(TONE, size=0), NONE),
        (lambda wav: wav(b""), NONE),
        (lambda wav: wav(TONE, tag=7), FORMAT + "format 7 with 16 bits"),
        (lambda wav: wav(TONE, 12), FORMAT + "format 1 with 12 bits"),
        (lambda wav: wav(TONE, 64, tag=3), FORMAT + "format 3 with 64 bits"),
        (lambda wav: wav(TONE, channels=0), CHANNELS + "0 channels"),
        (lambda wav: wav(TONE, channels=33), CHANNELS + "33 channels"),
        (lambda wav: wav(TONE, rate=11_025), RATE + "11025 Hz"),
        (lambda wav: wav(b"\0\0" * 8_000 * 61, rate=8_000), LONG + "61.000000 s"),
        (lambda wav: wav(b"\0\0", rate=48_000), "is too short to resample. Received: 1 samples at 48000 Hz"),
        (lambda wav: wav(struct.pack("<2f", 0.5, np.nan), 32, tag=3), NAN),
        (lambda wav: wav(struct.pack("<2f", 0.5, -np.inf), 32, tag=3), NAN),
    ],
)
def test_what_is_refused_ends_in_one_sentence_that_names_the_row(decode, by_hand, make, sentence):
    assert decode(by_hand.noise(100), make(by_hand.wav)) == f"`audio_bytes`, row 1: {sentence}"


def test_samples_that_are_no_sound_are_refused(decode, by_hand):
    said = decode(by_hand.wav(struct.pack("<f", 1e30), 32, tag=3))
    assert "holds samples that are no sound; export it again from its source, in [-1, 1]. Received: 1" in said


def test_no_file_at_all_is_refused(decode):
    assert decode() == "`audio_bytes` must hold at least one file. Received: none"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_damaged_files_are_refused_or_what_read_gives(decode, by_hand, read_bytes, seed):
    """Nothing is taken that `read` refuses, and no number is another; what `read` takes may be refused."""
    chance, taken = random.Random(seed), 0
    originals = [
        by_hand.wav(ENCODED[16, 1](noise(300, 2)), channels=2),
        by_hand.wav(ENCODED[24, 1](noise(300)), 24, extensible=True, before=b"LIST\x02\0\0\0ab"),
        by_hand.wav(ENCODED[32, 3](noise(300)), 32, tag=3, after=b"LIST\x02\0\0\0ab"),
    ]
    for _ in range(400):
        content = bytearray(chance.choice(originals))
        for _ in range(chance.choice((1, 1, 2, 4))):
            place = chance.randrange(min(len(content), 90))
            how = chance.choice(("byte", "field", "cut", "insert", "remove"))
            if how == "byte":
                content[place] = chance.randrange(256)
            elif how == "field":
                content[place : place + 4] = chance.choice((0, 1, 2**31, 2**32 - 1, len(content))).to_bytes(4, "little")
            elif how == "cut":
                del content[max(place, 12) + chance.randrange(len(content)) :]
            elif how == "insert":
                content[place:place] = chance.randbytes(chance.randrange(1, 9))
            else:
                del content[place : place + chance.randrange(1, 9)]
        found = decode(bytes(content))
        if isinstance(found, str):
            assert found.startswith("`audio_bytes`, row 0: ")
            continue
        taken += 1
        expected = read_bytes(bytes(content))
        assert len(found[0]) == len(expected)
        np.testing.assert_allclose(found[0], expected, atol=0.01 * max(1, np.abs(expected).max()))
    assert taken > 20
