"""The synthetic corpus: labelled clips of invented voices, for tests and first steps where no corpus is at hand."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from sertk.corpora.manifest import save_manifest
from sertk.corpora.voice import CONSONANTS, PROSODY, VOWELS, make_speaker, speak, vary
from sertk.progress import progress_bar

SENTENCES = 4
TITLE = "A synthetic corpus: not speech of people, and no benchmark."
README = f"""{TITLE}

sertk.corpora.write_synthetic computed these clips: a source-filter synthesiser babbles syllables with the pitch,
rate, level and voice quality that the literature reports for acted emotions (Scherer 2003; Juslin and Laukka 2003).
Nobody spoke them and nobody feels in them. They serve to try and to test software. An accuracy on this corpus says
nothing about how well a system recognises emotion in human speech, and is not to be reported as if it did.

manifest.csv lists the clips: path, emotion, speaker, gender, corpus, statement, duration in seconds.
"""


def write_synthetic(directory, speakers=10, clips=8, seconds=(1.8, 2.6), sample_rate=16_000, seed=0):
    """Writes a labelled synthetic corpus: WAV files, a `manifest.csv` and a `README.txt`.

    Invented speakers, by turns female and male, babble four sentences in seven emotions. The emotions differ as
    prosody does in acted speech, and vary within a class, so a network has to learn; but these are no voices of people,
    and a score on them is no result. `load("synthetic", directory)` reads the corpus.

    The same arguments give the same corpus; a clip does not change when `speakers` or `clips` grow.

    Args:
        directory: the folder to write to: a new or empty one, or one that holds an earlier synthetic corpus.
        speakers: number of speakers, 1 or more. Defaults to 10.
        clips: number of clips of each speaker and emotion, 1 or more. Defaults to 8, which makes 560 clips in all.
        seconds: shortest and longest clip, 0.5 s or more. Defaults to (1.8, 2.6).
        sample_rate: samples a second, 8,000 or more. Defaults to 16,000.
        seed: int from 0 to 2**32 - 1. Defaults to 0.

    Returns:
        Path of the folder.

    Raises:
        ValueError: if an argument is out of range, or the folder holds something else.

    Example:
        >>> manifest = load("synthetic", write_synthetic("synthetic", speakers=4, clips=2))
        >>> len(manifest)
        56
    """
    _check_arguments(speakers, clips, seconds, sample_rate, seed)
    directory = _own_folder(directory)
    (directory / "README.txt").write_text(README, encoding="utf-8")
    plan = [(s, e, clip) for s in range(speakers) for e in range(len(PROSODY)) for clip in range(clips)]
    rows = [
        _write_clip(directory, *place, seconds, sample_rate, seed)
        for place in progress_bar(plan, desc="synthetic corpus", unit="clip")
    ]
    save_manifest(pd.DataFrame(rows), directory / "manifest.csv", relative=True)
    return directory


def _write_clip(directory, speaker, emotion, clip, seconds, sample_rate, seed):
    """Writes one clip and returns its row of the manifest."""
    gender = "male" if speaker % 2 else "female"
    voice = make_speaker(gender, _random(seed, 0, speaker))
    statement = clip % SENTENCES
    # Each clip has random numbers of its own: it stays the same in a larger corpus.
    random = _random(seed, 1, speaker, emotion, clip)
    name = list(PROSODY)[emotion]
    waveform = speak(
        voice,
        vary(PROSODY[name], random),
        _sentence(seed, statement),
        random.uniform(*seconds),
        sample_rate,
        random,
    )
    path = Path(f"s{speaker + 1:02d}") / f"s{speaker + 1:02d}-{name}-{clip + 1:02d}.wav"
    (directory / path).parent.mkdir(exist_ok=True)
    soundfile.write(directory / path, waveform, sample_rate, subtype="PCM_16")
    return {
        "path": str(directory / path),
        "emotion": name,
        "speaker": f"s{speaker + 1:02d}",
        "gender": gender,
        "corpus": "synthetic",
        "statement": f"sentence {statement + 1}",
        "duration": len(waveform) / sample_rate,
    }


def _sentence(seed, number):
    """A sentence of twelve syllables, the same for all speakers and emotions."""
    random = _random(seed, 2, number)
    consonants, vowels = list(CONSONANTS), list(VOWELS)
    return [(consonants[random.randint(len(consonants))], vowels[random.randint(len(vowels))]) for _ in range(12)]


def _random(*seeds):
    # RandomState, since its streams never change with NumPy's version.
    return np.random.RandomState(seeds)


def _own_folder(directory):
    """The folder, made if need be; one with somebody's files in it is refused."""
    directory = Path(directory).expanduser().absolute()
    if directory.is_file():
        raise ValueError(f"`directory` must be a folder. Received: directory={str(directory)!r}, which is a file")
    directory.mkdir(parents=True, exist_ok=True)
    readme = directory / "README.txt"
    ours = readme.is_file() and readme.read_text(encoding="utf-8", errors="replace").startswith(TITLE)
    if not ours and any(directory.iterdir()):
        raise ValueError(
            "`directory` must be new, empty, or hold an earlier synthetic corpus, which is overwritten; name another "
            f"folder. Received: directory={str(directory)!r}, which holds other files"
        )
    return directory


def _check_arguments(speakers, clips, seconds, sample_rate, seed):
    for name, value, least in (("speakers", speakers, 1), ("clips", clips, 1), ("sample_rate", sample_rate, 8000)):
        if not _whole(value) or value < least:
            raise ValueError(f"`{name}` must be a whole number of {least} or more. Received: {name}={value!r}")
    if not _whole(seed) or not 0 <= seed < 2**32:
        raise ValueError(f"`seed` must be a whole number from 0 to 2**32 - 1. Received: seed={seed!r}")
    try:
        shortest, longest = map(float, seconds)
    except (TypeError, ValueError):
        shortest = longest = math.nan
    if not 0.5 <= shortest <= longest < math.inf:
        raise ValueError(
            "`seconds` must be two numbers, the shortest and the longest clip, of 0.5 or more. "
            f"Received: seconds={seconds!r}"
        )


def _whole(value):
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
