"""An ensemble beside its members: the figures, the picture, and the sentence that says whether it is better."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from sklearn.metrics import balanced_accuracy_score

from sertk.evaluation import compare, metrics, plot_members, predictions_table, verdict, vote

CLASSES = ["happy", "sad"]
NAMES = ["a", "b", "c"]


def member(wrong, clips=40):
    """A model that takes these clips for the other class; clip i is of speaker i modulo 4 and sad if i is even."""
    emotions = ["sad" if i % 2 == 0 else "happy" for i in range(clips)]
    manifest = pd.DataFrame(
        {
            "path": [f"{i}.wav" for i in range(clips)],
            "emotion": emotions,
            "speaker": [str(i % 4) for i in range(clips)],
            "corpus": "own",
        }
    )
    sad = [0.9 if (emotion == "sad") != (i in wrong) else 0.1 for i, emotion in enumerate(emotions)]
    return predictions_table(manifest, [[1 - p, p] for p in sad], CLASSES)


@pytest.fixture
def tables():
    """Each is wrong on clips of its own, so that the vote is right on all but one."""
    return [member({0, 1, 2, 3}), member({0, 5, 6, 7, 8}), member({9, 10, 11, 12, 13, 14})]


def test_figures_and_intervals_are_those_of_each_table(tables):
    table, test = compare(vote(tables), tables, NAMES, best=0)
    assert table["name"].tolist() == ["ensemble", *NAMES]
    assert table["accuracy"].tolist() == [39 / 40, 36 / 40, 35 / 40, 34 / 40]
    assert table["accuracy_difference"].tolist() == pytest.approx([3 / 40, 0, -1 / 40, -2 / 40])
    uar = [balanced_accuracy_score(each["emotion"], each["predicted"]) for each in tables]
    assert table["uar"].tolist()[1:] == pytest.approx(uar)
    assert table["uar_difference"].tolist()[1:] == pytest.approx(np.array(uar) - uar[0])
    low, high = metrics(tables[1])["interval"]["accuracy"]
    assert (table["accuracy_low"][2], table["accuracy_high"][2]) == (low, high)
    assert table["best"].tolist() == [False, True, False, False]
    # Right alone on 1, 2 and 3, wrong alone on none: 2 / 2^3.
    assert (test["only_first"], test["only_second"], test["p"]) == (3, 0, pytest.approx(0.25))


def test_a_member_may_not_be_called_ensemble(tables):
    with pytest.raises(ValueError, match=r'`names` must not hold "ensemble"'):
        compare(vote(tables), tables, ["a", "ensemble", "c"], best=0)


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (
            {"clips": 288, "only_first": 15, "only_second": 4, "exact": True, "p": 0.0192},
            "Of 288 clips the ensemble alone is right on 15, the best member, a, alone on 4. McNemar's test, exact: "
            "p = 0.019, below 0.05: the ensemble beats its best member.",
        ),
        ({"clips": 9, "only_first": 4, "only_second": 15, "exact": False, "p": 1e-5}, "p = 1.0e-05, below 0.05: the "),
        ({"clips": 9, "only_first": 4, "only_second": 15, "exact": False, "p": 0.04}, "the ensemble is worse than its"),
        ({"clips": 9, "only_first": 2, "only_second": 1, "exact": True, "p": 1.0}, "is not shown to differ"),
    ],
)
def test_the_verdict_is_mcnemars(test, words):
    assert words in verdict(test, "a")


@pytest.mark.parametrize("name", ["a", "x_$^{$_" * 12])
def test_the_picture_shows_each_member_with_its_interval(tables, tmp_path, monkeypatch, name):
    saved = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *args, **kwargs: (saved.append(self), save(self, *args, **kwargs))
    )
    table, _ = compare(vote(tables), tables, [name, "b", "c"], best=0)
    path = plot_members(table, tmp_path / "new" / "members.png")
    assert imread(path).shape[:2] == (640, 1500)
    axes = saved[0].axes[0]
    widths = [bar.get_width() for bar in axes.patches]
    assert widths == [*table["accuracy"], *table["uar"]]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[0] == "ensemble"
    assert labels[1].endswith(" (best)")
    assert max(map(len, labels)) <= 47
    bars = axes.containers[1].errorbar.lines[2][0].get_segments()  # of the accuracies
    assert bars[0][:, 0] == pytest.approx([table["accuracy_low"][0], table["accuracy_high"][0]])


def test_a_single_speaker_has_no_interval_and_still_a_picture(tables, tmp_path):
    alone = [table.assign(speaker="1") for table in tables]
    table, _ = compare(vote(alone), alone, NAMES, best=0)
    assert table["accuracy_low"].isna().all()
    assert plot_members(table, tmp_path / "members.png").is_file()
