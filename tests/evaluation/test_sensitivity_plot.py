"""The sensitivity plot: its panels, lines and axes, and that no point falls off the picture."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from sertk.evaluation import plot_sensitivity
from sertk.evaluation.sensitivity_plot import ordered


@pytest.fixture
def figures(monkeypatch):
    """The figures that were saved, as Matplotlib's objects."""
    saved = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *args, **kwargs: (saved.append(self), save(self, *args, **kwargs))
    )
    return saved


def points_of(alphas, layers=(None,), sizes=(None,), parts=("validation", "test"), sd=0.02, baseline=True):
    """UAR grows by 1 % from point to point; the baseline has 30 %."""
    rows = []
    for part in parts:
        for n in sizes:
            for layer in layers:
                for alpha in alphas:
                    uar = 0.5 + 0.01 * len(rows)
                    rows.append({"part": part, "n": n, "layer": layer, "alpha": alpha, "uar": uar, "uar_sd": sd})
    table = pd.DataFrame(rows, dtype="object").assign(baseline=False)
    if baseline:
        level = pd.DataFrame({"part": parts, "n": None, "layer": None, "alpha": None, "uar": 0.3, "uar_sd": sd})
        table = pd.concat([table, level.astype("object").assign(baseline=True)], ignore_index=True)
    return table.astype({"uar": float, "uar_sd": float})


def curve(container):
    return np.array([container.lines[0].get_xdata(), container.lines[0].get_ydata()])


def test_a_panel_for_each_group_and_part_and_a_line_for_each_value(tmp_path, figures):
    points = points_of((0.01, 0.1, 1), ("fc1", "fc2"), (3, 6, 9))
    path = plot_sensitivity(points, tmp_path / "new" / "s.png", x="alpha", group="n", lines="layer")
    assert imread(path).shape[:2] == (1400, 2100)
    panels = np.array(figures[0].axes).reshape(2, 3)
    assert [axes.get_title() for axes in panels[0]] == ["n 3", "n 6", "n 9"]
    assert [axes.get_ylabel() for axes in panels[:, 0]] == ["UAR, validation part", "UAR, test part"]
    assert [label.get_text() for label in panels[1, 0].get_xticklabels()] == ["0.01", "0.1", "1"]
    assert panels[0, 0].get_xscale() == "log"
    assert panels[0, 0].get_ylim() == panels[0, 2].get_ylim() != panels[1, 0].get_ylim()
    first, second = (curve(container) for container in panels[0, 1].containers)
    # The second panel's six points are the 7th to 12th.
    assert first[1] == pytest.approx([56, 57, 58])
    assert second[1] == pytest.approx([59, 60, 61])
    # Beside each other, and each nearer to its own x than to the next.
    assert (first[0] < [0.01, 0.1, 1]).all()
    assert (second[0] > [0.01, 0.1, 1]).all()
    assert np.abs(np.log10(second[0]) - [-2, -1, 0]).max() < 0.2
    (dashed,) = [line for line in panels[1, 2].lines if line.get_linestyle() == "--"]
    assert list(dashed.get_ydata()) == pytest.approx([30, 30])
    assert [text.get_text() for text in figures[0].legends[0].get_texts()] == ["baseline", "layer fc1", "layer fc2"]


@pytest.mark.parametrize("alphas", [(0.01, 1), (1, 2, 3), (0, 0.1, 1), ("cosine", "l2", None), (5,), (-1, 1)])
@pytest.mark.parametrize("sd", [0.02, np.nan])
def test_every_point_and_its_error_bar_lie_inside_the_axes(tmp_path, figures, alphas, sd):
    """A shift in inches once left them outside: the axes did not know where they were."""
    plot_sensitivity(points_of(alphas, ("fc1", "fc2"), sd=sd), tmp_path / "s.png", x="alpha", lines="layer")
    for axes in figures[0].axes:
        (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
        assert low < 30
        for container in axes.containers:
            x, y = curve(container)
            assert len(x) == len(alphas)
            reach = 0 if np.isnan(sd) else 2
            assert left < x.min()
            assert x.max() < right
            assert low < y.min() - reach
            assert y.max() + reach < high


@pytest.mark.parametrize(
    ("alphas", "scale", "words"),
    [
        ((0.1, 1), "log", ["0.1", "1"]),
        ((3, 6, 9), "linear", ["3", "6", "9"]),
        ((0, 1, 100), "linear", ["0", "1", "100"]),
        ((None, "fc1", "$x_"), "linear", ["none", "$x_", "fc1"]),
    ],
)
def test_the_axis_is_that_of_its_values(tmp_path, figures, alphas, scale, words):
    plot_sensitivity(points_of(alphas[::-1], baseline=False), tmp_path / "s.png", x="alpha")
    axes = figures[0].axes[-1]
    assert (axes.get_xscale(), [label.get_text() for label in axes.get_xticklabels()]) == (scale, words)
    assert not figures[0].legends
    x, y = curve(axes.containers[0])
    assert (np.diff(x) > 0).all()
    if scale == "log":
        assert y.tolist() == pytest.approx([53, 52])  # they were given from the largest x to the smallest


def test_one_part_alone_has_one_row(tmp_path, figures):
    path = plot_sensitivity(points_of((1, 10), parts=("test",)), tmp_path / "s.png", x="alpha")
    assert imread(path).shape[:2] == (700, 1200)
    assert [axes.get_ylabel() for axes in figures[0].axes] == ["UAR, test part"]


def test_values_are_ordered_by_kind_and_size():
    assert ordered([10, "b", 2.5, None, "a", 10]) == [None, 2.5, 10, "a", "b"]
