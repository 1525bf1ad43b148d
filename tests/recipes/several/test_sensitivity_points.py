"""Runs that differ in a setting, as points: means by hand, their order, and runs that don't belong together."""

import numpy as np
import pandas as pd
import pytest

from sertk.evaluation import load_predictions, save_predictions
from sertk.recipes import best_point, sensitivity

GRAPH = {"x": "graph.multiplier", "group": "graph.neighbors", "lines": "graph.layer"}
BOTH = ("validation", "test")


@pytest.fixture
def grid(write_run, tmp_path):
    """Figure 2 of paper 003 in small: two n, two alpha, two layers, two seeds; and two runs of the base network."""
    runs = []
    for n in (9, 3):
        for alpha in (1.0, 0.01):
            for layer in ("fc2", "fc1"):
                for seed in (0, 1):
                    wrong = n - 2 + 2 * (layer == "fc1") - 2 * (alpha == 1) + 2 * seed
                    changes = dict(zip(GRAPH.values(), (alpha, n, layer), strict=True)) | {"training.seed": seed}
                    place = tmp_path / f"nsl-{n}-{alpha}-{layer}-{seed}"
                    runs.append(write_run(place, {"test": wrong, "validation": wrong + 1}, changes, parts=BOTH))
    base = [write_run(tmp_path / f"base-{seed}", 10 + 2 * seed, {"training.seed": seed}, parts=BOTH) for seed in (0, 1)]
    return runs, base


def test_points_are_means_over_seeds(grid, tmp_path):
    """The wrong ones are those of `grid`, sad and happy by turns, so that an odd one out of them is sad."""
    points = sensitivity(grid[0], tmp_path / "out", baseline=grid[1], **GRAPH)
    assert list(points) == [
        "part", "baseline", "graph.neighbors", "graph.layer", "graph.multiplier",
        "runs", "uar", "uar_sd", "accuracy", "accuracy_sd",
    ]  # fmt: skip
    test = points[points["part"] == "test"]
    keys = [tuple(row) for row in test[["graph.neighbors", "graph.layer", "graph.multiplier"]].to_numpy()]
    grid_of_keys = [(n, layer, alpha) for n in (3, 9) for layer in ("fc1", "fc2") for alpha in (0.01, 1.0)]
    assert keys == [*grid_of_keys, (None, None, None)]
    row = dict(zip(keys, test.to_dict("records"), strict=True))
    # n 9, alpha 0.01, fc1: wrong on 9 and 11 of 20.
    assert row[9, "fc1", 0.01]["accuracy"] == pytest.approx(0.5)
    assert row[9, "fc1", 0.01]["accuracy_sd"] == pytest.approx(0.1 / 2**0.5)
    # n 9, alpha 1, fc2: 5 and 7 wrong, of both classes 3 and 2, then 4 and 3 of 10.
    assert row[9, "fc2", 1.0]["uar"] == pytest.approx((0.75 + 0.65) / 2)
    assert test.iloc[-1][["baseline", "runs", "uar"]].tolist() == [True, 2, pytest.approx(0.45)]
    assert (points["runs"] == 2).all()

    written = pd.read_csv(tmp_path / "out" / "sensitivity.csv")
    pd.testing.assert_frame_equal(
        written.drop(columns=GRAPH.values()), points.drop(columns=GRAPH.values()), check_dtype=False
    )
    assert (tmp_path / "out" / "sensitivity.png").is_file()


def test_the_best_point_is_picked_on_the_validation_part(write_run, tmp_path):
    runs = [
        write_run(tmp_path / f"{rate}", {"validation": first, "test": second}, {"learning_rate": rate}, parts=BOTH)
        for rate, first, second in ((0.1, 2, 8), (0.01, 6, 2))
    ]
    validation, test = best_point(sensitivity(runs, x="training.learning_rate"))
    assert (validation["training.learning_rate"], validation["uar"], test["uar"]) == (0.1, 0.9, 0.6)
    assert np.isnan(test["uar_sd"])  # of one run there is none


def test_of_joined_runs_the_test_figures_count_and_of_the_others_the_validation_figures(write_run, tmp_path):
    """As in the paper, whose test figures are of networks that its validation part trained too."""
    runs = []
    for joined in (False, True):
        for rate in (0.1, 0.01):
            changes = {"learning_rate": rate, "join_validation": joined}
            runs.append(write_run(tmp_path / f"{rate}-{joined}", 2 + 4 * joined, changes, parts=BOTH))
    points = sensitivity(runs, x="training.learning_rate")
    assert points.groupby("part")["accuracy"].unique().to_dict() == {"test": [0.7], "validation": [0.9]}
    validation, test = best_point(sensitivity(runs[:3], x="training.learning_rate"))
    assert (validation["training.learning_rate"], test) == (0.01, None)
    assert best_point(sensitivity(runs[2:], x="training.learning_rate")) is None
    with pytest.raises(ValueError, match=r"Received: x='training.join_validation'"):
        sensitivity(runs, x="training.join_validation")


