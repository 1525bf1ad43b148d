"""One waveform in every container and resolution, put together by hand: it is the same when it is read."""

import numpy as np
import pytest
import soundfile

from sertk.audio import read

STEPS = {"u8": 2**-7, "i8": 2**-7, "i16": 2**-15, "i24": 2**-23, "i32": 2**-24, "f32": 2**-24, "f64": 2**-24}
WAVS = ("u8", "i16", "i24", "i32", "f32", "f64")
BIG_ENDIAN = ("i8", "i16", "i24", "i32")


@pytest.fixture(scope="module")
def waveform():
    generator = np.random.default_rng(0)
    # Both ends of the range, and values that no resolution below hits.
    return np.r_[-1.0, 0.0, 0.99, generator.uniform(-1, 0.99, 997)]


@pytest.fixture(scope="module")
def files(by_hand, waveform):
    """Name and content of each file, with the resolution that it has."""
    encode = by_hand.encode
    big = {kind: encode(waveform, kind, ">") for kind in (*BIG_ENDIAN, "f32", "f64")}
    little = {kind: encode(waveform, kind) for kind in WAVS}
    return {
        **{f"{kind}.wav": (by_hand.wav(little[kind], kind), kind) for kind in WAVS},
        **{f"{kind}-extensible.wav": (by_hand.wav(little[kind], kind, extensible=True), kind) for kind in WAVS},
        **{f"{kind}-big-endian.wav": (by_hand.wav(big[kind], kind, order=">"), kind) for kind in ("i16", "i24", "f32")},
        **{f"{kind}.rf64": (by_hand.rf64(little[kind], kind), kind) for kind in WAVS},
        **{f"{kind}.w64": (by_hand.w64(little[kind], kind), kind) for kind in WAVS},
        **{f"{kind}.aiff": (by_hand.aiff(big[kind], kind), kind) for kind in BIG_ENDIAN},
        **{f"{kind}-aiff.wav": (by_hand.aiff(big[kind], kind), kind) for kind in BIG_ENDIAN},
        "f32.aifc": (by_hand.aiff(big["f32"], "f32", compression=b"fl32"), "f32"),
        "f64.aifc": (by_hand.aiff(big["f64"], "f64", compression=b"fl64"), "f64"),
        "i16-swapped.aifc": (by_hand.aiff(little["i16"], "i16", compression=b"sowt"), "i16"),
        **{f"{kind}.au": (by_hand.au(big[kind], kind), kind) for kind in big},
        **{f"{kind}.caf": (by_hand.caf(big[kind], kind), kind) for kind in big},
    }


def test_every_file_holds_the_waveform_within_its_resolution(files, waveform, put):
    assert len(files) == 50
    for name, (content, kind) in files.items():
        decoded = read(put(name, content))
        assert decoded.dtype == np.float32
        np.testing.assert_allclose(decoded, waveform, atol=STEPS[kind], rtol=0, err_msg=name)


def test_files_of_sixteen_bits_are_equal_to_the_last_bit(files, put):
    decoded = {name: read(put(name, content)) for name, (content, kind) in files.items() if kind == "i16"}
    assert len(decoded) == 10
    for name, samples in decoded.items():
        np.testing.assert_array_equal(samples, decoded["i16.wav"], err_msg=name)


@pytest.mark.parametrize("bits", [16, 24])
def test_flac_is_the_wav_it_was_made_from(tmp_path, put, by_hand, waveform, bits):
    steps = np.round(waveform * 2 ** (bits - 1)).astype("int32")
    soundfile.write(tmp_path / "clip.flac", steps << (32 - bits), 16_000, subtype=f"PCM_{bits}")
    path = put("clip.wav", by_hand.wav(by_hand.encode(waveform, f"i{bits}"), f"i{bits}"))
    np.testing.assert_array_equal(read(tmp_path / "clip.flac"), read(path))


