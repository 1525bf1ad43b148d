"""Audio files put together byte by byte, so that no library has a say in what is in them."""

import struct
from types import SimpleNamespace

import numpy as np
import pytest

from sertk.audio import read

UNSET = 0xFFFF_FFFF
GUID = bytes.fromhex("0000 0000 1000 8000 00aa00389b71")


def encode(samples, kind, order="<"):
    """Samples in [-1, 1) as bytes: "u8", "i8", "i16", "i24", "i32", "f32" or "f64" in either byte order."""
    samples = np.asarray(samples, "float64")
    bits = int(kind[1:])
    if kind[0] == "f":
        return samples.astype(f"{order}f{bits // 8}").tobytes()
    steps = np.round(samples * 2 ** (bits - 1)).clip(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).astype("int64")
    if kind == "u8":
        return (steps + 128).astype("u1").tobytes()
    width = bits // 8
    little = steps.astype("<i8").view("u1").reshape(*steps.shape, 8)[..., :width]
    return (little if order == "<" else little[..., ::-1]).tobytes()


def fmt(kind="i16", channels=1, rate=16_000, extensible=False, order="<"):
    bits = int(kind[1:])
    tag = 3 if kind[0] == "f" else 1
    align = channels * bits // 8
    fields = (channels, rate, rate * align & UNSET, align & 0xFFFF, bits)
    if extensible:
        return struct.pack("<HHIIHHHHIH", 0xFFFE, *fields, 22, bits, 0, tag) + GUID
    return struct.pack(f"{order}HHIIHH", tag, *fields)


def wav(data, kind="i16", channels=1, rate=16_000, *, size=None, riff=None, before=b"", after=b"", **options):
    """A WAV file; `size` and `riff` are what it says of its samples' size and its own, right ones by default."""
    order = options.get("order", "<")
    described = fmt(kind, channels, rate, **options)
    body = b"WAVEfmt " + struct.pack(f"{order}I", len(described)) + described + before
    body += b"data" + struct.pack(f"{order}I", len(data) if size is None else size) + data + after
    magic = b"RIFF" if order == "<" else b"RIFX"
    return magic + struct.pack(f"{order}I", len(body) if riff is None else riff) + body


def rf64(data, kind="i16", size=None, **options):
    described = fmt(kind, **options)
    frames = len(data) // (int(kind[1:]) // 8)
    body = b"WAVEds64" + struct.pack("<IQQQI", 28, 72 + len(data), len(data) if size is None else size, frames, 0)
    body += b"fmt " + struct.pack("<I", len(described)) + described + b"data" + struct.pack("<I", UNSET) + data
    return b"RF64" + struct.pack("<I", UNSET) + body


def w64(data, kind="i16", size=None, **options):
    tail = bytes.fromhex("f3acd3118cd100c04f8edb8a")
    described = fmt(kind, **options)
    body = b"wave" + tail + b"fmt " + tail + struct.pack("<Q", 24 + len(described)) + described
    body += b"data" + tail + struct.pack("<Q", 24 + (len(data) if size is None else size)) + data
    return b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000") + struct.pack("<Q", 24 + len(body)) + body


def aiff(data, kind="i16", channels=1, rate=16_000, *, size=None, frames=None, compression=b""):
    """An AIFF file, or AIFF-C with a `compression`."""
    bits = int(kind[1:])
    exponent = rate.bit_length() - 1
    mantissa = rate << (63 - exponent)
    frames = len(data) // (channels * bits // 8) if frames is None else frames
    described = struct.pack(">HIHHQ", channels, frames, bits, 16_383 + exponent, mantissa)
    described += compression + b"\0\0" if compression else b""
    body = b"AIFC" if compression else b"AIFF"
    body += b"COMM" + struct.pack(">I", len(described)) + described
    body += b"SSND" + struct.pack(">III", 8 + len(data) if size is None else size, 0, 0) + data
    return b"FORM" + struct.pack(">I", len(body)) + body


def au(data, kind="i16", channels=1, rate=16_000, *, size=None):
    encoding = {"i8": 2, "i16": 3, "i24": 4, "i32": 5, "f32": 6, "f64": 7}[kind]
    return b".snd" + struct.pack(">5I", 24, len(data) if size is None else size, encoding, rate, channels) + data


def caf(data, kind="i16", channels=1, rate=16_000, *, size=None, before=b""):
    bits = int(kind[1:])
    described = struct.pack(">d4s5I", rate, b"lpcm", kind[0] == "f", channels * bits // 8, 1, channels, bits)
    body = b"desc" + struct.pack(">q", len(described)) + described + before
    return b"caff\0\1\0\0" + body + b"data" + struct.pack(">qI", 4 + len(data) if size is None else size, 0) + data


@pytest.fixture(scope="session")
def by_hand():
    """The functions that put files together: `encode`, `wav`, `rf64`, `w64`, `aiff`, `au`, `caf`."""
    return SimpleNamespace(encode=encode, wav=wav, rf64=rf64, w64=w64, aiff=aiff, au=au, caf=caf)


@pytest.fixture
def put(tmp_path):
    """A function that writes bytes under a name and returns the path."""

    def put(name, content):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return put


@pytest.fixture(scope="session")
def pcm(by_hand):
    """A second of 300 Hz at half of full scale, 16 kHz, 16 bits."""
    return by_hand.encode(0.5 * np.sin(2 * np.pi * 300 * np.arange(16_000) / 16_000), "i16")


@pytest.fixture(scope="session")
def reason():
    """A function that says why `read` refuses a file, in one line, without the name that the line must begin with."""

    def reason(path, kind=ValueError, **options):
        with pytest.raises(kind) as caught:
            read(path, **options)
        message = str(caught.value)
        assert type(caught.value) is kind
        assert message.startswith(f"{path}: ")
        assert "\n" not in message
        return message.removeprefix(f"{path}: ")

    return reason