def test_a_run_without_a_validation_part_leaves_it_out_for_all(write_run, tmp_path):
    runs = [write_run(tmp_path / "a", 2, {"learning_rate": 0.1}, parts=BOTH), write_run(tmp_path / "b", 3)]
    points = sensitivity(runs, x="training.learning_rate")
    assert points["part"].tolist() == ["test", "test"]
    assert best_point(points) is None


def test_a_cross_validation_counts_as_the_mean_of_its_folds(write_run, tmp_path):
    """5 and 9 wrong of 20: 75 and 55 %."""
    folds = ("fold-1", "fold-2")
    runs = [write_run(tmp_path / str(seed), [5, 9 + 2 * seed], {"training.seed": seed}, folds=folds) for seed in (0, 1)]
    (point,) = sensitivity(runs, x="training.batch_size").to_dict("records")
    assert point["runs"] == 2
    assert point["accuracy"] == pytest.approx((0.65 + 0.6) / 2)
    assert point["accuracy_sd"] == pytest.approx(0.05 / 2**0.5)


def test_settings_of_any_kind_are_shown(write_run, tmp_path):
    changes = [{"graph.layer": None, "noise.snr": [5, 10]}, {"graph.layer": "fc1", "noise.snr": [15, 30]}]
    runs = [write_run(tmp_path / str(i), i, change) for i, change in enumerate(changes)]
    points = sensitivity(runs, tmp_path / "out", x="noise.snr", lines="graph.layer")
    assert points["graph.layer"].tolist() == [None, "fc1"]
    assert points["noise.snr"].tolist() == ["(5, 10)", "(15, 30)"]


def test_runs_that_differ_otherwise_are_refused(grid, write_run, tmp_path):
    runs, base = grid
    with pytest.raises(
        ValueError, match=r"must share all settings but graph.multiplier and training.seed; .* graph.layer"
    ):
        sensitivity(runs[:8], x="graph.multiplier")
    with pytest.raises(
        ValueError, match=r"`baseline` must share all settings but training.seed; .* graph.neighbors is 0"
    ):
        sensitivity(runs[:4], x="graph.layer", baseline=[base[0], runs[9]])
    other = write_run(tmp_path / "other", 3, {"training.seed": 1, "model.units": 9})
    with pytest.raises(ValueError, match=r"model.units is not set in .*base-0 and 9 in .*other"):
        sensitivity([base[0], other], x="graph.layer")
    again = write_run(tmp_path / "again", 3, {"training.seed": 1})
    with pytest.raises(
        ValueError, match=r"one run for each point and training.seed.*base-1 and .*again, both of seed 1"
    ):
        sensitivity([*base, again], x="graph.layer")


def test_runs_about_other_clips_are_refused(write_run, tmp_path):
    runs = [write_run(tmp_path / corpus, 3, {"training.seed": i}, corpus=corpus) for i, corpus in enumerate("ab")]
    with pytest.raises(ValueError, match=r"about the same clips; .*b lacks 20 clip\(s\) of .*a: own: atest-0.wav"):
        sensitivity(runs, x="graph.layer")
    path = runs[0] / "report" / "predictions.csv"
    save_predictions(load_predictions(path).iloc[:0], path)
    with pytest.raises(ValueError, match=r"at least one clip"):
        sensitivity(runs[:1], x="graph.layer")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"x": "multiplier"}, r"by their full names, .* `sertk recipes 004-cnn-mfcc` lists .* Received: multiplier"),
        ({"x": "model.units"}, r"Received: model.units"),
        ({"x": "training.seed"}, r"training.seed is averaged over.* Received: x='training.seed'"),
        ({"x": "graph.layer", "lines": "graph.layer"}, r"must be settings of their own"),
    ],
)
def test_settings_that_are_none_are_refused(write_run, tmp_path, arguments, words):
    with pytest.raises(ValueError, match=words):
        sensitivity([write_run(tmp_path / "run", 1)], **arguments)


def test_folders_that_can_not_be_used_are_refused(grid, tmp_path):
    runs, base = grid
    with pytest.raises(ValueError, match=r"is a run's folder; choose another one for the picture"):
        sensitivity(runs, runs[0], **GRAPH)
    with pytest.raises(ValueError, match=r"`runs` and `baseline` must hold each run once"):
        sensitivity(runs, baseline=runs[:1], **GRAPH)
    with pytest.raises(ValueError, match=r"`runs` must be a list of at least one run's folder"):
        sensitivity([], x="graph.layer")
    with pytest.raises(FileNotFoundError, match=r"gone: there is no such run folder"):
        sensitivity(base, baseline=[tmp_path / "gone"], x="graph.layer")
