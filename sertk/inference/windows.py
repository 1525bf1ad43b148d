"""Overlapping windows: where they begin, and how they are cut from a waveform that comes in pieces."""

import numpy as np


def window_starts(total, samples, hop):
    """Where the windows of a recording begin: every hop, and a last one that ends with the recording.

    Args:
        total: int, the recording's samples, at least a window's.
        samples: int, those of a window.
        hop: int, from one window to the next.

    Returns:
        list of int, the first sample of each.

    Example:
        >>> window_starts(10, 4, 2), window_starts(11, 4, 2)
        ([0, 2, 4, 6], [0, 2, 4, 6, 7])
    """
    return [*range(0, total - samples, hop), total - samples]


def window_sizes(predictor, window=None, hop=None):
    """The size of windows and of the hop between them, in samples, checked against what a model hears.

    Args:
        predictor: `Predictor`.
        window: float, seconds. Defaults to the predictor's `window`.
        hop: float, seconds. Defaults to half a window.

    Returns:
        Two ints.

    Raises:
        ValueError: if a window is longer than the model hears or takes at once or shorter than it needs, or the hop is
            longer than a window or shorter than a sample.
    """
    rate = predictor.sample_rate
    samples = predictor.window if window is None else _samples("window", window, rate)
    if samples < predictor.shortest:
        raise ValueError(f"`window` {predictor.too_short(samples)}")
    if predictor.samples is not None and predictor.chunks_top_db is None and samples > predictor.samples:
        raise ValueError(
            f"`window` must be at most {predictor.samples / rate:g} s, what the model hears at once: it would hear the "
            f"rest of no window. Received: window={window}"
        )
    if predictor.chunks_top_db is None and samples > predictor.longest:
        raise ValueError(
            f"`window` must be at most {predictor.longest / rate:g} s, what the model was exported for; export again "
            f"with a larger `max_seconds`. Received: window={window}"
        )
    step = max(samples // 2, 1) if hop is None else _samples("hop", hop, rate)
    if step > samples:
        raise ValueError(
            f"`hop` must be at most a window, {samples / rate:g} s: what lies between would not be heard. "
            f"Received: hop={hop}"
        )
    return samples, step


def _samples(name, seconds, rate):
    known = isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 < seconds < float("inf")
    samples = round(seconds * rate) if known else 0
    if not samples:
        raise ValueError(f"`{name}` must be seconds, at least a sample's. Received: {name}={seconds!r}")
    return samples


class Windows:
    """Cuts a waveform that comes in pieces into the windows of `window_starts`; it keeps no more than it needs.

    Args:
        samples: int, those of a window.
        hop: int, samples from one window to the next, at most `samples`.
    """

    def __init__(self, samples, hop):
        self.samples = samples
        self.hop = hop
        self.total = 0
        self._next = 0
        self._kept = np.empty(0, "float32")  # the last of what came, of which windows may still be cut

    def push(self, piece):
        """Takes the next piece of the waveform.

        Args:
            piece: float32 array `(samples,)`, of any length.

        Returns:
            The first samples of the windows that are now whole, int array `(windows,)`, and the windows, a view
            `(windows, samples)`.
        """
        kept = np.concatenate([self._kept, piece]) if len(self._kept) else piece
        self.total += len(piece)
        first = self.total - len(kept)
        count = max((self.total - self._next - self.samples) // self.hop + 1, 0)
        starts = self._next + self.hop * np.arange(count)
        windows = np.empty((0, self.samples), "float32")
        if count:
            views = np.lib.stride_tricks.sliding_window_view(kept, self.samples)
            windows = views[self._next - first :: self.hop][:count]
        self._next += count * self.hop
        # The last window, which ends with the recording, may begin before the next one does.
        needed = max(min(self._next, self.total - self.samples), first)
        self._kept = kept[needed - first :].copy()
        return starts, windows

    def end(self):
        """The rest: the window that ends with the waveform, where none did; all of a waveform shorter than a window.

        Returns:
            As `push`: one start and one window, or none.
        """
        heard = self._next - self.hop + self.samples if self._next else 0
        if self.total <= heard:
            return np.empty(0, int), np.empty((0, self.samples), "float32")
        last = self._kept[-self.samples :]
        return np.array([self.total - len(last)]), last[None]
