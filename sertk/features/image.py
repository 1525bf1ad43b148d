"""Spectrogram image: speech as a picture, in the colours that matplotlib would give it."""

import difflib

import keras
import numpy as np
from keras import ops

from sertk.audio.waveform import check_waveform_dtype, check_waveform_shape
from sertk.features.log_mel import LogMelSpectrogram
from sertk.features.resize import hann_weights, nearest_cells, stays_sharp
from sertk.features.stft import (
    check_band,
    check_center,
    check_samples,
    check_sizes,
    hann_window,
    power_spectrogram,
    to_decibels,
)

KINDS = ("mel", "stft")
INTERPOLATIONS = ("auto", "nearest")
# matplotlib rounds grey levels down. What float32 took from a whole level does not make it one level less.
ROUNDING = 0.01
SOME_COLORMAPS = ("viridis", "magma", "jet", "grey")


@keras.saving.register_keras_serializable(package="sertk")
class SpectrogramImage(keras.layers.Layer):
    """Turns waveforms into RGB images of their spectrograms, as matplotlib draws them without axes.

    A level in dB has the same colour in every image: `min_db` and below the first of the colour map, `max_db` and
    above the last, with no reference to the clip's own maximum. The lowest frequencies are at the bottom and time
    runs from left to right over the whole width, however long the clip is.

    `interpolation="auto"` is what `imshow` does unless told otherwise: a spectrogram that is enlarged exactly
    twice, or more than three times, both in height and in width keeps its sharp cells; at any other size the colours
    are averaged under a Hann window, so that nothing is lost where the image is smaller. `"nearest"` takes the
    nearest cell at every size, as `librosa.display.specshow` does, and is faster. On speech each is within 1 grey
    level of 255 of its counterpart on average; from each other they are up to 14 levels apart. `specshow` has to
    leave its `y_axis` alone: `"mel"` stretches the bands.

    Input: float waveforms in [-1, 1], `(batch, samples)`, or a single one, `(samples,)`.
    Output: float32 in [0, 255], `(batch, height, width, 3)` or `(height, width, 3)`: red, green and blue,
    in whole numbers, so that a PNG loses nothing. What is no number in the input has the first colour.

    Args:
        height: int, pixels. Defaults to 224.
        width: int, pixels. Defaults to 224.
        kind: `"mel"`, `power_to_db(melspectrogram(y))` of librosa, or `"stft"`, `power_to_db(abs(stft(y)) ** 2)`,
            whose frequencies are linear. Both without `top_db`. Defaults to `"mel"`.
        sr: int, the sample rate in Hz. Defaults to 16000.
        n_fft: int, window and FFT length in samples. Defaults to 2048; chunks of 30 ms, 480 samples, want about
            128.
        hop_length: int, samples from one frame to the next. Defaults to 512; chunks of 30 ms want about 8.
        n_mels: int, number of mel bands; of no effect on `"stft"`. Defaults to 128.
        fmin: float, lowest frequency in Hz. Defaults to 0.
        fmax: float, highest frequency in Hz, at most `sr / 2`. Defaults to `sr / 2`.
        min_db: float, the level of the first colour. Defaults to -80.
        max_db: float, the level of the last colour. Defaults to 20. Between the two defaults lie 98 % of all
            values of RAVDESS at 16 kHz, mel or not, and less than 0.1 % lie above; with a window of 128 samples
            levels are 12 to 25 dB lower.
        colormap: name of one of matplotlib's, such as `"viridis"`, `"magma"`, `"jet"` or `"grey"`. Defaults to
            `"viridis"`.
        interpolation: `"auto"` or `"nearest"`. Defaults to `"auto"`.
        center: bool, whether frames are centred, as in `LogMelSpectrogram`. Defaults to True.
        dtype: defaults to `"float32"`.

    Raises:
        ValueError: if an argument is out of range, the input is no waveform, or is shorter than a frame where `center`
            is False.

    Example:
        >>> clip = np.zeros(48_000, "float32")
        >>> SpectrogramImage()(clip).shape
        (224, 224, 3)

    Source: paper 001, section 3; paper 004, section 5.1. Hunter (2007), matplotlib.
    """

    def __init__(
        self,
        height=224,
        width=224,
        *,
        kind="mel",
        sr=16_000,
        n_fft=2048,
        hop_length=512,
        n_mels=128,
        fmin=0.0,
        fmax=None,
        min_db=-80.0,
        max_db=20.0,
        colormap="viridis",
        interpolation="auto",
        center=True,
        dtype="float32",
        **kwargs,
    ):
        super().__init__(dtype=dtype, **kwargs)
        check_sizes(height=height, width=width, sr=sr, n_fft=n_fft, hop_length=hop_length, n_mels=n_mels)
        check_band(fmin, fmax, sr)
        check_center(center)
        for name, value, allowed in (("kind", kind, KINDS), ("interpolation", interpolation, INTERPOLATIONS)):
            if value not in allowed:
                raise ValueError(f"`{name}` must be one of {', '.join(allowed)}. Received: {name}={value!r}")
        numbers = isinstance(min_db, int | float) and isinstance(max_db, int | float)
        if not (numbers and -np.inf < min_db < max_db < np.inf):
            raise ValueError(
                f"`min_db` and `max_db` must be levels in dB, the first below the second. "
                f"Received: min_db={min_db!r}, max_db={max_db!r}"
            )
        self._colours, self._whole_colours = _lookup_tables(colormap)
        self.height = height
        self.width = width
        self.kind = kind
        self.sr = sr
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.fmin = fmin
        self.fmax = fmax
        self.min_db = min_db
        self.max_db = max_db
        self.colormap = colormap
        self.interpolation = interpolation
        self.center = center
        if kind == "mel":
            self._log_mel = LogMelSpectrogram(
                sr, n_fft, hop_length, n_mels, fmin, fmax, top_db=None, center=center, dtype=dtype
            )
            bands = n_mels
        else:
            self._window = hann_window(n_fft)
            self._bins = _bins_between(fmin, sr / 2 if fmax is None else fmax, sr, n_fft)
            bands = self._bins.stop - self._bins.start
        # The lowest band is the bottom row.
        self._nearest_bands = bands - 1 - nearest_cells(bands, height)
        self._band_weights = hann_weights(bands, height)[::-1]
        self._bands_stay_sharp = stays_sharp(bands, height)

    def build(self, input_shape):
        check_waveform_shape(self, input_shape)

    def call(self, waveforms):
        check_waveform_dtype(self, waveforms)
        single = len(waveforms.shape) == 1
        images = self._images(waveforms[None] if single else waveforms)
        return images[0] if single else images

    def _images(self, waveforms):
        steps = self._steps(self._decibels(waveforms))
        frames, numpy = steps.shape[1], np
        if frames is None:
            frames, numpy = ops.shape(steps)[1], ops
        sharp = self.interpolation == "nearest" or (self._bands_stay_sharp and stays_sharp(frames, self.width))
        if isinstance(sharp, bool):
            return (self._sharp if sharp else self._smooth)(steps, frames, numpy)
        # In a graph for clips of any length it is known only when a clip is there.
        return ops.cond(sharp, lambda: self._sharp(steps, frames, numpy), lambda: self._smooth(steps, frames, numpy))

    def _decibels(self, waveforms):
        if self.kind == "mel":
            return self._log_mel(waveforms)
        power = power_spectrogram(waveforms, self.n_fft, self.hop_length, self._window, self.center)
        return to_decibels(power[..., self._bins])

    def _steps(self, decibels):
        """Which colour each cell has, int32, `(batch, frames, bands)`."""
        steps = (decibels - self.min_db) * (len(self._colours) / (self.max_db - self.min_db))
        # So written, NaN is 0 too: there is no such colour, and a lookup of it may end the process.
        steps = ops.minimum(ops.where(steps > 0, steps, 0.0), len(self._colours) - 1.0)
        return ops.cast(steps, "int32")

    def _sharp(self, steps, frames, numpy):
        """Each pixel in the colour of the cell that it lies in."""
        columns = nearest_cells(frames, self.width, numpy)
        steps = ops.transpose(steps, (0, 2, 1))
        # Whole rows of pixels are copied fastest, so what is enlarged is enlarged last.
        shrinks = self.height < steps.shape[1]
        if shrinks:
            steps = ops.take(steps, self._nearest_bands, axis=1)
        colours = ops.take(self._whole_colours, steps, axis=0)
        pixels = ops.take(colours, columns, axis=2)
        return pixels if shrinks else ops.take(pixels, self._nearest_bands, axis=1)

    def _smooth(self, steps, frames, numpy):
        """Each pixel in the mean of the colours around it, weighted by a Hann window."""
        colours = ops.transpose(ops.take(self._colours, steps, axis=0), (3, 0, 2, 1))
        rows = ops.matmul(self._band_weights, colours)
        pixels = ops.matmul(rows, ops.transpose(hann_weights(frames, self.width, numpy)))
        return ops.transpose(ops.floor(pixels + ROUNDING), (1, 2, 3, 0))

    def compute_output_shape(self, input_shape):
        check_samples(input_shape[-1], self.n_fft, self.center)
        return (*input_shape[:-1], self.height, self.width, 3)

    def get_config(self):
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "kind": self.kind,
            "sr": self.sr,
            "n_fft": self.n_fft,
            "hop_length": self.hop_length,
            "n_mels": self.n_mels,
            "fmin": self.fmin,
            "fmax": self.fmax,
            "min_db": self.min_db,
            "max_db": self.max_db,
            "colormap": self.colormap,
            "interpolation": self.interpolation,
            "center": self.center,
        }


