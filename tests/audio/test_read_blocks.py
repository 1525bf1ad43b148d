"""Reading block by block: the same samples as at once, the same refusals, and little memory."""

import tracemalloc

import numpy as np
import pytest
import soundfile

from sertk.audio import read, read_blocks


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("channels", [1, 3])
def test_joined_they_are_what_is_read_at_once(rate, channels, tmp_path, monkeypatch):
    samples = np.random.default_rng(rate).uniform(-0.9, 0.9, (rate * 3 + 17, channels))
    soundfile.write(tmp_path / "clip.flac", samples, rate)
    whole = read(tmp_path / "clip.flac")
    monkeypatch.setattr("sertk.audio.decode.BLOCK", 5_000)
    blocks = list(read_blocks(tmp_path / "clip.flac"))
    assert len(blocks) >= 5
    assert all(len(block) and block.dtype == np.float32 for block in blocks)
    np.testing.assert_allclose(np.concatenate(blocks), whole, atol=1e-6)


def test_what_a_header_tells_is_told_before_the_first_block(tmp_path):
    soundfile.write(tmp_path / "clip.wav", np.zeros(16_000 * 3), 16_000)
    whole = (tmp_path / "clip.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[:-50_000])
    with pytest.raises(ValueError, match="is cut off"):
        read_blocks(tmp_path / "cut.wav")
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        read_blocks(tmp_path / "gone.wav")
    with pytest.raises(ValueError, match="`sample_rate` must be an integer"):
        read_blocks(tmp_path / "clip.wav", 0)
    with pytest.raises(ValueError, match="is longer than `max_seconds`, 2 s"):
        next(read_blocks(tmp_path / "clip.wav", max_seconds=2))


def test_what_is_no_sound_is_told_where_it_comes(tmp_path, monkeypatch):
    monkeypatch.setattr("sertk.audio.decode.BLOCK", 1_000)
    samples = np.zeros(10_000, "float32")
    samples[4_500] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, 16_000, subtype="FLOAT")
    blocks = read_blocks(tmp_path / "nan.wav")
    assert sum(len(next(blocks)) for _ in range(4)) == 4_000
    with pytest.raises(ValueError, match=r"nan\.wav: holds samples that are NaN or infinite"):
        next(blocks)


def test_a_long_file_takes_no_more_memory_than_its_blocks(tmp_path):
    """Ten minutes would be 37 MiB as a waveform."""
    soundfile.write(tmp_path / "long.flac", np.zeros(16_000 * 600, "int16"), 16_000)
    tracemalloc.start()
    try:
        assert sum(map(len, read_blocks(tmp_path / "long.flac"))) == 16_000 * 600
        assert tracemalloc.get_traced_memory()[1] < 12 * 2**20
    finally:
        tracemalloc.stop()
