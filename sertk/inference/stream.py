"""A stream: sound goes in as it comes, and an answer comes out for every window of it."""

from typing import NamedTuple

import numpy as np
import soxr

from sertk.audio.decode import LOUDEST, check_sample_rate
from sertk.inference.predictor import Predictor
from sertk.inference.windows import Windows, window_sizes

# What silence is said to be: no sound card tells less from nothing.
QUIETEST_DB = -120.0


class Moment(NamedTuple):
    """What a model makes of one window: `start` and `end` in seconds, `level_db`, `predicted` and `probabilities`.

    `level_db` is the window's root mean square in dB, 0 for the square wave of full scale: where nobody speaks, an
    answer means nothing.
    """

    start: float
    end: float
    level_db: float
    predicted: str
    probabilities: np.ndarray


class Stream:
    """A model that hears a stream of sound, of any length and in pieces of any size, in constant memory.

    It is asked about overlapping windows, each as soon as its last sample is there. What it says of a window is what it
    says of those samples alone, however the sound was cut into pieces.

    Args:
        model: `Predictor`, or the folder of a run or of a SavedModel.
        sample_rate: int, Hz, the rate of the sound that comes in; it is resampled by soxr, high quality. Defaults to
            the model's.
        window: float, seconds, at most what the model hears at once. Defaults to that, and to 3 s where it hears clips
            of any length, or chunks.
        hop: float, seconds from one window to the next, at most a window. Defaults to half a window.

    Attributes:
        predictor: the `Predictor`.
        window, hop: as above, in seconds.

    Raises:
        FileNotFoundError, ValueError: as `Predictor` does, or if an argument is out of range.

    Example:
        >>> stream = Stream("runs/first", sample_rate=48_000, hop=0.5)
        >>> for block in microphone:
        ...     for moment in stream.feed(block):
        ...         print(f"{moment.end:.1f} s: {moment.predicted}")
    """

    def __init__(self, model, sample_rate=None, *, window=None, hop=None):
        self.predictor = model if isinstance(model, Predictor) else Predictor(model)
        rate = self.predictor.sample_rate
        self.sample_rate = rate if sample_rate is None else sample_rate
        check_sample_rate(self.sample_rate)
        samples, step = window_sizes(self.predictor, window, hop)
        self.window, self.hop = samples / rate, step / rate
        self._windows = Windows(samples, step)
        self._resampler = None
        if self.sample_rate != rate:
            self._resampler = soxr.ResampleStream(self.sample_rate, rate, 1, dtype="float32")
        self._fed = 0
        self._ended = False

    @property
    def seconds(self):
        """float, how much sound came in so far."""
        return self._fed / self.sample_rate

    @property
    def held_back(self):
        """float, seconds, how much of the sound so far the resampler keeps until more comes; 0 without resampling."""
        return self.seconds - self._windows.total / self.predictor.sample_rate

    def feed(self, samples):
        """Takes the next piece of sound.

        Args:
            samples: float array `(samples,)`, mono, in [-1, 1], at `sample_rate`; it may be empty.

        Returns:
            list of `Moment`, one for each window that is whole now.

        Raises:
            ValueError: if the samples have another shape, are integers or no sound, or `end` was called before.
        """
        samples = self._checked(samples)
        self._fed += len(samples)
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples)
        return self._moments(*self._windows.push(samples))

    def end(self):
        """Ends the stream.

        Returns:
            list of `Moment`: one for a last window that ends with the sound, where no other did; of sound that is
            shorter than a window, one for all of it. Empty where that is shorter than the model can hear.

        Raises:
            ValueError: if it was called before.
        """
        rest = self._checked(np.empty(0, "float32"))
        if self._resampler is not None:
            rest = self._resampler.resample_chunk(rest, last=True)
        self._ended = True
        moments = self._moments(*self._windows.push(rest))
        starts, windows = self._windows.end()
        if windows.shape[1] < self.predictor.shortest:
            return moments
        return moments + self._moments(starts, windows)

    def _checked(self, samples):
        if self._ended:
            raise ValueError("`end` was called: this stream is over; make another one. Received: a call after `end`")
        samples = np.asarray(samples)
        if samples.ndim != 1:
            raise ValueError(f"`samples` must be mono, of shape (samples,). Received: shape={samples.shape}")
        if not np.issubdtype(samples.dtype, np.floating):
            raise ValueError(
                "`samples` must be floats in [-1, 1]; convert 16 bits with `x.astype('float32') / 32768`. "
                f"Received: dtype={samples.dtype}"
            )
        samples = np.ascontiguousarray(samples, "float32")
        peak = np.abs(samples).max(initial=0)
        if not peak <= LOUDEST:  # nor is NaN
            raise ValueError(f"`samples` must be finite sound. Received: a sample of {peak}")
        return samples

    def _moments(self, starts, windows):
        if not len(windows):
            return []
        rate, classes = self.predictor.sample_rate, self.predictor.classes
        probabilities = self.predictor.of_windows(windows)
        return [
            Moment(
                start=int(start) / rate,
                end=(int(start) + len(window)) / rate,
                level_db=_level(window),
                predicted=classes[int(np.argmax(of_window))],
                probabilities=of_window,
            )
            for start, window, of_window in zip(starts, windows, probabilities, strict=True)
        ]


def _level(window):
    power = float(np.mean(np.square(window, dtype="float64")))
    return max(10 * float(np.log10(power)), QUIETEST_DB) if power else QUIETEST_DB
