"""Finding twins: one recording under several names."""

import functools
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from sertk.audio import info, read
from sertk.progress import progress_bar

# Four steps of 16 bit. Copies that were resampled one by one differ by their dither: the twins of RAVDESS are identical
# as published, and two steps apart at 16 kHz. Two takes of one sentence are hundreds of steps apart.
TOLERANCE = 4 / 2**15
SEGMENTS = 32
MANY = 500  # clips take a second or more to decode
HIGHEST = 48_000  # Hz; above it recordings are compared at this rate, lest an hour of one take gigabytes
GOLDEN = (5**0.5 - 1) / 2  # the remainders of its multiples are spread evenly and never repeat
# What rounding may add to the difference of two numbers of a fingerprint.
ROUNDING = 1e-9


def recordings(manifest):
    """Numbers the recordings behind the clips: clips with the same number hold the same waveform.

    The same means one sample rate, as many samples, and none further apart than four steps of 16 bit, mixed down to
    mono; a chain of such pairs is one recording. So copies in WAV, FLAC or AIFF are found, of 16 bits and more, in
    other folders, under other names and speakers, with other dither. A copy that was cut, padded, made louder,
    resampled to another rate or coded with loss (MP3, OGG) is not. RAVDESS, for one, has a recording twice:
    03-01-03-01-02-01-07 and 03-01-03-01-02-02-07.

    How long a clip is its header says, since tables round durations, each in its own way. Only clips of one length are
    decoded, once in a session. Files that can't be decoded are the same where their bytes are.

    Images know the clip that they were drawn from by the column `clip_path`: those of one recording have its number.

    Args:
        manifest: DataFrame with the column `path`.

    Returns:
        int array, one number a row.
    """
    paths = manifest["path"]
    return compared(manifest["clip_path"].fillna(paths) if "clip_path" in manifest else paths)[0]


def compared(paths):
    """`recordings` of a Series of paths, and whether the sound of each was there to be compared.

    Returns:
        int array, the number of each one's recording; bool array, False for a file that is not there or can't be
        decoded. A file that no other one equals in length counts as compared without being decoded.
    """
    numbers, paths = pd.factorize(paths.astype(str).to_numpy(dtype=object))
    lengths = np.array([_length(path) for path in paths])
    alike = [clips for clips in pd.Series(range(len(paths))).groupby(lengths).indices.values() if len(clips) > 1]
    prints = _fingerprints(paths, np.concatenate(alike)) if alike else {}
    first, heard = np.arange(len(paths)), lengths > 0
    for clips in alike:
        first[clips] = clips[_first_alike(paths[clips], [prints[clip] for clip in clips])]
        heard[clips] = [np.isfinite(prints[clip][1]).all() for clip in clips]
    return first[numbers], heard[numbers]


def linked(vectors, reach, same):
    """Groups vectors by the chains of pairs that are near each other and pass a closer look.

    The time grows with the number of vectors and of near pairs, not with all pairs.

    Args:
        vectors: float array `(n, dimensions)`, all finite.
        reach: float, how far two vectors may be apart in any dimension to be looked at.
        same: function of two row numbers that says whether they belong together.

    Returns:
        int array `(n,)`: the lowest row number of each one's group.
    """
    group = np.arange(len(vectors))
    tree = cKDTree(vectors)
    near = tree.query_ball_point(vectors, reach, p=np.inf, return_length=True)
    waiting = near > 1  # most are near to nothing but themselves
    for start in np.flatnonzero(waiting):
        if not waiting[start]:
            continue
        waiting[start] = False
        chain = [start]
        while chain:
            one = chain.pop()
            around = np.array(tree.query_ball_point(vectors[one], reach, p=np.inf))
            for other in np.sort(around[waiting[around]]):
                if same(one, other):
                    waiting[other] = False
                    group[other] = start
                    chain.append(other)
    return group


