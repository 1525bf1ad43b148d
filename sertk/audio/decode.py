"""Decoding: any file that libsndfile reads becomes a mono float32 waveform at the rate asked for."""

import contextlib
import io
import math
import os
import stat
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr

from sertk.audio.header import read_header

AUDIO_EXTENSIONS = frozenset(
    {".wav", ".flac", ".mp3", ".ogg", ".opus", ".aif", ".aiff", ".aifc", ".au", ".caf", ".w64"}
)
# What libsndfile knows besides are files of synthesizers, trackers and MATLAB. Its readers of those are little tried: a
# damaged one of some 2 kB gives gigabytes of samples.
FORMATS = frozenset({"WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF", "AU", "NIST", "FLAC", "OGG", "MP3"})
LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000
MOST_CHANNELS = 32
MAX_SECONDS = 3_600
# Integers of 32 bits that were written as floats without scaling stay within. Far above, a sample's square is infinite
# in float32, and one such clip makes every weight of a network NaN.
LOUDEST = 2.0**31
# Samples, over all channels, that are decoded at once: 4 MiB. Memory follows what is in a file, not what its header
# says.
BLOCK = 2**20
# What libsndfile gives for the number of frames where the header leaves it open.
UNKNOWN = 2**63 - 1


def read(path, sample_rate=16_000, channel="mean", max_seconds=MAX_SECONDS):
    """Reads an audio file as a mono float32 waveform.

    WAV (RF64 and W64 too), FLAC, MP3, Ogg (Vorbis, Opus), AIFF, AU, CAF and NIST SPHERE, 8 to 32 bits and float, at any
    sample rate. The format is told by the content, not by the name. Channels are mixed down before the rate is
    changed (soxr, high quality). Held in memory are the waveform returned and a few MiB, whatever the file's rate.

    A file that is cut off is refused rather than read as far as it goes: its header announces more than there is, its
    decoder loses track, an Ogg stream does not end, or an MP3 file with a Xing tag lacks more than a frame (without
    the tag it does not say how long it should be). A WAV file written into a pipe is whole although its header is not:
    where the sizes of file and samples are both left open (0, 0xFFFFFFFF, or SoX's 0x7FFFF000), it is read to its end.

    Args:
        path: the file: an ordinary one, no pipe or device.
        sample_rate: int, Hz, the rate of the waveform returned. Defaults to 16000.
        channel: how several channels become one: `"mean"`, their average, or an int, that channel alone (0 is the
            first). Defaults to `"mean"`.
        max_seconds: float, the longest clip to read, in seconds; `math.inf` for any. Known from the header before
            anything is decoded, and if the header does not say, as soon as that much is. Defaults to 3600.

    Returns:
        float32 array `(samples,)`, in [-1, 1] but for the overshoot of resampling and of float files.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file can't be opened or decoded, is cut off, is longer than `max_seconds`, has a sample rate
            below 1 or above 768 kHz or more than 32 channels, holds no samples, or samples that are NaN, infinite or
            beyond 2^31; if `channel` is one that the file lacks. The message names the file.

    Example:
        >>> read("03-01-05-01-01-01-01.wav").shape  # 48 kHz in the file
        (53387,)
    """
    waveform = bytearray()
    for block in read_blocks(path, sample_rate, channel, max_seconds):
        waveform += block.data  # which grows in place: to concatenate would take twice the memory
    return np.frombuffer(waveform, "float32")


def read_blocks(path, sample_rate=16_000, channel="mean", max_seconds=math.inf):
    """Reads an audio file block by block: joined, the blocks are what `read` returns, in a few MiB of memory.

    What shows in a header is told before the first block. A file that turns out to be cut off, or to hold what is no
    sound, is told of where that shows, after the blocks before it.

    Args:
        path, sample_rate, channel: as in `read`.
        max_seconds: as in `read`. Defaults to infinity.

    Yields:
        float32 arrays `(samples,)`, none of them empty.

    Raises:
        FileNotFoundError, ValueError: as `read` does.

    Example:
        >>> sum(len(block) for block in read_blocks("interview.mp3")) / 16_000
        3724.1
    """
    check_sample_rate(sample_rate)
    check_channel(channel)
    check_max_seconds(max_seconds)
    path = Path(path)
    return _resampled(path, _header(path), sample_rate, channel, max_seconds)


