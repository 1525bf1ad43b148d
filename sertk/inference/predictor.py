"""A trained or an exported model, asked about waveforms."""

import numpy as np

from sertk.audio import chunk_starts
from sertk.inference.loading import load
from sertk.inference.windows import window_starts

# How many windows the model is asked about at once. What the first convolution of a speech encoder makes of 3 s takes
# 20 MB, and what the next ones do with it several times as much.
BATCH, ENCODER_BATCH = 32, 8
# Seconds at once of a model that hears clips of any length, or 30 ms chunks of them: as long as a clip of most corpora.
WINDOW = 3.0


class Predictor:
    """A trained model that is asked about one waveform at a time, from a run's folder or an exported model.

    Args:
        directory: folder of a run, or of a SavedModel that sertk exported, or a `.tflite` file that it exported.

    Attributes:
        classes: tuple of str, the emotions in the order of the probabilities.
        sample_rate: int, Hz, the rate of the waveforms it takes.
        samples: int, how many samples the model hears; of a longer clip only the part that its recipe crops. None for a
            model that hears clips of any length as they are.
        shortest, longest: int, how many samples a clip must have, and of a SavedModel may have, at once.
        chunks_top_db: float, of a model that was trained on chunks: it is asked about all chunks of a clip's voiced
            parts, which are louder than that below the loudest frame. None for other models.
        window: int, samples, how long the windows are that a long recording is cut into unless told otherwise: what
            the model hears, and 3 s where it hears any length, or chunks; at most `longest`.
        batch: int, how many windows it is asked about at once; 1 where they would change each other's answers.
        network: the run's `keras.Model`; None of an exported model.

    Raises:
        FileNotFoundError: if there is no such folder or file.
        ValueError: if it is neither a finished run nor a model that sertk exported.
        ImportError: if it is a `.tflite` file, and ai-edge-litert is not installed.
    """

    longest = float("inf")

    def __init__(self, directory):
        self._answer, described, self.network = load(directory)
        self.classes = tuple(described["classes"])
        self.sample_rate = described["sample_rate"]
        self.chunks_top_db = described.get("chunks_top_db")
        self.shortest = described.get("shortest", 1)
        if "max_seconds" in described:
            self.longest = round(described["max_seconds"] * self.sample_rate)
        seconds = described["seconds"]
        self.samples = None if seconds is None else round(seconds * self.sample_rate)
        self.batch = 1 if described["alone"] else BATCH if self.shortest == 1 else ENCODER_BATCH

    @property
    def window(self):
        usual = round(WINDOW * self.sample_rate)
        if self.chunks_top_db is not None:
            return usual
        return min(usual if self.samples is None else self.samples, self.longest)

    def probabilities(self, waveform, windows=False):
        """What the model makes of one waveform.

        Args:
            waveform: float array `(samples,)`, mono, in [-1, 1], at `sample_rate`.
            windows: bool, whether a longer clip is cut into windows of `window` samples, each half over the last, whose
                probabilities are averaged; of no effect on a model of chunks. Defaults to False: the one part that
                the recipe crops, or the average over all voiced chunks where the model was trained on chunks.

        Returns:
            float32 array `(classes,)`, which sums to 1.

        Raises:
            ValueError: if the waveform is not one-dimensional, shorter than `shortest`, longer than `longest` where it
                is not cut, or holds NaN or infinity.
        """
        waveform = np.asarray(waveform, "float32")
        if waveform.ndim != 1 or not len(waveform):
            raise ValueError(f"`waveform` must have the shape (samples,). Received: shape={waveform.shape}")
        if len(waveform) < self.shortest:
            raise ValueError(f"`waveform` {self.too_short(len(waveform))}")
        if not np.isfinite(waveform).all():
            raise ValueError(
                "`waveform` must be finite; it holds NaN or infinity. Received: a waveform with such samples"
            )
        return self._of_parts(self._parts(waveform, windows)).mean(axis=0)

    def of_windows(self, windows):
        """What the model makes of each of several waveforms of one length, the same as of each alone.

        Args:
            windows: float32 array `(windows, samples)`, at least `shortest` samples of finite sound.

        Returns:
            float32 array `(windows, classes)`.
        """
        if self.chunks_top_db is not None:
            return np.stack([self._of_parts(self._parts(window, False)).mean(axis=0) for window in windows])
        return self._of_parts(windows)

    def too_short(self, samples):
        """What to say of a clip of so many samples, fewer than `shortest`."""
        seconds = self.shortest / self.sample_rate
        return f"must have at least {self.shortest} samples, {seconds:g} s. Received: {samples} samples"

    def _of_parts(self, parts):
        if parts.shape[1] > self.longest:
            raise ValueError(
                f"`waveform` must have at most {self.longest} samples, {self.longest / self.sample_rate:g} s; ask by "
                "windows (`windows=True`, `--windows`), or export again with a larger `max_seconds`. "
                f"Received: {parts.shape[1]} samples"
            )
        batches = (parts[start : start + self.batch] for start in range(0, len(parts), self.batch))
        # Windows lie over each other in memory, which no model takes.
        return np.concatenate([self._answer(np.ascontiguousarray(batch)) for batch in batches])

    def _parts(self, waveform, windows):
        """What the model is asked about: chunks, windows, or the waveform as it is; an array with a row each."""
        if self.chunks_top_db is not None and len(waveform) > self.samples:
            seconds = self.samples / self.sample_rate
            starts = chunk_starts(waveform, self.sample_rate, seconds, self.chunks_top_db)
            if len(starts):
                return np.stack([waveform[start : start + self.samples] for start in starts])
            # Nobody speaks. A graph would hear the middle of the whole, and take no more than `longest` of it.
            spare = max(len(waveform) - self.longest, 0)
            return waveform[None, spare // 2 : len(waveform) - (spare - spare // 2)]
        elif windows and len(waveform) > self.window:
            starts = window_starts(len(waveform), self.window, self.window // 2)
            return np.lib.stride_tricks.sliding_window_view(waveform, self.window)[starts]
        return waveform[None]