def _lookup_tables(colormap):
    """The colours of one of matplotlib's maps in [0, 255], exact and in whole levels, float32, `(256, 3)` each.

    A few maps have more or fewer than 256.
    """
    from matplotlib import colormaps

    if not isinstance(colormap, str) or colormap not in colormaps:
        near = difflib.get_close_matches(colormap, colormaps) if isinstance(colormap, str) else ()
        raise ValueError(
            "`colormap` must be the name of a colour map of matplotlib, such as "
            f"{', '.join(near or SOME_COLORMAPS)}. Received: colormap={colormap!r}"
        )
    colours = colormaps[colormap]
    steps = np.arange(colours.N)
    exact, whole = 255 * colours(steps), colours(steps, bytes=True)
    return exact[:, :3].astype("float32"), whole[:, :3].astype("float32")


def _bins_between(fmin, fmax, sr, n_fft):
    """The bins of a Fourier transform from `fmin` to `fmax` Hz, both included."""
    frequencies = np.fft.rfftfreq(n_fft, 1 / sr)
    inside = np.flatnonzero((frequencies >= fmin) & (frequencies <= fmax))
    if not len(inside):
        raise ValueError(
            f"Between `fmin` and `fmax` must lie a bin of the Fourier transform, one each {sr / n_fft:g} Hz; "
            f"take a larger `n_fft`. Received: fmin={fmin}, fmax={fmax}, n_fft={n_fft}"
        )
    return slice(int(inside[0]), int(inside[-1]) + 1)
