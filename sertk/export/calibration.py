"""The clips on which the ranges of a network's values are measured before it computes in 8 bits."""

from pathlib import Path

import numpy as np
from keras.ops import convert_to_numpy

from sertk.audio import FixedLength, chunk_starts, read
from sertk.inference.finding import audio_files

# Ranges are settled long before; more would make the export slow and nothing better.
CLIPS = 200
# Seconds, of models that hear any length: as long as a clip of most corpora.
ANY_LENGTH = 3.0
# Chunks of a recording: neighbouring ones are much alike.
CHUNKS = 4


def calibration_set(run, source=CLIPS, seed=0):
    """Waveforms as a run's network hears them, from its training and validation parts.

    Args:
        run: `sertk.recipes.Run`, finished.
        source: int, how many clips to draw, as evenly from the emotions as they go; or files and folders. Defaults to
            200.
        seed: int, of the draw. Defaults to 0.

    Returns:
        list of float32 arrays `(samples,)`, all of one length; of a run on chunks several of a clip.

    Raises:
        ValueError: if the number is below 1, there is no clip, or one is of the run's test part.
        FileNotFoundError: if a clip is gone.
    """
    described = run.description
    rate, seconds = described["sample_rate"], described["seconds"]
    samples = round((seconds or ANY_LENGTH) * rate)
    audio = run.recipe.audio
    cutting = FixedLength(samples, audio.crop, "zero" if audio.pad == "batch" else audio.pad, audio.trim_top_db)
    paths = _drawn(run, source, seed) if isinstance(source, int) else _named(run, source)
    found = []
    for path in paths:
        waveform = read(path, rate, max_seconds=audio.max_seconds)
        if described["chunks_top_db"] is None:
            found.append(convert_to_numpy(cutting(waveform)))
            continue
        starts = chunk_starts(waveform, rate, seconds, described["chunks_top_db"])
        some = starts[np.linspace(0, len(starts) - 1, min(CHUNKS, len(starts))).astype(int)] if len(starts) else []
        found += [waveform[start : start + samples].astype("float32") for start in some]
    if not found:
        raise ValueError(
            f"`calibration` must have clips in which somebody speaks. Received: {len(paths)} clips without"
        )
    return found


def _drawn(run, count, seed):
    """Paths of clips that the network was trained or chosen on, by turns of each emotion."""
    if isinstance(count, bool) or count < 1:
        raise ValueError(f"`calibration` must be a number of clips above 0, or files. Received: {count!r}")
    known = run.split[run.split["part"].isin(["train", "validation"])]
    shuffled = known.sort_values("path").sample(frac=1, random_state=seed)
    turn = shuffled.groupby("emotion").cumcount()
    paths = [Path(path) for path in shuffled.loc[turn.sort_values(kind="stable").index, "path"].head(count)]
    gone = next((path for path in paths if not path.is_file()), None)
    if gone is not None:
        raise FileNotFoundError(
            f"{gone}: the run was trained on it, and it is gone; bring the corpus back, or name files with "
            "`calibration`"
        )
    return paths


def _named(run, files):
    """Audio files as they are named, none of them measured on later."""
    paths = audio_files(files)
    test = {Path(path).resolve() for path in run.split.loc[run.split["part"] == "test", "path"]}
    leaked = next((path for path in paths if path.resolve() in test), None)
    if leaked is not None:
        raise ValueError(
            "`calibration` must have no clips of the run's test part, or what is measured on it would be flattered. "
            f"Received: {leaked}"
        )
    return paths
