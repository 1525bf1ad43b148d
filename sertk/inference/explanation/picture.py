"""The picture of an explanation: a spectrogram with heat where an answer hangs on it."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sertk.atomic import replacing
from sertk.evaluation.plots import DPI, GREY
from sertk.inference.explanation.explanation import NAMES

# What speaks for the emotion, and what against it.
FOR, AGAINST = "#c0392b", "#1f5a96"
OCTAVES = (125, 250, 500, 1_000, 2_000, 4_000, 8_000, 16_000)


def plot_explanation(explanation, path, title="", offset=0.0):
    """Draws an explanation as a PNG of `1650 x 1200` pixels.

    Above the spectrogram as the model hears it, below the same in grey under the heat: red speaks for the emotion, blue
    against it, the stronger the heat the fuller the colour. On top of it is the heat over time, on its right over the
    bands. A dashed line stands where the clip ends and padding begins.

    Args:
        explanation: `Explanation`.
        path: the PNG file; its folder is made if it is missing.
        title: str, such as the clip's name. Defaults to none.
        offset: float, seconds, where the clip begins in a longer recording. Defaults to 0.

    Returns:
        The path, as a `Path`.
    """
    figure = Figure(figsize=(1650 / DPI, 1200 / DPI), dpi=DPI, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.06)
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(3, 2, height_ratios=[3, 0.8, 3], width_ratios=[7, 1])
    below = figure.add_subplot(grid[2, 0])
    plain = figure.add_subplot(grid[0, 0], sharex=below, sharey=below)
    over_time = figure.add_subplot(grid[1, 0], sharex=below)
    over_bands = figure.add_subplot(grid[2, 1], sharey=below)

    frames, bands = explanation.spectrogram.shape
    times = explanation.times + offset
    hop = times[1] - times[0] if frames > 1 else 1.0
    place = {
        "origin": "lower",
        "aspect": "auto",
        "extent": (times[0] - hop / 2, times[-1] + hop / 2, -0.5, bands - 0.5),
    }
    levels = _levels(explanation)
    image = plain.imshow(explanation.spectrogram.T, cmap="magma", interpolation="nearest", **levels, **place)
    figure.colorbar(image, ax=plain, label="value" if explanation.frequencies is None else "dB", pad=0.01)
    below.imshow(explanation.spectrogram.T, cmap="gray", interpolation="nearest", **levels, **place)
    _heat(below, explanation.heat, place)
    for axes in (plain, below, over_time):
        if explanation.ends + offset < times[-1] - hop:
            axes.axvline(explanation.ends + offset, color=GREY, linestyle="--", linewidth=1)
    _bars(over_time, times, explanation.over_time, hop, upright=True)
    _bars(over_bands, np.arange(bands), explanation.over_bands, 1.0, upright=False)

    plain.set_title("What the model hears", fontsize=10)
    over_time.set_title(f"What {explanation.emotion} hangs on: {NAMES[explanation.method]}", fontsize=10)
    below.set_xlabel("Time in seconds")
    for axes in (plain, below):
        _frequency_axis(axes, explanation.frequencies)
    for axes in (plain, over_time):
        axes.tick_params(labelbottom=False)
    over_bands.tick_params(labelleft=False)
    told = f"{explanation.emotion}, {explanation.probability:.0%}"
    figure.suptitle(f"{title}: {told}" if title else told, fontweight="bold", fontsize=13, parse_math=False)
    path = Path(path)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI)
    return path


def _levels(explanation):
    values = explanation.spectrogram
    if explanation.frequencies is None:
        # The first coefficient is the loudness, ten times as large as the rest.
        reach = max(np.percentile(np.abs(values[:, 1:]), 99), 1e-6) if values.shape[1] > 1 else 1.0
        return {"vmin": -reach, "vmax": reach}
    return {"vmin": max(values.max() - 80, values.min() - 1e-6), "vmax": values.max()}


def _heat(axes, heat, place):
    """Colour for the sign, fullness for the size; single cells that tower over all others fade nothing."""
    strength = np.abs(heat)
    top = np.percentile(strength[strength > 0], 99.5) if strength.any() else 1.0
    for colour, part in ((FOR, np.maximum(heat, 0)), (AGAINST, np.maximum(-heat, 0))):
        if part.any():
            layer = np.zeros((*heat.T.shape, 4))
            layer[..., :3] = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
            layer[..., 3] = 0.85 * np.minimum(part.T / top, 1)
            axes.imshow(layer, interpolation="nearest", **place)


def _bars(axes, places, heat, width, upright):
    colours = [FOR if value > 0 else AGAINST for value in heat]
    if upright:
        axes.bar(places, heat, width, color=colours)
        axes.axhline(0, color=GREY, linewidth=0.5)
        axes.set_yticks([])
    else:
        axes.barh(places, heat, width, color=colours)
        axes.axvline(0, color=GREY, linewidth=0.5)
        axes.set_xticks([])
    axes.spines[:].set_visible(False)


def _frequency_axis(axes, frequencies):
    if frequencies is None:
        axes.set_ylabel("MFCC coefficient")
        return
    shown = [octave for octave in OCTAVES if frequencies[0] <= octave <= frequencies[-1]]
    axes.set_yticks(np.interp(shown, frequencies, np.arange(len(frequencies))), [f"{hertz:,}" for hertz in shown])
    axes.set_ylabel("Frequency in Hz")