def _resampled(path, header, sample_rate, channel, max_seconds):
    with _decoder(path, header) as file:
        _check_claims(path, file.samplerate, file.channels)
        if channel != "mean" and channel >= file.channels:
            raise ValueError(
                f'{path}: `channel` must be "mean" or one of its {file.channels} channels, counted from 0. '
                f"Received: channel={channel!r}"
            )
        if file.frames < UNKNOWN and file.frames / file.samplerate > max_seconds:
            raise _too_long(path, file.frames / file.samplerate, max_seconds)
        samples, given, stream = 0, 0, None
        for block, last in _blocks(file, channel, path, max_seconds):
            _check_sound(path, block)
            only = last and not samples
            samples += len(block)
            if file.samplerate == sample_rate:
                resampled = block
            elif only:  # the same numbers as below, and a little faster
                resampled = soxr.resample(block, file.samplerate, sample_rate)
            else:
                stream = stream or soxr.ResampleStream(file.samplerate, sample_rate, 1, dtype="float32")
                resampled = stream.resample_chunk(block, last=last)
            if len(resampled):
                given += len(resampled)
                yield resampled
        if header.counts and samples + _slack(file) < file.frames < UNKNOWN:
            raise _cut_off(path, f"{samples:,} of the {file.frames:,} samples that its header announces")
        if not samples:
            raise _without_samples(path)
        if not given:
            raise ValueError(f"{path}: is too short to resample. Received: {samples} samples at {file.samplerate} Hz")


class Info(NamedTuple):
    """What a file's header says: `sample_rate` in Hz, `channels`, and its length in `seconds`."""

    sample_rate: int
    channels: int
    seconds: float


def info(path):
    """Looks into the header of an audio file, without decoding it where the header tells its length.

    Args:
        path: the file.

    Returns:
        `Info`: `sample_rate`, `channels`, `seconds`.

    Raises:
        FileNotFoundError, ValueError: as `read` does, for all that shows before the samples are decoded.

    Example:
        >>> info("03-01-05-01-01-01-01.wav")
        Info(sample_rate=48000, channels=1, seconds=3.3366...)
    """
    path = Path(path)
    with _decoder(path, _header(path)) as file:
        _check_claims(path, file.samplerate, file.channels)
        samples = file.frames
        if samples == UNKNOWN:
            samples = sum(len(block) for block, _ in _blocks(file, 0, path, MAX_SECONDS))
        if not samples:
            raise _without_samples(path)
        return Info(file.samplerate, file.channels, samples / file.samplerate)


def check_sample_rate(sample_rate):
    """Refuses what is no sample rate to ask for."""
    if not isinstance(sample_rate, int | np.integer) or not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
        raise ValueError(
            f"`sample_rate` must be an integer from {LOWEST_RATE} to {HIGHEST_RATE} Hz. "
            f"Received: sample_rate={sample_rate}"
        )


def check_channel(channel):
    """Refuses what names no channel of any file."""
    if channel != "mean" and not (isinstance(channel, int) and channel >= 0):
        raise ValueError(
            f'`channel` must be "mean" or the number of a channel, counted from 0. Received: channel={channel!r}'
        )


def check_max_seconds(max_seconds):
    """Refuses what is no length to allow."""
    if not isinstance(max_seconds, int | float) or isinstance(max_seconds, bool) or not max_seconds > 0:
        raise ValueError(
            "`max_seconds` must be a number of seconds above 0, or infinity for no limit. "
            f"Received: max_seconds={max_seconds!r}"
        )


def _header(path):
    """The header of a file that is worth a decoder's time; refuses what can be told without one."""
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            raise ValueError(f"{path}: is a folder, not an audio file; pass the files in it. Received: a folder")
        if not stat.S_ISREG(kind):  # reading a pipe would wait for ever
            raise ValueError(f"{path}: is no ordinary file; copy the recording into one. Received: a pipe or device")
        header = read_header(path)
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise FileNotFoundError(
                f"{path}: is a link to a file that is not there; was it moved? Received: {path.readlink()}"
            ) from None
        raise FileNotFoundError(f"{path}: there is no such file") from None
    except OSError as error:
        raise ValueError(
            f"{path}: can't be opened; has it the right permissions? Received: {error.strerror}"
        ) from error
    if not header.size:
        raise ValueError(f"{path}: is empty; copy or download it again. Received: 0 bytes")
    if header.is_text:
        raise ValueError(
            f"{path}: can't be decoded as audio, because it is text. "
            f"Received: a file that begins with {header.begins[:40]!r}"
        )
    if not header.known and path.suffix.lower() != ".mp3":  # before whose first frame anything may stand
        raise _undecodable(header, path)
    _check_claims(path, header.rate, header.channels)
    if header.lacks:
        raise _cut_off(path, header.lacks)
    return header