def fingerprint(waveform):
    """What is compared before waveforms are: no number of it can differ by more than the samples do.

    The root mean square of each of 32 segments, and one sample of each, which tells steady sounds of one loudness
    apart. The samples lie at uneven distances, lest they see every period of a tone at the same place.

    Args:
        waveform: float array `(samples,)`.

    Returns:
        float array `(64,)`.
    """
    samples = waveform.astype(np.float64)
    sizes = np.full(SEGMENTS, len(samples) // SEGMENTS)
    sizes[: len(samples) % SEGMENTS] += 1
    sizes = sizes[sizes > 0]
    vector = np.zeros((2, SEGMENTS))
    if len(sizes):
        starts, numbers = np.cumsum(sizes) - sizes, np.arange(len(sizes))
        vector[0, numbers] = np.sqrt(np.add.reduceat(samples**2, starts) / sizes)
        vector[1, numbers] = samples[starts + (sizes * (numbers * GOLDEN % 1)).astype(int)]
    return vector.ravel()


def _first_alike(paths, prints):
    """For each path, the position of the first one that sounds the same: its own, where it is the first."""
    digests = [digest or path for path, (digest, _) in zip(paths, prints, strict=True)]
    codes, _ = pd.factorize(np.array(digests, dtype=object))
    first = np.unique(codes, return_index=True)[1]  # exact copies need no closer look
    comparable = np.array([clip for clip in first if np.isfinite(prints[clip][1]).all()], dtype=int)
    if len(comparable) > 1:
        vectors = np.array([prints[clip][1] for clip in comparable])
        group = linked(vectors, TOLERANCE + ROUNDING, lambda a, b: _same(paths[comparable[a]], paths[comparable[b]]))
        first[codes[comparable]] = comparable[group]
    return first[codes]


def _same(path, other):
    (samples, rate), (others, other_rate) = _decoded(*_version(path)), _decoded(*_version(other))
    return rate == other_rate and samples.shape == others.shape and np.abs(samples - others).max() <= TOLERANCE


@functools.lru_cache(maxsize=2)  # a chain compares one clip with many
def _decoded(path, size, changed):
    rate = info(path).sample_rate
    return read(path, min(rate, HIGHEST)), rate


def seconds_of(path):
    """A clip's length in seconds, from its header; NaN where it can't be read."""
    return _seconds(*_version(path))


# A corpus is split and checked many times in a session, and looked into once.
@functools.lru_cache(maxsize=200_000)
def _seconds(path, size, changed):
    try:
        return np.nan if size is None else info(path).seconds
    except (ValueError, OSError):
        return np.nan


def _length(path):
    """What the lengths of equal recordings have in common: seconds, or bytes, below 0, where the header says none."""
    seconds = seconds_of(path)
    if np.isnan(seconds) and Path(path).is_file():  # a pipe would be waited for
        return -float(_version(path)[1]) or np.nan  # what is empty equals nothing
    return seconds


def _version(path):
    try:
        about = Path(path).stat()
    except OSError:
        return path, None, None
    return path, about.st_size, about.st_mtime_ns


def _fingerprints(paths, clips):
    """Digest and fingerprint of some of the paths, by number; decoded on several cores."""
    # Each worker holds a whole clip, and clips may be an hour long.
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
        found = pool.map(lambda clip: _fingerprint(*_version(paths[clip])), clips)
        # It leaves no trace, as most of the time nothing is decoded anew.
        options = {"total": len(clips), "desc": "comparing recordings", "unit": "clip", "leave": False}
        bar = progress_bar(found, show=len(clips) > MANY, **options)
        return dict(zip(clips.tolist(), bar, strict=True))


@functools.lru_cache(maxsize=200_000)
def _fingerprint(path, size, changed):
    """Digest of the decoded samples and fingerprint.

    Where it can't be decoded, the digest of the bytes and NaN, which is near to nothing; None for what can't be read.
    """
    unknown = np.full(2 * SEGMENTS, np.nan)
    if size is None:
        return None, unknown
    try:
        rate = info(path).sample_rate
        waveform = read(path, min(rate, HIGHEST))
    except (ValueError, OSError):
        return _digest_of_bytes(path), unknown
    return hashlib.blake2b(waveform.tobytes(), salt=str(rate).encode(), digest_size=16).digest(), fingerprint(waveform)


def _digest_of_bytes(path):
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(salt=b"bytes", digest_size=16)).digest()
    except OSError:
        return None
