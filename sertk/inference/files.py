"""Predicting: what a trained or an exported model says about audio files."""

import math

import numpy as np
import pandas as pd

from sertk.audio import MAX_SECONDS, read
from sertk.inference.finding import audio_files, naming
from sertk.inference.over_time import none_sound, summary, timeline
from sertk.inference.predictor import Predictor
from sertk.progress import progress_bar


def predict(model, files, *, windows=False, skip_bad=False, max_seconds=None, progress=True):
    """Predicts the emotion of audio files.

    Args:
        model: `Predictor`, or the folder of a run or of a SavedModel.
        files: audio files and folders, which are searched for audio files at any depth.
        windows: bool, whether all of a longer recording is heard, in windows that are each half over the last and whose
            probabilities are averaged, as `timeline` gives them; of no effect on a model of chunks. Defaults to False:
            the one part that the recipe crops.
        skip_bad: bool, whether files that can't be decoded, or that the model refuses, are left out and listed in the
            table's `attrs["skipped"]`; otherwise the first one is an error. Defaults to False.
        max_seconds: float, the longest recording to read, in seconds. Defaults to an hour; to any length with
            `windows`, which need no more memory for it.
        progress: bool, whether more than ten files, or windows, show a bar. Defaults to True.

    Returns:
        DataFrame, a row a file: `path`, `seconds`, `predicted`, and `p_<emotion>` for each class.

    Raises:
        FileNotFoundError: if a file or folder does not exist.
        ValueError: if a file can't be decoded, or the model refuses it (too short, too long, no sound), or there is no
            audio file at all, or with `skip_bad` no sound one.

    Example:
        >>> predict("saved_models/emotions/1", ["clip.wav", "recordings/"])[["path", "predicted"]]
    """
    paths = audio_files(files)
    predictor = model if isinstance(model, Predictor) else Predictor(model)
    if windows and predictor.chunks_top_db is None:
        longest = math.inf if max_seconds is None else max_seconds
        return summary(timeline(predictor, paths, skip_bad=skip_bad, max_seconds=longest, progress=progress))
    longest = MAX_SECONDS if max_seconds is None else max_seconds
    rows, skipped = [], []
    for path in progress_bar(paths, desc="predicting", unit="file", show=progress and len(paths) > 10):
        try:
            with naming(path):
                waveform = read(path, predictor.sample_rate, max_seconds=longest)
                if len(waveform) < predictor.shortest:
                    raise ValueError(predictor.too_short(len(waveform)))
                probabilities = predictor.probabilities(waveform)
        except (ValueError, OSError) as error:
            if not skip_bad:
                raise
            skipped.append({"path": str(path), "reason": str(error).removeprefix(f"{path}: ")})
            continue
        row = {
            "path": str(path),
            "seconds": round(len(waveform) / predictor.sample_rate, 3),
            "predicted": predictor.classes[int(np.argmax(probabilities))],
        }
        rows.append(row | {f"p_{name}": float(p) for name, p in zip(predictor.classes, probabilities, strict=True)})
    if not rows:
        raise none_sound(skipped)
    table = pd.DataFrame(rows)
    table.attrs["skipped"] = skipped
    return table
