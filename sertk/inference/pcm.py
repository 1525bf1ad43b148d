"""Raw PCM: sound without a header, as it comes through a pipe."""

import time
import warnings

import numpy as np

from sertk.audio.decode import LOUDEST, MOST_CHANNELS

# How samples are written, and what full scale is.
PCM = {"s16le": ("<i2", 32_768), "f32le": ("<f4", 1)}
# As much as a pipe holds. What is there is taken, however little: nothing waits for more.
MOST_BYTES = 65_536
# What files begin with that have a header, which would be heard as noise.
HEADERS = (b"RIFF", b"RIFX", b"RF64", b"FORM", b"fLaC", b"OggS", b"ID3", b"caff", b".snd", b"\x1aE\xdf\xa3")


def read_pcm(file, encoding="s16le", channels=1):
    """Reads raw PCM as it comes in, without waiting for more than there is.

    Args:
        file: binary file with `read1`, such as `sys.stdin.buffer`.
        encoding: "s16le", 16-bit integers, or "f32le", floats in [-1, 1]; both little-endian. Defaults to "s16le".
        channels: int, how many take turns; they are averaged. Defaults to 1.

    Yields:
        When a piece came in, `time.perf_counter()`, and the piece: float32 array `(samples,)`.

    Raises:
        ValueError: if the encoding is unknown, `channels` no number from 1 to 32, the sound begins with the header of a
            file, or what should be floats is no sound.

    Example:
        >>> for arrived, samples in read_pcm(sys.stdin.buffer):
        ...     moments = stream.feed(samples)
    """
    if encoding not in PCM:
        raise ValueError(f"`encoding` must be one of {', '.join(PCM)}. Received: encoding={encoding!r}")
    if not isinstance(channels, int) or not 1 <= channels <= MOST_CHANNELS:
        raise ValueError(f"`channels` must be from 1 to {MOST_CHANNELS}. Received: channels={channels!r}")
    return _pieces(file, *PCM[encoding], channels)


def _pieces(file, dtype, full_scale, channels):
    frame = np.dtype(dtype).itemsize * channels
    waiting, first = b"", True
    while data := file.read1(MOST_BYTES):
        arrived = time.perf_counter()
        if first and data.startswith(HEADERS):
            raise ValueError(
                "Standard input must be raw PCM, without a header; `ffmpeg -i FILE -f s16le -ac 1 -ar 16000 -` makes "
                f"it of any file. Received: sound that begins with {data[:4]!r}"
            )
        first = False
        waiting += data
        whole = len(waiting) - len(waiting) % frame
        samples = np.frombuffer(waiting[:whole], dtype).reshape(-1, channels)
        waiting = waiting[whole:]
        if len(samples):
            if samples.dtype.kind == "f":
                _check_floats(samples)
            yield arrived, samples.mean(axis=1, dtype="float32") / np.float32(full_scale)
    if waiting:
        warnings.warn(
            f"the sound ended in the middle of a sample: {len(waiting)} bytes of {frame} are left out", stacklevel=2
        )


def _check_floats(samples):
    with np.errstate(invalid="ignore"):
        peak = np.abs(samples).max()
    if not peak <= LOUDEST:  # nor is NaN
        raise ValueError(
            "Standard input must be floats in [-1, 1]; of 16-bit integers the encoding is s16le. "
            f"Received: samples up to {peak:g} as f32le"
        )
