"""A picture of pairs: what each was without and with, and how far apart."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sertk.atomic import replacing
from sertk.evaluation.paired_words import MEASURES
from sertk.evaluation.plots import BLUE, DPI, GREY, ORANGE

DARK = "#222222"
COLOURS = {"gained": BLUE, "lost": ORANGE, "unchanged": GREY}
# A name longer than this would run into the next one.
LONGEST_NAME = 18
# Half the width within which the dots of a column are spread, so that equal ones show.
SPREAD = 0.12


def plot_pairs(said, path):
    """Draws UAR and accuracy of each pair as two dots and a line, and their differences, as a PNG of 2100 x 900 pixels.

    Lines of pairs that gained are blue, of those that lost orange; the black bars are means. On the right each dot is a
    pair's difference, and the black one their mean with its 95 % interval, corrected where pairs are of several folds.

    Args:
        said: dict, what `sertk.recipes.compare_runs` found.
        path: the PNG file; its folder is made if it is missing.

    Returns:
        The path, as a `Path`.
    """
    figure = Figure(figsize=(2100 / DPI, 900 / DPI), dpi=DPI, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)  # inches: no label touches the edge
    FigureCanvasAgg(figure)
    *slopes, differences = figure.subplots(1, 3, width_ratios=[1, 1, 1.1])
    for axes, (measure, title) in zip(slopes, MEASURES.items(), strict=True):
        _slopes(axes, said, measure)
        axes.set_title(f"{title[0].upper()}{title[1:]}")
    slopes[1].sharey(slopes[0])
    slopes[0].autoscale_view(scalex=False)
    _differences(differences, said)
    lines = [Line2D([], [], color=colour, marker="o", label=word) for word, colour in _words(said).items()]
    bar = Line2D([], [], color=DARK, marker="_", markersize=14, markeredgewidth=2.5, linestyle="", label="mean")
    dot = Line2D([], [], color=DARK, marker="o", label="mean difference, 95 % interval")
    figure.legend(handles=[*lines, bar, dot], loc="outside upper center", ncols=5, frameon=False)
    path = Path(path)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI)
    return path


def _slopes(axes, said, measure):
    sides = np.array([[pair[f"baseline_{measure}"], pair[measure]] for pair in said["pairs"]])
    for before, after in sides:
        colour = _colour(after - before)
        axes.plot([0, 1], [before, after], color=colour, marker="o", markersize=6, linewidth=1.3, alpha=0.75)
    for place, mean in enumerate(sides.mean(axis=0)):
        outwards = -0.2 if place == 0 else 0.2
        axes.plot([place + outwards - 0.09, place + outwards + 0.09], [mean, mean], color=DARK, linewidth=2.5)
        axes.annotate(
            f"{100 * mean:.1f} %", (place + outwards, mean), (0, 6), textcoords="offset points", ha="center", color=DARK
        )
    axes.set_xlim(-0.5, 1.5)
    axes.set_xticks([0, 1], [_short(name) for name in said["names"]], parse_math=False)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %")
    axes.margins(y=0.15)
    _plain(axes)


def _differences(axes, said):
    for place, measure in enumerate(MEASURES):
        test = said["tests"][measure]
        values = 100 * np.array([pair[measure] - pair[f"baseline_{measure}"] for pair in said["pairs"]])
        shifts = np.linspace(-SPREAD, SPREAD, len(values)) if len(values) > 1 else np.zeros(1)
        axes.scatter(place - 0.15 + shifts, values, color=[_colour(value) for value in values], alpha=0.75, zorder=2)
        interval = (test["corrected"] or test)["interval"]
        mean = 100 * test["difference"]
        reach = None if interval is None else np.abs(100 * np.array(interval) - mean)[:, None]
        axes.errorbar(place + 0.2, mean, yerr=reach, fmt="o", color=DARK, markersize=8, capsize=5, linewidth=1.8)
        axes.annotate(
            _signed(mean, ".1f"), (place + 0.2, mean), (10, 0), textcoords="offset points", va="center", color=DARK
        )
    axes.axhline(0, color=GREY, linewidth=1, linestyle=":", zorder=1)
    axes.set_xlim(-0.5, 1.6)
    axes.set_xticks(range(len(MEASURES)), [f"{name[0].upper()}{name[1:]}" for name in MEASURES.values()])
    axes.set_title("Difference in points")
    axes.yaxis.set_major_formatter(lambda value, _: _signed(value, ".4g") if value else "0")
    axes.margins(y=0.15)
    _plain(axes)


def _colour(difference):
    return COLOURS["unchanged" if abs(difference) < 1e-12 else "gained" if difference > 0 else "lost"]


def _words(said):
    """The colours that occur, with their words."""
    there = {_colour(pair[measure] - pair[f"baseline_{measure}"]) for pair in said["pairs"] for measure in MEASURES}
    return {word: colour for word, colour in COLOURS.items() if colour in there}


def _signed(value, form):
    """A number with its sign, which is no hyphen."""
    return f"{value:+{form}}".replace("-", "−")


def _short(name):
    return name if len(name) <= LONGEST_NAME else f"…{name[1 - LONGEST_NAME :]}"


def _plain(axes):
    axes.grid(axis="y", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
