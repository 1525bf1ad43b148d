"""Files that are no clip: each ends in one error, which names the file and says what is wrong."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import soundfile

from sertk.audio import info, read

NOBODY = 65_534  # the user without rights
TONE = 0.5 * np.sin(2 * np.pi * 300 * np.arange(16_000) / 16_000)


class TestNoFile:
    def test_nothing_there(self, tmp_path, reason):
        assert reason(tmp_path / "clip.wav", FileNotFoundError) == "there is no such file"

    def test_file_in_a_file(self, put, reason):
        assert reason(put("clip.wav", b"RIFF") / "clip.wav", FileNotFoundError) == "there is no such file"

    def test_dangling_link(self, tmp_path, reason):
        path = tmp_path / "clip.wav"
        path.symlink_to("gone.wav")
        expected = "is a link to a file that is not there; was it moved? Received: gone.wav"
        assert reason(path, FileNotFoundError) == expected

    def test_link_to_itself(self, tmp_path, reason):
        path = tmp_path / "clip.wav"
        path.symlink_to(path)
        assert reason(path).startswith("can't be opened; has it the right permissions? Received: Too many levels of")

    def test_link_to_a_clip_is_one(self, tmp_path, put, by_hand, pcm):
        (tmp_path / "link.wav").symlink_to(put("clip.wav", by_hand.wav(pcm)))
        np.testing.assert_allclose(read(tmp_path / "link.wav"), TONE, atol=2**-15)

    def test_name_that_is_no_text(self, tmp_path, by_hand, pcm, reason):
        """Names are bytes; a corpus that was unpacked elsewhere has some that are no UTF-8."""
        path = tmp_path / os.fsdecode(b"clip-\xfc.wav")
        path.write_bytes(by_hand.wav(pcm))
        np.testing.assert_allclose(read(path), TONE, atol=2**-15)
        path.write_bytes(b"")
        assert reason(path).startswith("is empty")

    def test_folder(self, tmp_path, reason):
        assert reason(tmp_path).startswith("is a folder, not an audio file; pass the files in it")

    def test_pipe_is_not_waited_for(self, tmp_path, reason):
        """Nobody ever writes into it: a read would hang."""
        path = tmp_path / "clip.wav"
        os.mkfifo(path)
        said = []
        thread = threading.Thread(target=lambda: said.append(reason(path)), daemon=True)
        thread.start()
        thread.join(5)
        assert said == ["is no ordinary file; copy the recording into one. Received: a pipe or device"]

    def test_device(self, reason):
        assert reason("/dev/zero").startswith("is no ordinary file")

    def test_file_that_may_not_be_read(self, put, by_hand, pcm, reason):
        path = put("clip.wav", by_hand.wav(pcm))
        path.chmod(0)
        rank = os.geteuid()
        if rank == 0:  # who may read everything
            os.seteuid(NOBODY)
        try:
            said = reason(path)
        finally:
            os.seteuid(rank)
        assert said == "can't be opened; has it the right permissions? Received: Permission denied"

    def test_refused_by_the_system(self, put, by_hand, pcm, monkeypatch, reason):
        """What root meets too: a disk that fails, a share that is gone."""

        def fail(path, *_, **__):
            raise PermissionError(13, "Permission denied", str(path))

        path = put("clip.wav", by_hand.wav(pcm))
        monkeypatch.setattr("pathlib.Path.open", fail)
        assert reason(path) == "can't be opened; has it the right permissions? Received: Permission denied"


class TestNoSound:
    def test_no_bytes(self, put, reason):
        assert reason(put("clip.wav", b"")) == "is empty; copy or download it again. Received: 0 bytes"

    @pytest.mark.parametrize("name", ["clip.wav", "clip.mp3", "clip.au", "clip.gsm", "clip.vox", "clip.raw", "clip"])
    @pytest.mark.parametrize(
        "text",
        [
            "This is a letter, not a recording.",
            "version https://git-lfs.github.com/spec/v1\noid sha256:4cac19622fc3ada9",
            "\ufeff<!DOCTYPE html>\r\n<html lang='de'>",
            "Ünïcödé " * 20,
            "x" + "ü" * 100,  # the 64th byte is half a letter
        ],
    )
    def test_text(self, put, name, text, reason):
        """By the name alone libsndfile would play some of these."""
        assert reason(put(name, text.encode())).startswith(
            "can't be decoded as audio, because it is text. Received: a file that"
        )

    @pytest.mark.parametrize("name", ["clip.wav", "clip.flac", "clip.au", "clip.gsm", "clip.vox", "clip.raw", "clip"])
    @pytest.mark.parametrize("content", [bytes(1_000), bytes(range(256)) * 4, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"])
    def test_other_bytes(self, put, name, content, reason):
        said = reason(put(name, content))
        assert said.startswith("can't be decoded as audio; is it complete? It is none of WAV, FLAC, ")
        assert f"Received: {len(content):,} bytes that begin with b'" in said

    def test_sound_called_raw(self, put, by_hand, pcm, reason):
        """soundfile looks for no header in a file of that name."""
        assert reason(put("clip.raw", by_hand.wav(pcm))).startswith("must have another name: what ends in .raw is")

    @pytest.mark.parametrize("container", ["VOC", "SVX", "IRCAM", "SDS", "PVF", "XI", "MAT4", "MAT5", "HTK", "AVR"])
    def test_formats_that_hold_no_speech(self, tmp_path, container, reason):
        """libsndfile would read them, and from a damaged SDS file as many samples as its header asks for."""
        path = tmp_path / "clip.wav"
        soundfile.write(path, TONE, 16_000, format=container, subtype="DPCM_16" if container == "XI" else "PCM_16")
        assert reason(path).startswith("can't be decoded as audio")

    def test_header_without_samples(self, put, by_hand, reason):
        titles = b"LIST\x0e\0\0\0INFOIART\2\0\0\0me"
        for content in (by_hand.wav(b""), by_hand.wav(b"", after=titles), by_hand.aiff(b""), by_hand.au(b"")):
            assert reason(put("clip.wav", content)) == (
                "holds no samples; delete it or record it again. Received: 0 samples"
            )

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_impossible_samples(self, put, by_hand, value, reason):
        data = by_hand.encode([0.0, value, 0.5], "f32")
        said = reason(put("clip.wav", by_hand.wav(data, "f32")))
        assert said.startswith("holds samples that are NaN or infinite; export it again from its source. Received: ")

    def test_samples_beyond_single_precision(self, put, by_hand, reason):
        path = put("clip.wav", by_hand.wav(by_hand.encode([0.0, 1e300], "f64"), "f64"))
        assert reason(path).startswith("holds samples that are NaN or infinite")

    @pytest.mark.parametrize("sign", [-1, 1])
    def test_samples_that_are_no_sound(self, put, by_hand, sign, reason):
        """Their squares are infinite in float32, and so are the features."""
        path = put("clip.wav", by_hand.wav(by_hand.encode([0.0, sign * 1e25], "f32"), "f32"))
        assert reason(path).startswith("holds samples that are no sound; export it again")

    def test_unscaled_integers_in_a_float_file_are_sound(self, put, by_hand):
        path = put("clip.wav", by_hand.wav(by_hand.encode([-(2.0**31), 2.0**15], "f32"), "f32"))
        assert read(path).tolist() == [-(2.0**31), 2.0**15]


class TestAbsurdHeader:
    @pytest.mark.parametrize("rate", [0, 1, 999, 768_001, 2**32 - 1])
    @pytest.mark.parametrize("container", ["wav", "rf64", "w64", "aiff", "au", "caf"])
    def test_rate(self, put, by_hand, pcm, container, rate, reason):
        if (container, rate) == ("aiff", 0):
            pytest.skip("a number of AIFF has no exponent for 0")
        path = put("clip.wav", getattr(by_hand, container)(pcm, rate=rate))
        assert reason(path) == f"its header gives no rate of speech. Received: a sample rate of {rate} Hz"

    def test_rate_of_flac(self, tmp_path, reason):
        path = tmp_path / "clip.flac"
        soundfile.write(path, TONE, 16_000)
        content = bytearray(path.read_bytes())
        content[18:20] = bytes(2)
        content[20] &= 0x0F
        path.write_bytes(content)
        assert reason(path) == "its header gives no rate of speech. Received: a sample rate of 0 Hz"

    @pytest.mark.parametrize("exponent", [0, 0x7FFF, 0xFFFF])
    def test_rate_of_aiff_beyond_all_numbers(self, put, by_hand, pcm, exponent, reason):
        content = by_hand.aiff(pcm)
        place = content.index(b"COMM") + 16
        content = content[:place] + exponent.to_bytes(2, "big") + content[place + 2 :]
        assert reason(put("clip.aiff", content)).startswith("its header gives no rate of speech. Received: ")

    @pytest.mark.parametrize("channels", [0, 33, 1_024, 65_535])
    @pytest.mark.parametrize("container", ["wav", "rf64", "w64", "aiff", "au", "caf"])
    def test_channels(self, put, by_hand, pcm, container, channels, reason):
        options = {"frames": 0} if container == "aiff" else {}
        path = put("clip.wav", getattr(by_hand, container)(pcm, channels=channels, **options))
        assert reason(path) == (f"its header gives no number of channels from 1 to 32. Received: {channels:,} channels")

    def test_thirty_two_channels_are_read(self, put, by_hand):
        samples = np.tile(TONE[:100, None], 32)
        path = put("clip.wav", by_hand.wav(by_hand.encode(samples, "f32"), "f32", channels=32))
        np.testing.assert_allclose(read(path), TONE[:100], atol=1e-6)

    def test_bits(self, put, by_hand, pcm, reason):
        content = bytearray(by_hand.wav(pcm))
        content[34:36] = b"\0\0"
        assert reason(put("clip.wav", content)).startswith("can't be decoded as audio")


class TestHeaderAlone:
    """`info` refuses what `read` refuses, in the same words, as far as the header tells."""

    @pytest.mark.parametrize(
        "content",
        ["empty", "text", "other bytes", "cut off", "no samples", "1 Hz", "33 channels", "folder", "pipe", "nothing"],
    )
    def test_same_words_as_when_it_is_read(self, tmp_path, by_hand, pcm, content, reason):
        path = tmp_path / "clip.wav"
        contents = {
            "empty": b"",
            "text": b"version https://git-lfs.github.com/spec/v1",
            "other bytes": bytes(1_000),
            "cut off": by_hand.wav(pcm)[:-1_000],
            "no samples": by_hand.wav(b""),
            "1 Hz": by_hand.wav(pcm, rate=1),
            "33 channels": by_hand.wav(pcm, channels=33),
        }
        if content == "folder":
            path.mkdir()
        elif content == "pipe":
            os.mkfifo(path)
        elif content in contents:
            path.write_bytes(contents[content])
        kind = FileNotFoundError if content == "nothing" else ValueError
        with pytest.raises(kind) as caught:
            info(path)
        assert str(caught.value) == f"{path}: {reason(path, kind)}"

    def test_samples_are_not_looked_at(self, put, by_hand):
        """That costs as much as reading: what is NaN shows when it is read."""
        data = by_hand.encode([0.0, np.nan, 0.5, 0.0], "f32")
        assert info(put("clip.wav", by_hand.wav(data, "f32"))) == (16_000, 1, 4 / 16_000)


class TestTooLong:
    def test_hours(self, put, by_hand, reason):
        """Told from the header: nothing of it is decoded."""
        path = put("clip.flac", b"")
        with soundfile.SoundFile(path, "w", 1_000, 1, "PCM_16", format="FLAC") as file:
            for _ in range(8):
                file.write(np.zeros(1_000_000, "int16"))
        begin = time.perf_counter()
        expected = "is longer than `max_seconds`, 3,600 s; cut it into clips, or raise the limit. Received: 8,000.0 s"
        assert reason(path) == expected
        assert time.perf_counter() - begin < 0.1
        assert len(read(path, 1_000, max_seconds=8_000)) == 8_000_000
        assert len(read(path, 1_000, max_seconds=float("inf"))) == 8_000_000

    @pytest.mark.parametrize(("seconds", "too_long"), [(0.999, True), (1, False), (1.5, False)])
    def test_limit_is_kept_to_the_sample(self, put, by_hand, pcm, seconds, too_long, reason):
        path = put("clip.wav", by_hand.wav(pcm))
        if too_long:
            assert reason(path, max_seconds=seconds).endswith("Received: 1.0 s")
        else:
            assert len(read(path, max_seconds=seconds)) == 16_000

    def test_header_that_does_not_say(self, tmp_path, reason):
        """A FLAC file written into a pipe, of a silence that needs few bytes: decoding stops at the limit."""
        path = tmp_path / "clip.flac"
        soundfile.write(path, np.zeros(5_000_000, "int16"), 16_000)
        content = bytearray(path.read_bytes())
        content[21] &= 0xF0
        content[22:26] = bytes(4)
        path.write_bytes(content)
        assert "Received: at least 65.5 s" in reason(path, max_seconds=60)
        assert len(read(path)) == 5_000_000


@pytest.mark.parametrize(
    "claim", ["flac of 2^36 samples", "wav of 4 GiB", "aiff of 2^32 frames", "rf64 of 2^40 bytes", "pipe of flac"]
)
def test_memory_follows_the_file_and_not_its_header(tmp_path, put, by_hand, pcm, claim):
    if "flac" in claim:
        soundfile.write(tmp_path / "clip.flac", TONE, 16_000)
        content = bytearray((tmp_path / "clip.flac").read_bytes())
        unknown = claim.startswith("pipe")
        content[21] = content[21] & 0xF0 | (0 if unknown else 0x0F)
        content[22:26] = bytes(4) if unknown else b"\xff" * 4
        path = put("clip.flac", content)
    elif "wav" in claim:
        path = put("clip.wav", by_hand.wav(pcm, size=2**32 - 1, riff=2**32 - 1))
    elif "aiff" in claim:
        path = put("clip.aiff", by_hand.aiff(pcm, frames=2**32 - 1))
    else:
        path = put("clip.wav", by_hand.rf64(pcm, size=2**40))
    said = within(2**26, f"decode.read({str(path)!r}, max_seconds=float('inf'))")
    assert said.startswith(("16000", f"{path}: is cut off"))


@pytest.mark.parametrize("rate", [192_000, 768_000])
def test_memory_follows_what_is_asked_for_and_not_the_rate_of_the_file(tmp_path, rate):
    """Some kilobytes of silence, within the limit of seconds: an hour at 768 kHz is 11 GB before it is resampled."""
    path = tmp_path / "clip.flac"
    with soundfile.SoundFile(path, "w", 192_000, 1, "PCM_16", format="FLAC") as file:
        for _ in range(40):
            file.write(np.zeros(2**20, "int16"))
    content = bytearray(path.read_bytes())
    if rate > 192_000:  # libsndfile writes none of these: a rate of 20 bits from the 18th byte on
        content[18:21] = bytes([rate >> 12, rate >> 4 & 0xFF, (rate & 0x0F) << 4 | content[20] & 0x0F])
        path.write_bytes(content)
    assert len(content) < 2**20
    said = within(2**26, f"decode.read({str(path)!r})")  # samples of the file alone: 160 MiB
    assert int(said) == pytest.approx(40 * 2**20 * 16_000 / rate, abs=1)


def within(most, call):
    """The number of samples that `call` gives, or its error, where only `most` further bytes are to be had."""
    code = f"""
import resource, sertk.audio.decode as decode
with open("/proc/self/statm") as statm:
    held = int(statm.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + {most}, held + {most}))
try:
    print(len({call}))
except ValueError as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return result.stdout.strip()


def test_a_file_of_empty_chunks_is_given_up_soon(put, by_hand, pcm, reason):
    path = put("clip.wav", by_hand.wav(pcm, before=b"abcd\0\0\0\0" * 2**20))
    begin = time.perf_counter()
    assert reason(path).startswith("can't be decoded as audio")
    assert time.perf_counter() - begin < 1
