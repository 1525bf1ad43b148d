"""Raw PCM from a pipe: every sample once, whatever pieces it comes in."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.inference import read_pcm


class Pipe:
    """Gives what is in it in pieces of the sizes given, as a pipe does."""

    def __init__(self, content, sizes=()):
        self._file, self._sizes = io.BytesIO(content), iter(sizes)

    def read1(self, most):
        return self._file.read(min(next(self._sizes, most), most))


def heard(*arguments):
    pieces = [samples for _, samples in read_pcm(*arguments)]
    return np.concatenate(pieces) if pieces else np.empty(0, "float32")


@settings(deadline=None)
@given(st.lists(st.integers(-32_768, 32_767), max_size=50), st.lists(st.integers(1, 7), max_size=60))
def test_pieces_that_end_within_a_sample_lose_nothing(integers, sizes):
    content = b"".join(value.to_bytes(2, "little", signed=True) for value in integers)
    headers = (b"RIFF", b"OggS", b"fLaC", b"FORM", b"RF64", b"RIFX", b"caff", b".snd", b"\x1aE\xdf\xa3")
    if content[:3] == b"ID3" or content[:4] in headers:
        return
    np.testing.assert_array_equal(heard(Pipe(content, sizes)), np.float32(integers) / 32_768)


def test_channels_take_turns_and_are_averaged():
    stereo = np.float32([[0.5, 0.25], [-1.0, 0.0], [0.125, 0.125]])
    assert heard(Pipe(stereo.astype("<f4").tobytes(), [5, 3]), "f32le", 2).tolist() == [0.375, -0.5, 0.125]
    left, right = (1_000, -3_000)
    content = np.array([[left, right]] * 4, "<i2").tobytes()
    np.testing.assert_allclose(heard(Pipe(content), "s16le", 2), [-1_000 / 32_768] * 4, rtol=1e-6)


def test_nothing_waits_for_more_than_there_is():
    """A pipe that would block after its first bytes has been heard up to there."""
    pieces = read_pcm(Pipe(bytes(400), [100, 100]))
    assert len(next(pieces)[1]) == 50
    assert len(next(pieces)[1]) == 50


def test_a_sound_that_ends_within_a_sample_is_told_of():
    with pytest.warns(UserWarning, match="in the middle of a sample: 1 bytes of 2 are left out"):
        assert len(heard(Pipe(bytes(5)))) == 2


@pytest.mark.parametrize("header", [b"RIFF....WAVEfmt ", b"fLaC....", b"OggS....", b"ID3.....", b"\x1aE\xdf\xa3"])
def test_files_with_a_header_are_no_raw_sound(header):
    with pytest.raises(ValueError, match=r"must be raw PCM, without a header; `ffmpeg .* begins with b'"):
        heard(Pipe(header + bytes(100)))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "integers", [[-1, -1], [0, 0x7F80], [5, 0x7000], [1, 0x7F80]]
)  # NaN, infinity, 1.6e29, signalling NaN
def test_integers_that_are_called_floats_are_told_of(integers):
    content = np.array(integers).astype("<u2").tobytes()
    with pytest.raises(ValueError, match=r"16-bit integers the encoding is s16le\. Received: samples up to .* as f32"):
        heard(Pipe(content), "f32le")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("s24le",), "`encoding` must be one of s16le, f32le. Received: encoding='s24le'"),
        (("s16le", 0), "`channels` must be from 1 to 32. Received: channels=0"),
        (("s16le", 1.0), "`channels` must be from 1 to 32"),
    ],
)
def test_slips_are_told_before_anything_is_read(arguments, message):
    with pytest.raises(ValueError, match=message):
        read_pcm(None, *arguments)
