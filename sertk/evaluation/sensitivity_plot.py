"""A picture of how much a result hangs on a setting."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sertk.atomic import replacing
from sertk.evaluation.plots import BLUE, DPI, GREY, ORANGE

PARTS = {"validation": "UAR, validation part", "test": "UAR, test part"}
# Each line has a colour and a marker of its own, so that print without colour tells them apart too.
COLOURS = (BLUE, ORANGE, "#3a923a", "#7b4fa3", "#a23b3b", "#2b9ca6")
MARKERS = "osD^vP"
# Lines stand beside each other by that share of the step from one x to the next, so that no error bar hides another.
APART = 0.05
# From this ratio of the largest x to the smallest on the axis is logarithmic.
DECADE = 10


def plot_sensitivity(points, path, *, x, group=None, lines=None):
    """Draws UAR over a setting as PNG: a column of panels a group, a row a part, a line a value of `lines`.

    Error bars are the standard deviation over runs, where a point has several; a dashed line is the mean of baseline
    runs. x is logarithmic where all values are above 0 and the largest is ten times the smallest or more; values that
    are no numbers stand side by side. All panels of a part have one UAR axis. The picture is 700 pixels wide for each
    group, at least 1200, and 700 high for each part.

    Args:
        points: DataFrame, as `sertk.recipes.sensitivity` makes it.
        path: the PNG file; its folder is made if it is missing.
        x: str, the column that runs along the axis.
        group: str, the column that has a panel for each of its values. Defaults to None: one panel.
        lines: str, the column that has a line for each of its values. Defaults to None: one line.

    Returns:
        The path, as a `Path`.
    """
    own, baseline = points[~points["baseline"]], points[points["baseline"]]
    parts = [part for part in PARTS if (own["part"] == part).any()]
    groups, shown = ([None] if column is None else ordered(own[column]) for column in (group, lines))
    figure = Figure(figsize=(max(1200, 700 * len(groups)) / DPI, 700 * len(parts) / DPI), dpi=DPI, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)  # inches: no label touches the edge
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(parts), len(groups), sharex=True, sharey="row", squeeze=False)
    values = ordered(own[x])
    places, scale = _places(values)
    step = min(np.diff(places), default=1)
    at = dict(zip(values, places, strict=True))
    edges = [places[0] - 0.4 * step, places[-1] + 0.4 * step]
    for row, part in zip(panels, parts, strict=True):
        levels = 100 * baseline.loc[baseline["part"] == part, "uar"]
        for axes, value in zip(row, groups, strict=True):
            rows = own[(own["part"] == part) & _has(own, group, value)]
            for number, line in enumerate(shown):
                one = rows[_has(rows, lines, line)]
                beside = APART * step * (number - (len(shown) - 1) / 2)
                there = _on_axis([at[value] + beside for value in one[x]], scale)
                _line(axes, one, there, number, _label(lines, line))
            for level in levels:
                axes.axhline(level, color=GREY, linestyle="--", linewidth=1.4, zorder=1, label="baseline")
            axes.margins(y=0.08)
            axes.grid(axis="y", alpha=0.25)
            axes.spines[["top", "right"]].set_visible(False)
        row[0].set_ylabel(PARTS[part])
        row[0].yaxis.set_major_formatter(lambda value, _: f"{value:.4g} %")
    for axes, value in zip(panels[0], groups, strict=True):
        axes.set_title(_label(group, value), parse_math=False)
    for axes in panels[-1]:
        axes.set_xscale(scale)
        axes.set_xlabel(_short(x), parse_math=False)
        axes.set_xticks(_on_axis(places, scale), [_word(value) for value in values], parse_math=False)
        axes.minorticks_off()
        axes.set_xlim(*_on_axis(edges, scale))
    _legend(figure, panels)
    path = Path(path)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI)
    return path


def ordered(values):
    """The distinct values of a setting: None first, then numbers by size, then words by the alphabet.

    Args:
        values: any iterable of None, bools, numbers and str.

    Returns:
        list.
    """

    def rank(value):
        kind = 0 if value is None else 1 if _is_number(value) else 2
        return kind, value if kind == 1 else 0, str(value)

    return sorted(dict.fromkeys(values), key=rank)


def _places(values):
    """Where each x lies on the paper, in steps, by size or by its logarithm, and the scale of the axis."""
    if not all(map(_is_number, values)):
        return np.arange(len(values), dtype="float64"), "linear"
    if values[0] > 0 and values[-1] >= DECADE * values[0]:
        return np.log10(values), "log"
    return np.array(values, dtype="float64"), "linear"


def _on_axis(places, scale):
    """What an axis of that scale calls places on the paper."""
    places = np.asarray(places, dtype="float64")
    return 10.0**places if scale == "log" else places


def _line(axes, points, places, number, label):
    order = np.argsort(places)
    axes.errorbar(
        places[order],
        100 * points["uar"].to_numpy()[order],
        yerr=100 * np.nan_to_num(points["uar_sd"].to_numpy("float64"))[order],
        color=COLOURS[number % len(COLOURS)],
        marker=MARKERS[number % len(MARKERS)],
        capsize=3,
        linewidth=1.6,
        elinewidth=1.1,
        label=label,
    )


def _legend(figure, panels):
    entries = {}
    for axes in panels.flat:
        entries |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    entries.pop("", None)
    if entries:
        legend = figure.legend(
            entries.values(), entries.keys(), loc="outside upper center", ncols=min(len(entries), 6), frameon=False
        )
        for text in legend.get_texts():
            text.set_parse_math(False)


def _has(points, column, value):
    """Which rows have a value; all of them without a column."""
    return np.array([column is None or there == value for there in points[column or "part"]], dtype=bool)


def _label(column, value):
    return "" if column is None else f"{_short(column)} {_word(value)}"


def _short(setting):
    """A setting's own name, without its group."""
    return setting.rpartition(".")[2].replace("_", " ")


def _word(value):
    return "none" if value is None else f"{value:g}" if _is_number(value) else str(value)


def _is_number(value):
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)