def test_names_do_not_matter(files, put):
    """People rename what they convert; the content tells."""
    expected = read(put("clip.wav", files["i16.wav"][0]))
    for content in (files["i16.wav"][0], files["i16.aiff"][0], files["i16.au"][0], files["i16.caf"][0]):
        for name in ("clip.flac", "clip.mp3", "clip.aiff", "clip.au", "clip.gsm", "clip"):
            np.testing.assert_array_equal(read(put(name, content)), expected, err_msg=name)


@pytest.mark.parametrize("blocks", [1, 2, 3])
@pytest.mark.parametrize("over", [-1, 0, 1])
def test_files_of_several_blocks_are_whole(monkeypatch, put, by_hand, blocks, over):
    """Decoding goes block by block: nothing may be lost or said twice where two meet."""
    monkeypatch.setattr("sertk.audio.decode.BLOCK", 1_000)
    samples = np.random.default_rng(0).uniform(-0.9, 0.9, (500 * blocks + over, 2))
    path = put("clip.wav", by_hand.wav(by_hand.encode(samples, "f32"), "f32", channels=2))
    np.testing.assert_allclose(read(path), samples.mean(axis=1), atol=1e-7)
    np.testing.assert_allclose(read(path, channel=1), samples[:, 1], atol=1e-7)


def test_files_that_can_not_be_sought_in_are_read(tmp_path):
    """GSM's decoder only goes forward."""
    tone = 0.5 * np.sin(2 * np.pi * 300 * np.arange(8_000) / 8_000)
    path = tmp_path / "clip.wav"
    soundfile.write(path, tone, 8_000, subtype="GSM610")
    assert not soundfile.SoundFile(path).seekable()
    decoded = read(path, 8_000)
    assert len(tone) <= len(decoded) < len(tone) + 640  # blocks of 320 samples, the last one filled up
    assert np.corrcoef(decoded[: len(tone)], tone)[0, 1] > 0.95


class TestWrittenIntoAPipe:
    """A writer that can't come back to the header leaves sizes that are none, and the file is whole."""

    @pytest.mark.parametrize(
        ("riff", "size"),
        [
            (0xFFFF_FFFF, 0xFFFF_FFFF),  # FFmpeg
            (0x7FFF_F024, 0x7FFF_F000),  # SoX
            (0, 0),
            (36, 0),
            (8, 0),
            (0xFFFF_FFFF, 0),
            (0, 0xFFFF_FFFF),
        ],
    )
    @pytest.mark.parametrize("options", [{}, {"order": ">"}])
    def test_wav_is_read_to_its_end(self, put, by_hand, waveform, riff, size, options):
        data = by_hand.encode(waveform, "i16", options.get("order", "<"))
        path = put("clip.wav", by_hand.wav(data, size=size, riff=riff, **options))
        np.testing.assert_allclose(read(path), waveform, atol=2**-15)

    def test_wav_of_several_channels_and_chunks(self, put, by_hand, waveform):
        samples = np.stack([waveform, -waveform], axis=1)
        data = by_hand.encode(samples, "f32")
        titles = b"LIST\x1a\0\0\0INFOISFT\x0e\0\0\0Lavf58.29.100\0"
        for size in (0, 0xFFFF_FFFF):
            content = by_hand.wav(data, "f32", channels=2, size=size, riff=0xFFFF_FFFF, before=titles)
            np.testing.assert_allclose(read(put("clip.wav", content), channel=1), -waveform, atol=1e-7)

    def test_au_is_read_to_its_end(self, put, by_hand, waveform):
        path = put("clip.au", by_hand.au(by_hand.encode(waveform, "i16", ">"), size=0xFFFF_FFFF))
        np.testing.assert_allclose(read(path), waveform, atol=2**-15)

    def test_flac_is_read_to_its_end(self, tmp_path, put, waveform):
        soundfile.write(tmp_path / "clip.flac", waveform, 16_000, subtype="PCM_16")
        content = bytearray((tmp_path / "clip.flac").read_bytes())
        # The number of samples: the low 36 of the 64 bits that begin at byte 18; 0 where it is not known.
        content[21] &= 0xF0
        content[22:26] = bytes(4)
        path = put("piped.flac", content)
        assert soundfile.info(path).frames == 2**63 - 1
        np.testing.assert_allclose(read(path), waveform, atol=2**-15)
