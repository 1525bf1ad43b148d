"""Where a voice is heard: the parts of a recording that are not silence, and their division into short chunks."""

import librosa
import numpy as np

FRAME_SECONDS = 0.032


def voiced_intervals(waveform, sample_rate=16_000, top_db=30.0):
    """Finds the stretches of a waveform in which somebody speaks, by their loudness.

    Frames of 32 ms, one every 8 ms, whose power is less than `top_db` below the loudest frame's; neighbouring ones make
    one stretch. In recordings with one voice and little noise, such as acted corpora, this is the voice; a noise as
    loud as a voice is taken for one.

    Args:
        waveform: float array `(samples,)`.
        sample_rate: int, Hz. Defaults to 16000.
        top_db: float, dB above 0. Defaults to 30.

    Returns:
        int array `(stretches, 2)`: first sample of each, and the first one after it. A waveform of zeros has none.

    Raises:
        ValueError: if the waveform is not one-dimensional, or `top_db` is not above 0.

    Example:
        >>> silence, tone = np.zeros(8_000), np.sin(np.arange(8_000))
        >>> voiced_intervals(np.concatenate([silence, tone, silence])).tolist()
        [[7808, 16256]]

    Source: McFee et al. (2015), `librosa.effects.split`. Paper 001, section 3, names no method.
    """
    waveform = np.asarray(waveform)
    if waveform.ndim != 1:
        raise ValueError(f"`waveform` must have the shape (samples,). Received: shape={waveform.shape}")
    if not top_db > 0:
        raise ValueError(f"`top_db` must be above 0 dB. Received: top_db={top_db}")
    if not waveform.any():
        return np.empty((0, 2), int)
    frame = round(FRAME_SECONDS * sample_rate)
    return librosa.effects.split(waveform, top_db=top_db, frame_length=frame, hop_length=max(frame // 4, 1))


def chunk_starts(waveform, sample_rate=16_000, seconds=0.03, top_db=30.0):
    """Divides the voiced stretches of a waveform into chunks of one length, end to end.

    Chunks do not overlap and do not reach beyond their stretch: what is left at its end is dropped.

    Args:
        waveform: float array `(samples,)`.
        sample_rate: int, Hz. Defaults to 16000.
        seconds: float, the length of a chunk. Defaults to 0.03.
        top_db: as in `voiced_intervals`. Defaults to 30.

    Returns:
        int array `(chunks,)`, the first sample of each. It is empty where no stretch is long enough.

    Raises:
        ValueError: if `seconds` is less than a sample, or as in `voiced_intervals`.

    Source: paper 001, section 3: the voiced part in chunks of 30 ms.
    """
    samples = round(seconds * sample_rate)
    if samples < 1:
        raise ValueError(f"`seconds` must be at least one sample long. Received: seconds={seconds}")
    stretches = voiced_intervals(waveform, sample_rate, top_db)
    starts = [np.arange(start, end - samples + 1, samples) for start, end in stretches]
    return np.concatenate(starts) if starts else np.empty(0, int)
