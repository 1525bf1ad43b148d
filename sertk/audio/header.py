"""What an audio file says of itself, before anything is decoded: rate, channels, and whether all of it is there."""

import codecs
import contextlib
import math
import os
import re
import struct
from typing import NamedTuple

# What writers into a pipe, which can't come back to the header, leave for the size of a WAV file's samples: FFmpeg
# and many others the first, SoX the second. 0, which some leave, is told apart from a file without samples below.
OPEN_SIZES = (0xFFFF_FFFF, 0x7FFF_F000)
# No writer needs that many; a walk through a file of nothing but empty chunks would take minutes.
MOST_CHUNKS = 10_000
LONGEST_OGG_PAGE = 65_307


class Header(NamedTuple):
    """What is known of a file from its header; None where the header was not understood.

    Attributes:
        begins: the first 64 bytes.
        size: of the file, in bytes.
        known: whether it begins like a file of sound.
        rate: Hz.
        channels: their number.
        lacks: what of the file is missing, in words, or None.
        counts: whether the header gives the number of samples exactly. An MP3 file without a Xing tag only lets it be
            guessed from the bitrate.
        mend: None, or `(offset, bytes)`: what must stand in the header so that libsndfile reads the samples of a
            WAV file whose writer left their size at 0.
    """

    begins: bytes = b""
    size: int = 0
    known: bool = False
    rate: float | None = None
    channels: int | None = None
    lacks: str | None = None
    counts: bool = True
    mend: tuple | None = None

    @property
    def is_text(self):
        """Whether the file begins as text does: a web page, a list, the stand-in of a large file."""
        if self.known or b"\0" in self.begins:
            return False
        try:
            # An incremental decoder, because the last character may be cut in two.
            text = codecs.getincrementaldecoder("utf-8-sig")().decode(self.begins)
        except UnicodeDecodeError:
            return False
        return "".join(text.split()).isprintable()


def read_header(path):
    """Reads what a file's header says: WAV, RF64, W64, AIFF, CAF, AU, NIST SPHERE, FLAC, Ogg or MP3.

    A file is told by its first bytes, whatever it is called. Only a few hundred bytes are read (the last page of an
    Ogg file, some 64 KiB).

    Args:
        path: `pathlib.Path` of an ordinary file.

    Returns:
        `Header`.

    Raises:
        OSError: if the file can't be read.

    Source: EBU Tech 3306 (RIFF, RF64); Sony's Wave64; Apple's AIFF-C and Core Audio Format; NIST SPHERE; RFC 9639
        (FLAC); RFC 3533 (Ogg).
    """
    with path.open("rb", buffering=0) as file:
        begins = file.read(64)
        size = os.fstat(file.fileno()).st_size
        look = next((look for magic, look in LOOKS.items() if begins.startswith(magic)), None)
        found = {}
        if look:
            # A header that is cut short, or of numbers that are none, is libsndfile's to refuse.
            with contextlib.suppress(struct.error, ValueError):
                found = look(file, begins, size)
    return Header(begins, size, look is not None, **found)


def _riff(file, begins, size):
    order = ">" if begins.startswith(b"RIFX") else "<"
    (riff,) = struct.unpack_from(f"{order}I", begins, 4)
    known, long_size = {}, None
    for name, length, start in _chunks(file, f"{order}4sI", 12, size):
        if name == b"ds64":
            _, long_size = struct.unpack("<QQ", file.read(16))
        elif name == b"fmt ":
            _, known["channels"], known["rate"] = struct.unpack(f"{order}HHI", file.read(8))
        elif name == b"data":
            if begins.startswith(b"RF64") and length == 0xFFFF_FFFF and long_size is not None:
                length = long_size
            elif _is_open(length, start, riff, size):
                if length == 0:
                    known["mend"] = (start - 4, struct.pack(f"{order}I", min(size - start, 0xFFFF_FFFE)))
                break
            known["lacks"] = _shortage(start, length, size)
            break
    return known


def _is_open(length, start, riff, size):
    """Whether a WAV file's sizes are those of a writer that never came back to its header."""
    end = 8 + riff
    if length == 0:
        # A file without samples whose header is right ends here, or goes on as far as it says, with a list of titles.
        return size > start and (end <= start or riff in OPEN_SIZES)
    return length in OPEN_SIZES and (riff == 0 or end > size)


def _wave64(file, begins, size):
    known = {}
    # The sizes of W64 count the chunk's own head of 24 bytes, and chunks begin at multiples of 8.
    for name, length, start in _chunks(file, "<16sQ", 40, size, own=24, align=8):
        if name.startswith(b"fmt "):
            _, known["channels"], known["rate"] = struct.unpack("<HHI", file.read(8))
        elif name.startswith(b"data"):
            known["lacks"] = _shortage(start, length, size)
            break
    return known


