"""The picture of a timeline: how likely each emotion is, moment by moment, above how loud it is."""

from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sertk.atomic import replacing
from sertk.evaluation.plots import DPI, GREY

# Below this nothing is drawn: a quiet room.
FLOOR_DB = -80


def plot_timeline(table, path):
    """Draws one recording's timeline as a PNG of `1950 x 900` pixels.

    Above, the probabilities of all emotions on each other, which fill the height; a strip on top shows the most
    probable one. Below, how loud it is. Every window is drawn around its middle, half way to its neighbours'.

    Args:
        table: DataFrame that `timeline` returned, of one recording.
        path: the PNG file; its folder is made if it is missing.

    Returns:
        The path, as a `Path`.

    Raises:
        ValueError: if the table is empty or of several recordings.
    """
    recordings = (table["start"] == 0).sum() if len(table) else 0
    if recordings != 1:
        raise ValueError(
            "`table` must be the timeline of one recording; draw one after the other. "
            f"Received: {recordings} recordings"
        )
    classes = [name[2:] for name in table if name.startswith("p_")]
    colours = [colormaps["tab10" if len(classes) <= 10 else "tab20"](place) for place in range(len(classes))]
    edges = _edges(table)
    figure = Figure(figsize=(1950 / DPI, 900 / DPI), dpi=DPI, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.06)
    FigureCanvasAgg(figure)
    strip, shares, level = figure.subplots(3, 1, sharex=True, height_ratios=[0.4, 4, 1.2])

    winners = np.array([classes.index(name) for name in table["predicted"]])
    _steps(strip, edges, np.zeros(len(table)), np.ones(len(table)), winners, colours)
    strip.set(yticks=[], ylim=(0, 1))
    strip.set_title(Path(table["path"].iloc[0]).name, parse_math=False)
    strip.set_ylabel("answer", rotation=0, ha="right", va="center")
    top = np.zeros(len(table))
    for place, name in enumerate(classes):
        bottom, top = top, top + table[f"p_{name}"].to_numpy()
        shares.stairs(top, edges, baseline=bottom, fill=True, color=colours[place], label=name)
    shares.set(ylabel="Probability", ylim=(0, 1))
    shares.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    handles, labels = shares.get_legend_handles_labels()
    shares.legend(handles[::-1], labels[::-1], frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))

    loud = np.maximum(table["level_db"].to_numpy("float64"), FLOOR_DB)
    level.stairs(loud, edges, baseline=FLOOR_DB, fill=True, color=GREY)
    level.set(ylabel="Level, dB", ylim=(FLOOR_DB, 0), xlabel="Time, min:s" if edges[-1] > 90 else "Time in seconds")
    level.set_xlim(0, edges[-1])
    level.xaxis.set_major_locator(MaxNLocator(12, steps=[1, 1.5, 2, 3, 5, 6, 10]))
    if edges[-1] > 90:
        level.xaxis.set_major_formatter(lambda seconds, _: f"{int(seconds) // 60}:{int(seconds) % 60:02d}")
    for axes in (strip, shares, level):
        axes.spines[:].set_visible(False)
    path = Path(path)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI)
    return path


def _edges(table):
    """Where each window's piece of the axis begins and ends: half way between the windows' middles."""
    middles = ((table["start"] + table["end"]) / 2).to_numpy()
    return np.concatenate([[0.0], (middles[1:] + middles[:-1]) / 2, [table["end"].iloc[-1]]])


def _steps(axes, edges, bottom, top, kinds, colours):
    for kind in np.unique(kinds):
        there = kinds == kind
        axes.stairs(np.where(there, top, 0), edges, baseline=bottom, fill=True, color=colours[kind])
