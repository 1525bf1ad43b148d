"""A picture of an ensemble beside its members."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sertk.atomic import replacing
from sertk.evaluation.plots import BLUE, DPI, GREY, ORANGE

LONGEST_NAME = 40


def plot_members(table, path):
    """Draws accuracy and UAR of an ensemble and its members as bars, with their 95 % intervals, as PNG.

    The ensemble is on top, a grey line marks its accuracy. The picture is 1500 pixels wide and grows with the members.

    Args:
        table: DataFrame, as `sertk.evaluation.compare` makes it.
        path: the PNG file; its folder is made if it is missing.

    Returns:
        The path, as a `Path`.
    """
    figure = Figure(figsize=(1500 / DPI, (200 + 110 * len(table)) / DPI), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    places = np.arange(len(table))
    for measure, label, colour, shift in (("accuracy", "accuracy", BLUE, -0.2), ("uar", "UAR", ORANGE, 0.2)):
        reach = [table[measure] - table[f"{measure}_low"], table[f"{measure}_high"] - table[measure]]
        axes.barh(
            places + shift,
            table[measure],
            height=0.36,
            color=colour,
            label=label,
            xerr=np.clip(reach, 0, None),  # an interval of few speakers may miss the figure itself
            error_kw={"ecolor": "#222222", "elinewidth": 1.2, "capsize": 3},
        )
    axes.axvline(table["accuracy"].iloc[0], color=GREY, linewidth=1, linestyle=":")
    # A path tells more by its end. No name is taken for a formula.
    shown = [name if len(name) <= LONGEST_NAME else f"…{name[1 - LONGEST_NAME :]}" for name in table["name"]]
    axes.set_yticks(
        places,
        [f"{name} (best)" * best or name for name, best in zip(shown, table["best"], strict=True)],
        parse_math=False,
    )
    axes.get_yticklabels()[0].set_fontweight("bold")
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    path = Path(path)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI)
    return path
