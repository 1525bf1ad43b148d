"""A picture of a graph of clips: how many neighbours they have, and whether those share their emotion."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sertk.atomic import replacing
from sertk.evaluation.plots import BLUE, DPI, GREY, ORANGE


def plot_graph_statistics(statistics, path):
    """Draws how many neighbours clips have, and where the edges of each emotion lead, as PNG of 900 pixels in height.

    On the left are the clips by their number of neighbours, those without one in orange. On the right, where labels are
    known, is a row for each emotion: per cent of its clips' edges that lead to each emotion, and how often chance would
    lead to the same one. A row without an edge has dashes.

    Args:
        statistics: what `sertk.graphs.graph_statistics` returned.
        path: the PNG file; its folder is made if it is missing.

    Returns:
        The path, as a `Path`.
    """
    agreement = statistics.get("agreement")
    panels = 1 if agreement is None else 2
    figure = Figure(figsize=(1000 * panels / DPI, 900 / DPI), dpi=DPI, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
    FigureCanvasAgg(figure)
    first, *second = figure.subplots(1, panels, squeeze=False)[0]
    _histogram(first, statistics)
    told = [f"{statistics['clips']:,} clips, {statistics['edges']:,} edges"]
    for axes in second:
        _agreement(axes, agreement)
        if agreement["share"] is not None:
            told.append(f"{agreement['share']:.0%} of them within an emotion, by chance {agreement['chance']:.0%}")
    figure.suptitle(", ".join(told), fontweight="bold", fontsize=13)
    path = Path(path)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI)
    return path


def _histogram(axes, statistics):
    counts = np.array(statistics["degree"]["histogram"])
    colours = [ORANGE] + [BLUE] * (len(counts) - 1)
    axes.bar(np.arange(len(counts)), counts, color=colours, width=0.9)
    mean = statistics["degree"]["mean"]
    axes.axvline(mean, color=GREY, linewidth=1, linestyle=":", label=f"mean: {mean:.1f}")
    axes.set(title="Neighbours of a clip", xlabel="Neighbours", ylabel="Clips")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize=9, title=f"without: {counts[0]:,} clips", title_fontsize=9)
    axes.grid(axis="y", alpha=0.25)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _agreement(axes, agreement):
    names, matrix = agreement["labels"], np.array(agreement["matrix"], "float64")
    ends = matrix.sum(axis=1, keepdims=True)
    shares = 100 * np.divide(matrix, ends, out=np.zeros_like(matrix), where=ends > 0)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100, aspect="equal")
    for row, column in np.ndindex(shares.shape):
        share = shares[row, column]
        # The darker half of the map needs light words.
        colour = "white" if share > 55 else "#222222" if share else GREY
        word = "–" if not ends[row] else "<1" if 0 < share < 0.5 else f"{share:.0f}"
        weight = "bold" if row == column else "normal"
        axes.text(column, row, word, ha="center", va="center", color=colour, weight=weight, fontsize=10)
    axes.set(title="Per cent of an emotion's edges", xlabel="lead to", xticks=range(len(names)))
    axes.set_xticklabels(names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), [_row(name, agreement["by_label"][name]) for name in names])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _row(name, of_label):
    chance = of_label["chance"]
    return name if chance is None else f"{name} (chance {100 * chance:.0f})"
