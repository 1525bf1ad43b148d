"""Files of which a part is missing: none is read as far as it goes, whatever libsndfile would do."""

import numpy as np
import pytest
import soundfile

from sertk.audio import read

TONE = 0.5 * np.sin(2 * np.pi * 300 * np.arange(16_000) / 16_000)
NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, 16_000)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.999])
@pytest.mark.parametrize(
    ("suffix", "container", "subtype"),
    [
        *(("wav", "WAV", subtype) for subtype in ("PCM_U8", "PCM_16", "PCM_24", "FLOAT", "ULAW")),
        ("wav", "WAV", "IMA_ADPCM"),
        ("wav", "WAV", "GSM610"),
        ("wav", "WAVEX", "PCM_16"),
        ("wav", "RF64", "PCM_16"),
        ("w64", "W64", "PCM_16"),
        ("aiff", "AIFF", "PCM_16"),
        ("wav", "AIFF", "PCM_24"),
        ("au", "AU", "PCM_16"),
        ("sph", "NIST", "PCM_16"),
        ("sph", "NIST", "ULAW"),
        ("caf", "CAF", "PCM_16"),
        ("caf", "CAF", "ALAC_16"),
        ("flac", "FLAC", "PCM_16"),
        ("flac", "FLAC", "PCM_24"),
        ("ogg", "OGG", "VORBIS"),
        ("opus", "OGG", "OPUS"),
        ("mp3", "MP3", "MPEG_LAYER_III"),
    ],
)
def test_file_that_ends_too_soon(tmp_path, suffix, container, subtype, part, reason):
    path = tmp_path / f"clip.{suffix}"
    soundfile.write(path, np.tile(NOISE, 3), 16_000, format=container, subtype=subtype)
    read(path)
    content = path.read_bytes()
    if (suffix, part) == ("mp3", 0.999):
        pytest.skip("some 30 ms: decoders guess that much, and encoders count differently")
    path.write_bytes(content[: int(part * len(content))])
    said = reason(path)
    assert said.startswith(("is cut off, or its header is damaged; copy or", "can't be decoded as audio; is it"))


@pytest.mark.parametrize("size", [32_002, 10**6, 2**31 - 1, 2**32 - 1])
def test_wav_that_announces_more_than_there_is(put, by_hand, pcm, size, reason):
    assert reason(put("clip.wav", by_hand.wav(pcm, size=size))) == (
        "is cut off, or its header is damaged; copy or download it again. "
        f"Received: 32,000 of the {size:,} bytes of samples that its header announces"
    )


@pytest.mark.parametrize("size", [10**6, 2**40, 2**62])
def test_others_that_announce_more_than_there_is(put, by_hand, pcm, size, reason):
    for container in (by_hand.rf64, by_hand.w64, by_hand.caf):
        assert "is cut off, or its header is damaged" in reason(put("clip.wav", container(pcm, size=size)))
    for options in ({"size": min(size, 2**32 - 1)}, {"frames": min(size, 2**32 - 1)}):
        assert "is cut off, or its header is damaged" in reason(put("clip.aiff", by_hand.aiff(pcm, **options)))
    assert "is cut off, or its header is damaged" in reason(put("clip.au", by_hand.au(pcm, size=10**6)))


def test_what_is_missing_is_counted(put, by_hand, pcm, reason):
    """Chunks of an odd size before the samples too, which WAV fills up and CAF does not."""
    odd = b"\5odd!!"
    for content in (
        by_hand.wav(pcm, before=b"odd " + odd[:1] + b"\0\0\0" + odd[1:] + b"\0"),
        by_hand.rf64(pcm),
        by_hand.w64(pcm),
        by_hand.aiff(pcm),
        by_hand.au(pcm),
    ):
        read(put("clip.wav", content))
        said = reason(put("clip.wav", content[:-1_000]))
        assert said.endswith("Received: 31,000 of the 32,000 bytes of samples that its header announces")
    # The size of CAF's samples counts the number of edits before them, 4 bytes.
    content = by_hand.caf(pcm, before=b"free" + bytes(7) + odd)
    read(put("clip.wav", content))
    said = reason(put("clip.wav", content[:-1_000]))
    assert said.endswith("Received: 31,004 of the 32,004 bytes of samples that its header announces")


def test_what_follows_the_samples_may_be_lost(put, by_hand, pcm):
    """A list of titles that is cut in two takes no sound away; nor does a tag that was appended."""
    content = by_hand.wav(pcm, after=b"LIST\x1a\0\0\0INFOISFT\x0e\0\0\0Lavf58.29.100\0")
    for content_now in (content[:-10], content + b"TAG" + bytes(125)):
        np.testing.assert_allclose(read(put("clip.wav", content_now)), TONE, atol=2**-15)


def test_pages_of_ogg_that_do_not_end(tmp_path, reason):
    """Cut between two pages, every page is whole; only the mark of the last one is missing."""
    path = tmp_path / "clip.ogg"
    soundfile.write(path, np.tile(NOISE, 10), 16_000)
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b"OggS\0")])
    assert reason(path).endswith("Received: a last Ogg page that does not end the stream")


def test_flac_that_lacks_whole_frames(tmp_path, reason):
    """Its frames are whole, but there are fewer than the header counts."""
    path = tmp_path / "clip.flac"
    soundfile.write(path, TONE, 16_000)
    content = bytearray(path.read_bytes())
    content[22:26] = (20_000).to_bytes(4, "big")
    path.write_bytes(content)
    assert reason(path).endswith("Received: 16,000 of the 20,000 samples that its header announces")


@pytest.mark.parametrize(("rate", "frame"), [(16_000, 576), (44_100, 1_152)])
def test_mp3_may_lack_the_frame_of_its_tag_and_no_more(tmp_path, rate, frame, reason):
    """Some encoders count the frame that holds the tag, and others do not."""
    path = tmp_path / "clip.mp3"
    soundfile.write(path, NOISE, rate)
    content = path.read_bytes()
    tag = max(content.find(b"Xing"), content.find(b"Info"))
    counted = int.from_bytes(content[tag + 8 : tag + 12], "big")
    for more in (1, 2):
        path.write_bytes(content[: tag + 8] + (counted + more).to_bytes(4, "big") + content[tag + 12 :])
        with soundfile.SoundFile(path) as file:
            assert file.frames == 16_000 + more * frame
        if more == 1:
            assert 16_000 <= len(read(path, rate)) < 16_000 + frame
        else:
            announced = 16_000 + 2 * frame
            assert reason(path).endswith(f" of the {announced:,} samples that its header announces")


def test_mp3_without_a_tag_is_read_as_far_as_it_goes(tmp_path):
    """Its length is only guessed, from the bitrate, and a guess is no reason to refuse it."""
    path = tmp_path / "clip.mp3"
    options = {"bitrate_mode": "VARIABLE", "compression_level": 0.5}
    soundfile.write(path, np.r_[0 * NOISE, NOISE, 0 * NOISE], 44_100, **options)
    content = path.read_bytes()
    path.write_bytes(content[content.index(content[:2], 4) :])
    with soundfile.SoundFile(path) as file:
        assert file.frames > 60_000
    assert 47_000 < len(read(path, 44_100)) < 51_000
