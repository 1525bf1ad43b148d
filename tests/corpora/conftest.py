"""Small corpora made on the spot."""

import io

import numpy as np
import pandas as pd
import pytest
import soundfile


@pytest.fixture
def write_clip(tmp_path):
    """A function that writes a clip of noise to a relative path, different for each seed, and returns its path."""

    def write(path, seconds=0.1, rate=16_000, seed=None, **options):
        path = tmp_path / path
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * rate))
        # Steps of 16 bit, so that every lossless format holds the same samples.
        soundfile.write(path, np.round(noise * 2**15) / 2**15, rate, **options)
        return path

    return write


@pytest.fixture
def plant(tmp_path):
    """A function that writes a sound of 0.01 s to each of many relative paths, and returns their folder."""

    def sound(kind):
        if kind.upper() not in soundfile.available_formats():
            return b"no sound"
        file = io.BytesIO()
        soundfile.write(file, np.full(160, 0.25), 16_000, format=kind.upper())
        return file.getvalue()

    sounds = {}

    def plant(*paths, folder="corpus"):
        for path in paths:
            path = tmp_path / folder / path
            path.parent.mkdir(parents=True, exist_ok=True)
            kind = path.suffix[1:].lower()
            if kind not in sounds:
                sounds[kind] = sound(kind)
            path.write_bytes(sounds[kind])
        return tmp_path / folder

    return plant


@pytest.fixture
def made_up():
    """A function that makes a manifest without files: each speaker says each emotion `clips` times."""

    def make(speakers=24, emotions=("angry", "happy", "neutral", "sad"), clips=4, corpus="made-up", root="/data"):
        rows = [
            {
                "path": f"{root}/{speaker:02d}/{emotion}-{clip}.wav",
                "emotion": emotion,
                "speaker": f"{speaker:02d}",
                "gender": "male" if speaker % 2 else "female",
                "corpus": corpus,
            }
            for speaker in range(1, speakers + 1)
            for emotion in emotions
            for clip in range(clips)
        ]
        return pd.DataFrame(rows).astype("string")

    return make
