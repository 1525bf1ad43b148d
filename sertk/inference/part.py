"""A part of a long recording, such as the one that an answer hangs on most."""

import numpy as np

from sertk.audio import read_blocks
from sertk.inference.over_time import timeline


def strongest(predictor, answer, table=None):
    """Where a recording says most clearly what is said of it on average.

    Args:
        predictor: `Predictor`.
        answer: a row of `summary`'s table, with `path` and `predicted`.
        table: the recording's timeline. Defaults to None: it is made.

    Returns:
        Two ints, the first sample of that window and how many it has.
    """
    if table is None:
        table = timeline(predictor, [answer["path"]])
    row = table.loc[table[f"p_{answer['predicted']}"].idxmax()]
    start, end = (round(row[name] * predictor.sample_rate) for name in ("start", "end"))
    return start, end - start


def part_of(path, sample_rate, start=0, samples=None):
    """A part of an audio file, without the rest of it in memory.

    Args:
        path: the file.
        sample_rate: int, Hz, the rate of what is returned.
        start: int, its first sample at that rate. Defaults to 0.
        samples: int, how many, or None for all that follow. Defaults to None.

    Returns:
        float32 array `(samples,)`; shorter where the file ends before.

    Raises:
        FileNotFoundError, ValueError: as `sertk.audio.read` does.
    """
    pieces, place = [], 0
    for block in read_blocks(path, sample_rate):
        piece = block[max(start - place, 0) : None if samples is None else max(start + samples - place, 0)]
        if len(piece):
            pieces.append(piece.copy())
        place += len(block)
        if samples is not None and place >= start + samples:
            break
    return np.concatenate(pieces) if pieces else np.empty(0, "float32")