def _aiff(file, begins, size):
    known, needed, sound = {}, 0, None
    for name, length, start in _chunks(file, ">4sI", 12, size):
        if name == b"COMM":
            channels, frames, bits, exponent, mantissa = struct.unpack(">HIHHQ", file.read(18))
            known |= {"channels": channels, "rate": _extended(exponent, mantissa)}
            if begins[8:12] == b"AIFF":  # AIFF-C may be compressed, and then a frame is anything
                needed = frames * channels * -(-bits // 8)
        elif name == b"SSND":
            sound = (start + 8, length - 8)
    if sound:
        start, length = sound
        known["lacks"] = _shortage(start, max(length, needed), size)
    return known


def _extended(exponent, mantissa):
    """A number of 80 bits, as AIFF writes its rate."""
    return math.ldexp(mantissa, exponent - 16_446) if exponent < 17_000 else math.inf


def _core_audio(file, begins, size):
    known = {}
    for name, length, start in _chunks(file, ">4sq", 8, size, align=1):
        if name == b"desc":
            known["rate"], known["channels"] = struct.unpack(">d16xI", file.read(28))
        elif name == b"data":
            known["lacks"] = _shortage(start, length, size)
            break
    return known


def _au(file, begins, size):
    order = ">" if begins.startswith(b".snd") else "<"
    start, length, _, rate, channels = struct.unpack_from(f"{order}5I", begins, 4)
    lacks = None if length == 0xFFFF_FFFF else _shortage(start, length, size)
    return {"rate": rate, "channels": channels, "lacks": lacks}


def _sphere(file, begins, size):
    start = int(begins[8:16])
    file.seek(0)
    fields = dict(re.findall(rb"^(\w+) -\w+ (\S+)", file.read(min(start, 16_384)), re.MULTILINE))
    rate, channels, count, width = (
        int(fields[name]) if fields.get(name, b"").isdigit() else None
        for name in (b"sample_rate", b"channel_count", b"sample_count", b"sample_n_bytes")
    )
    known = {"rate": rate, "channels": channels}
    if None not in (channels, count, width) and b"embedded" not in fields.get(b"sample_coding", b""):
        known["lacks"] = _shortage(start, channels * count * width, size)
    return known


def _flac(file, begins, size):
    # A rate of 20 bits, then 3 bits of channels less one. What is missing shows when it is decoded.
    (bits,) = struct.unpack_from(">I", begins, 18)
    return {"rate": bits >> 12, "channels": (bits >> 9 & 0b111) + 1}


def _ogg(file, begins, size):
    file.seek(max(0, size - LONGEST_OGG_PAGE))
    tail = file.read(LONGEST_OGG_PAGE)
    page = tail[max(0, tail.rfind(b"OggS\0")) :]
    if not page.startswith(b"OggS"):
        return {}
    segments = page[26] if len(page) > 26 else 0
    lengths = page[27 : 27 + segments]
    if len(page) < 27 or len(lengths) < segments or len(page) < 27 + segments + sum(lengths):
        return {"lacks": "a last Ogg page that breaks off"}
    return {} if page[5] & 4 else {"lacks": "a last Ogg page that does not end the stream"}


def _mpeg(file, begins, size):
    start = 0
    if begins.startswith(b"ID3"):
        high, *others = begins[6:10].ljust(4, b"\0")
        start = 10 + (high << 21 | others[0] << 14 | others[1] << 7 | others[2])
    file.seek(start)
    frame = file.read(64)
    return {"counts": b"Xing" in frame or b"Info" in frame}


LOOKS = {
    b"RIFF": _riff,
    b"RIFX": _riff,
    b"RF64": _riff,
    b"riff": _wave64,
    b"FORM": _aiff,
    b"caff": _core_audio,
    b".snd": _au,
    b"dns.": _au,
    b"NIST_1A": _sphere,
    b"fLaC": _flac,
    b"OggS": _ogg,
    b"ID3": _mpeg,
    **{bytes([0xFF, second]): _mpeg for second in range(0xE0, 0x100)},
}


def _chunks(file, layout, start, size, own=0, align=2):
    """Yields the name, length and start of each chunk, with the file standing at that start."""
    head = struct.calcsize(layout)
    for _ in range(MOST_CHUNKS):
        if start + head > size:
            return
        file.seek(start)
        name, length = struct.unpack(layout, file.read(head))
        length -= own
        start += head
        yield name, length, start
        if length < 0:  # CAF says so where the size is unknown; elsewhere it is nonsense
            return
        start += length + -length % align


def _shortage(start, length, size):
    there = max(0, size - start)
    return f"{there:,} of the {length:,} bytes of samples that its header announces" if length > there else None
