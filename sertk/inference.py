"""Predicting: what a trained or an exported model says about audio files."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from sertk.audio import AUDIO_EXTENSIONS, MAX_SECONDS, chunk_starts, read
from sertk.progress import progress_bar

# How many windows the model is asked about at once.
BATCH = 32
METADATA = Path("assets.extra") / "sertk.json"


class Predictor:
    """A trained model that is asked about one waveform at a time, from a run's folder or a SavedModel.

    Args:
        directory: folder of a run, or of a SavedModel that sertk exported.

    Attributes:
        classes: tuple of str, the emotions in the order of the probabilities.
        sample_rate: int, Hz, the rate of the waveforms it takes.
        samples: int, how many samples the model hears; of a longer clip only the part that its recipe crops. None for a
            model that hears clips of any length as they are.
        shortest: int, how many samples a clip must have.
        chunks_top_db: float, of a model that was trained on chunks: it is asked about all chunks of a clip's voiced
            parts, which are louder than that below the loudest frame. None for other models.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if it is neither a finished run nor a SavedModel of sertk.
    """

    def __init__(self, directory):
        directory = Path(directory)
        if not directory.is_dir():
            raise FileNotFoundError(f"{directory}: there is no such folder; pass a run or a SavedModel")
        if (directory / "saved_model.pb").is_file():
            self._model, described = _saved_model(directory)
        elif (directory / "recipe.json").is_file():
            self._model, described = _run(directory)
        else:
            raise ValueError(
                f"{directory}: is neither a run (no recipe.json) nor a SavedModel (no saved_model.pb); pass the folder "
                "that `sertk train` or `sertk export` wrote"
            )
        self.classes = tuple(described["classes"])
        self.sample_rate = described["sample_rate"]
        self.chunks_top_db = described.get("chunks_top_db")
        self.shortest = described.get("shortest", 1)
        seconds = described["seconds"]
        self.samples = None if seconds is None else round(seconds * self.sample_rate)

    def probabilities(self, waveform, windows=False):
        """What the model makes of one waveform.

        Args:
            waveform: float array `(samples,)`, mono, in [-1, 1], at `sample_rate`.
            windows: bool, whether a clip longer than the model hears is cut into windows of that length, each half over
                the last, whose probabilities are averaged. Defaults to False: the one part that the recipe crops, or
                the average over all voiced chunks where the model was trained on chunks.

        Returns:
            float32 array `(classes,)`, which sums to 1.

        Raises:
            ValueError: if the waveform is not one-dimensional, shorter than `shortest`, or holds NaN or infinity.
        """
        waveform = np.asarray(waveform, "float32")
        if waveform.ndim != 1 or not len(waveform):
            raise ValueError(f"`waveform` must have the shape (samples,). Received: shape={waveform.shape}")
        if len(waveform) < self.shortest:
            raise ValueError(f"`waveform` {self._too_short(waveform)}")
        if not np.isfinite(waveform).all():
            raise ValueError(
                "`waveform` must be finite; it holds NaN or infinity. Received: a waveform with such samples"
            )
        longer = self.samples is not None and len(waveform) > self.samples
        parts = self._parts(waveform, windows) if longer else waveform[None]
        batches = [parts[start : start + BATCH] for start in range(0, len(parts), BATCH)]
        return np.concatenate([self._model(batch) for batch in batches]).mean(axis=0)

    def _too_short(self, waveform):
        seconds = self.shortest / self.sample_rate
        return f"must have at least {self.shortest} samples, {seconds:g} s. Received: {len(waveform)} samples"

    def _parts(self, waveform, windows):
        """What the model is asked about: chunks, windows, or the waveform as it is; an array with a row each."""
        starts = ()
        if self.chunks_top_db is not None:
            seconds = self.samples / self.sample_rate
            starts = chunk_starts(waveform, self.sample_rate, seconds, self.chunks_top_db)
        if not len(starts):
            if not windows:
                return waveform[None]
            starts = (*range(0, len(waveform) - self.samples, self.samples // 2), len(waveform) - self.samples)
        return np.stack([waveform[start : start + self.samples] for start in starts])


def predict(model, files, *, windows=False, skip_bad=False, max_seconds=MAX_SECONDS, progress=True):
    """Predicts the emotion of audio files.

    Args:
        model: `Predictor`, or the folder of a run or of a SavedModel.
        files: audio files and folders, which are searched for audio files at any depth.
        windows: as in `Predictor.probabilities`; of no effect on a model of chunks. Defaults to False.
        skip_bad: bool, whether files that can't be decoded are left out and listed in the table's `attrs["skipped"]`;
            otherwise the first one is an error. Defaults to False.
        max_seconds: float, the longest recording to read, in seconds. Defaults to an hour.
        progress: bool, whether more than ten files show a bar. Defaults to True.

    Returns:
        DataFrame, a row a file: `path`, `seconds`, `predicted`, and `p_<emotion>` for each class.

    Raises:
        FileNotFoundError: if a file or folder does not exist.
        ValueError: if a file can't be decoded, or there is no audio file at all, or with `skip_bad` no sound one.

    Example:
        >>> predict("saved_models/emotions/1", ["clip.wav", "recordings/"])[["path", "predicted"]]
    """
    paths = _audio_files(files)
    predictor = model if isinstance(model, Predictor) else Predictor(model)
    rows, skipped = [], []
    for path in progress_bar(paths, desc="predicting", unit="file", show=progress and len(paths) > 10):
        try:
            waveform = read(path, predictor.sample_rate, max_seconds=max_seconds)
            if len(waveform) < predictor.shortest:
                raise ValueError(f"{path}: {predictor._too_short(waveform)}")
        except (ValueError, OSError) as error:
            if not skip_bad:
                raise
            skipped.append({"path": str(path), "reason": str(error).removeprefix(f"{path}: ")})
            continue
        probabilities = predictor.probabilities(waveform, windows)
        row = {
            "path": str(path),
            "seconds": round(len(waveform) / predictor.sample_rate, 3),
            "predicted": predictor.classes[int(np.argmax(probabilities))],
        }
        rows.append(row | {f"p_{name}": float(p) for name, p in zip(predictor.classes, probabilities, strict=True)})
    if not rows:
        raise ValueError(
            f"`files` must name at least one file that can be decoded. Received: {len(skipped)} that can't, the first "
            f"{skipped[0]['path']}: {skipped[0]['reason']}"
        )
    table = pd.DataFrame(rows)
    table.attrs["skipped"] = skipped
    return table


def _audio_files(files):
    paths = []
    for path in map(Path, files):
        if path.is_dir():
            found = sorted(inner for inner in path.rglob("*") if inner.suffix.lower() in AUDIO_EXTENSIONS)
            if not found:
                raise ValueError(f"{path}: holds no audio file, at any depth")
            paths += found
        elif path.exists():
            paths.append(path)
        else:
            raise FileNotFoundError(f"{path}: there is no such file")
    if not paths:
        raise ValueError("`files` must name at least one audio file or folder. Received: none")
    return paths


def _saved_model(directory):
    import tensorflow as tf

    if not (directory / METADATA).is_file():
        raise ValueError(
            f"{directory}: is no SavedModel of sertk, which would have {METADATA}; export it with `sertk export`"
        )
    loaded = tf.saved_model.load(str(directory))
    serve = loaded.signatures["serving_default"]

    def model(waveforms):
        _ = loaded  # the signature alone would not keep its variables alive
        return serve(waveform=tf.constant(waveforms))["probabilities"].numpy()

    return model, json.loads((directory / METADATA).read_text())


def _run(directory):
    import keras

    from sertk.models.ssl.hearing import shortest_clip
    from sertk.recipes.run import Run

    run = Run.open(directory)
    network = run.classifier()

    def model(waveforms):
        if len(network.inputs) > 1:
            lengths = np.full(len(waveforms), waveforms.shape[1], "int32")
            waveforms = {"waveform": waveforms, "lengths": lengths}
        return keras.ops.convert_to_numpy(network(waveforms, training=False))

    return model, {**run.description, "shortest": shortest_clip(network)}
