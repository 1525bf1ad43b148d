"""Decoding: any file that libsndfile reads becomes a mono float32 waveform at the rate asked for."""

from pathlib import Path

import numpy as np
import soundfile
import soxr

AUDIO_EXTENSIONS = frozenset(
    {".wav", ".flac", ".mp3", ".ogg", ".opus", ".aif", ".aiff", ".aifc", ".au", ".caf", ".w64"}
)
LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000


def read(path, sample_rate=16_000, channel="mean"):
    """Reads an audio file as a mono float32 waveform.

    WAV, FLAC, MP3, OGG, AIFF and whatever else libsndfile knows, 8 to 32 bits and float, at any sample rate.
    Channels are mixed down before the rate is changed (soxr, high quality).

    Args:
        path: the file.
        sample_rate: int, Hz, the rate of the waveform returned. Defaults to 16000.
        channel: how several channels become one: `"mean"`, their average, or an int, that channel alone (0 is the
            first). Defaults to `"mean"`.

    Returns:
        float32 array `(samples,)`, in [-1, 1] but for the overshoot of resampling and of float files.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file can't be decoded, holds no samples, or samples that are NaN or infinite; if `channel`
            is one that the file lacks.

    Example:
        >>> read("03-01-05-01-01-01-01.wav").shape  # 48 kHz in the file
        (53387,)
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file")
    if path.is_dir():
        raise ValueError(f"{path}: is a folder, not an audio file; pass the files in it")
    check_sample_rate(sample_rate)
    check_channel(channel)
    try:
        samples, file_rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise ValueError(f"{path}: can't be decoded as audio; is it complete? libsndfile says: {error}") from error
    if not LOWEST_RATE <= file_rate <= HIGHEST_RATE:
        raise ValueError(f"{path}: its header gives no rate of speech. Received: a sample rate of {file_rate} Hz")
    waveform = _down_mix(samples, channel, path)
    if not len(waveform):
        raise ValueError(f"{path}: holds no samples; delete it or record it again. Received: {samples.shape} samples")
    if not np.isfinite(waveform).all():
        raise ValueError(f"{path}: holds samples that are NaN or infinite; export it again from its source")
    if file_rate != sample_rate:
        waveform = soxr.resample(waveform, file_rate, sample_rate)
        if not len(waveform):
            raise ValueError(f"{path}: is too short to resample. Received: {len(samples)} samples at {file_rate} Hz")
    return waveform


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


def _down_mix(samples, channel, path):
    if channel == "mean":
        return samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    if channel < samples.shape[1]:
        return np.ascontiguousarray(samples[:, channel])
    raise ValueError(
        f'{path}: `channel` must be "mean" or one of its {samples.shape[1]} channels, counted from 0. '
        f"Received: channel={channel!r}"
    )
