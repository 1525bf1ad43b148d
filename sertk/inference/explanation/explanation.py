"""An explanation: a spectrogram, and how much an answer hangs on each cell of it."""

import dataclasses

import numpy as np

NAMES = {"grad-cam": "Grad-CAM", "integrated-gradients": "integrated gradients, compared with silence"}


@dataclasses.dataclass(frozen=True)
class Explanation:
    """Which times and bands an answer about a clip hangs on.

    Attributes:
        emotion: str, the class explained.
        probability: float, what the model gives it.
        silence: float, what it gives it of silence, with which the clip is compared by integrated gradients, whose heat
            adds up to `probability - silence`; None of Grad-CAM.
        method: "grad-cam" or "integrated-gradients".
        spectrogram: float array `(frames, bands)`, dB, what the model hears; of Grad-CAM on MFCC the coefficients.
        heat: float array `(frames, bands)`, what speaks for the emotion, and of integrated gradients, negative, against
            it.
        times: float array `(frames,)`, seconds, the middle of each frame in the clip.
        frequencies: float array `(bands,)`, Hz, the middle of each band; None of coefficients.
        ends: float, seconds, where in the clip ends what is heard of it. Frames behind that are padding: zeros, or
            the clip over again.
    """

    emotion: str
    probability: float
    silence: float | None
    method: str
    spectrogram: np.ndarray
    heat: np.ndarray
    times: np.ndarray
    frequencies: np.ndarray | None
    ends: float

    @property
    def over_time(self):
        """float array `(frames,)`, the heat of each frame, summed over its bands."""
        return self.heat.sum(axis=1)

    @property
    def over_bands(self):
        """float array `(bands,)`, the heat of each band, summed over the frames."""
        return self.heat.sum(axis=0)

    @property
    def strongest(self):
        """The shortest stretch of time and the narrowest of bands that hold half of what speaks for the emotion.

        dict of `seconds` and `hertz`, pairs of floats, where first and last frame and band have their middles; `bands`,
        a pair of ints, in place of the latter for coefficients. None where nothing speaks for it.
        """
        supporting = np.maximum(self.heat, 0)
        if not supporting.any():
            return None
        time, band = (_shortest_half(supporting.sum(axis=axis)) for axis in (1, 0))
        if self.frequencies is None:
            bands = {"bands": band}
        else:
            bands = {"hertz": tuple(float(self.frequencies[place]) for place in band)}
        return {"seconds": tuple(float(self.times[place]) for place in time), **bands}

    def sentence(self, offset=0.0):
        """The explanation in a sentence.

        Args:
            offset: float, seconds, where the clip begins in a longer recording. Defaults to 0.
        """
        told = f"{self.emotion}, {self.probability:.0%}"
        if self.silence is not None:
            told += f" (silence: {self.silence:.0%})"
        strongest = self.strongest
        if strongest is None:
            return f"{told}: nothing that is heard speaks for it ({NAMES[self.method]})."
        first, last = (second + offset for second in strongest["seconds"])
        where = "within coefficients {} to {}".format(*strongest["bands"]) if "bands" in strongest else ""
        where = where or "within {:,.0f} to {:,.0f} Hz".format(*strongest["hertz"])
        return (
            f"{told}: half of what speaks for it lies within {first:.2f} to {last:.2f} s, and {where} "
            f"({NAMES[self.method]})."
        )


def _shortest_half(shares):
    """The first and last place of the shortest stretch that holds half of a sum of shares, none below 0."""
    sums = np.concatenate([[0.0], np.cumsum(shares)])
    # For each beginning, the first end at which the stretch holds half; rounding must not put that out of reach.
    ends = np.searchsorted(sums, sums[:-1] + 0.5 * sums[-1] * (1 - 1e-12))
    lengths = np.where(ends < len(sums), ends - np.arange(len(shares)), len(sums))
    start = int(np.argmin(lengths))
    return start, int(ends[start]) - 1
