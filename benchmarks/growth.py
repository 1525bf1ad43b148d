"""How time and memory grow with the number of clips: the part of `pipeline.py` that runs in a process for each size.

The clips are a quarter of a second of noise, each another one: 100,000 of real length would fill 10 GB, and the cache
20. All are equally long, which is the worst there is for the search for recordings that a corpus holds twice, since
each clip has to be decoded and compared. Of a real corpus, with clips of many lengths, it decodes a part.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import rounds
import soundfile

SR, SAMPLES, SPEAKERS = 16_000, 4_000, 100
EMOTIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")


def write_corpus(folder, clips):
    """Writes that many clips and gives their manifest."""
    random = np.random.default_rng(0)
    rows = []
    for number in range(clips):
        speaker = number % SPEAKERS
        path = Path(folder, "growth", f"{speaker:03d}", f"{number:06d}.wav")
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, random.integers(-3_000, 3_000, SAMPLES, "int16"), SR, subtype="PCM_16")
        rows.append(
            {
                "path": str(path),
                "emotion": EMOTIONS[number // SPEAKERS % len(EMOTIONS)],
                "speaker": f"{speaker:03d}",
                "gender": ("female", "male")[speaker % 2],
                "corpus": "growth",
                "duration": SAMPLES / SR,
            }
        )
    return pd.DataFrame(rows)


def measure(table, clips, folder):
    """Takes the first clips of a manifest from CSV file to batches, in a process of its own.

    Returns:
        list of dicts: `clips`, `step`, `seconds`, `peak` (the most memory so far, MB).
    """
    manifest = Path(folder, f"growth-{clips}.csv")
    table.iloc[:clips].to_csv(manifest, index=False)
    command = [sys.executable, __file__, str(manifest), f"{folder}/growth-cache-{clips}"]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [{"clips": clips, **row} for row in json.loads(finished.stdout)]


def steps(path, cache):
    """Goes from a manifest's CSV file to batches; yields the name of each step before it is taken."""
    yield "import"
    import tensorflow  # noqa: F401  (its loading is this step)

    from sertk.audio import FixedLength, WaveformCache
    from sertk.corpora import folds, load, split
    from sertk.features import MFCC
    from sertk.pipeline import Clips

    yield "read the manifest, look for its files"
    manifest = load("csv", path)
    yield "split by speaker, search for copies"
    table = split(manifest, "speaker")
    yield "five folds by speaker"
    folds(manifest, "speaker-k-fold")
    clips = table.drop(columns="part")
    cache = WaveformCache(cache)
    yield "decode into the empty cache"
    cache.prepare(clips["path"], progress=False)
    yield "look into the full cache"
    cache.prepare(clips["path"], progress=False)
    yield "make Clips of waveforms"
    shared = {"classes": EMOTIONS, "cache": cache, "fixed_length": FixedLength(SAMPLES), "progress": False}
    waveforms = Clips(clips, shuffle=True, **shared)
    yield "an epoch of waveforms"
    for _ in waveforms.dataset:
        pass
    yield "make Clips of kept MFCC"
    kept = Clips(clips, shuffle=True, features=MFCC(n_mfcc=128), **shared)
    yield "an epoch of kept MFCC"
    for _ in kept.dataset:
        pass


def timed(names):
    """Takes the steps one by one, with the time and the peak of memory of each."""
    rows, name, begin = [], next(names, None), time.perf_counter()
    while name is not None:
        following = next(names, None)
        now = time.perf_counter()
        rows.append({"step": name, "seconds": now - begin, "peak": rounds.peak_memory()})
        name, begin = following, now
    return rows


if __name__ == "__main__":
    print(json.dumps(timed(steps(*sys.argv[1:]))))