def _check_claims(path, rate, channels):
    """Refuses what no recording of speech has; None is what is not known yet."""
    if rate is not None and not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise ValueError(f"{path}: its header gives no rate of speech. Received: a sample rate of {rate:.0f} Hz")
    if channels is not None and not 1 <= channels <= MOST_CHANNELS:
        raise ValueError(
            f"{path}: its header gives no number of channels from 1 to {MOST_CHANNELS}. Received: {channels:,} channels"
        )


@contextlib.contextmanager
def _decoder(path, header):
    """Opens a file with libsndfile, whose errors inside the block become one sentence that names the file."""
    # As bytes, because soundfile refuses names that are no UTF-8.
    name = os.fsencode(path) if os.name == "posix" else path
    try:
        with (
            _Mended(path, *header.mend) if header.mend else contextlib.nullcontext(name) as source,
            _Forward(source) as file,
        ):
            # By the name alone (.au, .gsm, .vox) libsndfile takes any bytes for sound.
            if file.format not in FORMATS:
                raise _undecodable(header, path)
            yield file
    except soundfile.SoundFileError as error:
        raise _undecodable(header, path, getattr(error, "error_string", str(error))) from error
    except TypeError as error:  # soundfile looks for no header in what is called .raw
        raise ValueError(
            f"{path}: must have another name: what ends in .raw is taken for samples without a header. "
            f"Received: {header.size:,} bytes that begin with {header.begins[:12]!r}"
        ) from error


class _Forward(soundfile.SoundFile):
    """A sound file that is read from its beginning to its end.

    After each block soundfile seeks to where it already is, and in a FLAC file that does not say how long it is (it
    was written into a pipe) libsndfile can't.
    """

    def seekable(self):
        return False


class _Mended(io.FileIO):
    """A file some of whose bytes read otherwise than they are."""

    def __init__(self, path, offset, content):
        super().__init__(path)
        self._offset = offset
        self._content = content

    def readinto(self, buffer):
        start = self.tell()
        count = super().readinto(buffer)
        for position, byte in enumerate(self._content, start=self._offset - start):
            if 0 <= position < count:
                buffer[position : position + 1] = bytes([byte])
        return count


def _check_sound(path, block):
    """Refuses samples that no microphone gives."""
    if not len(block):
        return
    peak = max(block.max(), -block.min())  # NaN if any sample is
    if not np.isfinite(peak):
        raise ValueError(
            f"{path}: holds samples that are NaN or infinite; export it again from its source. Received: {peak}"
        )
    if peak > LOUDEST:
        raise ValueError(
            f"{path}: holds samples that are no sound; export it again from its source, in [-1, 1]. Received: {peak:g}"
        )


def _blocks(file, channel, path, max_seconds):
    """Yields all samples of an open file as one channel, block by block, and of each block whether it is the last."""
    samples, last = 0, False
    while not last:
        step = min(BLOCK // file.channels, file.frames - samples)
        block = file.read(step, dtype="float32", always_2d=True)
        samples += len(block)
        if samples / file.samplerate > max_seconds:
            raise _too_long(path, samples / file.samplerate, max_seconds, "at least ")
        last = len(block) < step or samples == file.frames
        yield _down_mix(block, channel), last


def _slack(file):
    """How many samples a whole file may be short of its header's count: a frame of MPEG audio, else none.

    Some encoders count the frame that holds the Xing tag, and others do not.
    """
    if file.format != "MP3":
        return 0
    return 1_152 if file.samplerate >= 32_000 else 576


def _down_mix(samples, channel):
    if channel == "mean":
        return samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    return np.ascontiguousarray(samples[:, channel])


def _undecodable(header, path, says=""):
    # The second is libsndfile's word for "no MPEG audio", which would send the reader looking for a file that is there.
    if not says or "File does not exist" in says:
        says = "It is none of WAV, FLAC, MP3, Ogg, AIFF, AU, CAF, SPHERE; convert it"
    else:
        says = f"libsndfile says: {' '.join(says.split()).rstrip('.')}"
    return ValueError(
        f"{path}: can't be decoded as audio; is it complete? {says}. "
        f"Received: {header.size:,} bytes that begin with {header.begins[:12]!r}"
    )


def _without_samples(path):
    return ValueError(f"{path}: holds no samples; delete it or record it again. Received: 0 samples")


def _cut_off(path, received):
    return ValueError(f"{path}: is cut off, or its header is damaged; copy or download it again. Received: {received}")


def _too_long(path, seconds, max_seconds, least=""):
    return ValueError(
        f"{path}: is longer than `max_seconds`, {max_seconds:,} s; cut it into clips, or raise the limit. "
        f"Received: {least}{seconds:,.1f} s"
    )
