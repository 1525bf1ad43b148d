"""What is said of a graph: worked out by hand, and drawn as it is said."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from sertk.evaluation import plot_graph_statistics
from sertk.graphs import Graph, graph_statistics

# Two triangles of a corner less, and a clip alone: a-b, b-c, d-e, with f alone.
GRAPH = Graph(list("abcdef"), [0, 1, 3], [1, 2, 4], [0.5, 0.75, 1.0])
LABELS = ["sad", "sad", "happy", "happy", "happy", "fear"]


def test_clips_edges_and_degrees():
    told = graph_statistics(GRAPH)
    assert (told["clips"], told["edges"]) == (6, 3)
    assert told["degree"] == {"mean": 1.0, "median": 1.0, "max": 2, "histogram": [1, 4, 1]}
    assert told["isolated"] == {"count": 1, "keys": ["f"]}
    assert told["components"] == {"count": 3, "largest": 3}
    assert "agreement" not in told


def test_weights_by_quantile():
    """Of 0.5, 0.75 and 1: a quarter of the way lies half-way from the first to the second."""
    weights = graph_statistics(GRAPH)["weights"]
    assert list(weights) == ["0", "0.05", "0.25", "0.5", "0.75", "0.95", "1"]
    assert [weights[share] for share in ("0", "0.25", "0.5", "0.75", "1")] == [0.5, 0.625, 0.75, 0.875, 1]


def test_agreement_and_chance():
    """Three clips are happy, two sad, one fearful: of 6 x 5 ordered pairs 3 x 2 + 2 x 1 share their label, 8 of 30.

    Of the edges a-b and d-e join what is alike, b-c does not. Two happy clips' edges lead to happy ones, one to a sad
    one; from sad clips two lead to sad ones, one to a happy one.
    """
    agreement = graph_statistics(GRAPH, LABELS)["agreement"]
    assert agreement["share"] == pytest.approx(2 / 3)
    assert agreement["chance"] == pytest.approx(8 / 30)
    assert agreement["labels"] == ["fear", "happy", "sad"]
    assert agreement["matrix"] == [[0, 0, 0], [0, 2, 1], [0, 1, 2]]
    by_label = agreement["by_label"]
    assert by_label["happy"] == {"clips": 3, "share": pytest.approx(2 / 3), "chance": pytest.approx(2 / 5)}
    assert by_label["sad"] == {"clips": 2, "share": pytest.approx(2 / 3), "chance": pytest.approx(1 / 5)}
    assert by_label["fear"] == {"clips": 1, "share": None, "chance": 0}


def test_chance_is_what_labels_dealt_out_at_random_come_to():
    """The labels stay, who has which is drawn: the mean over many draws, within four standard errors."""
    random = np.random.default_rng(0)
    told = graph_statistics(GRAPH, LABELS)["agreement"]["chance"]
    drawn = [graph_statistics(GRAPH, random.permutation(LABELS))["agreement"]["share"] for _ in range(2_000)]
    assert np.mean(drawn) == pytest.approx(told, abs=4 * np.std(drawn) / np.sqrt(2_000))


def test_all_is_fit_for_json():
    told = graph_statistics(GRAPH, np.array(LABELS))
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_a_graph_without_an_edge_has_no_shares():
    told = graph_statistics(Graph(["a"], [], [], []), ["sad"])
    assert told["degree"] == {"mean": 0.0, "median": 0.0, "max": 0, "histogram": [1]}
    assert told["weights"] is None
    assert told["components"] == {"count": 1, "largest": 1}
    assert (told["agreement"]["share"], told["agreement"]["chance"]) == (None, None)


@pytest.mark.parametrize(("labels", "told"), [(LABELS[:5], "5, 0"), ([*LABELS[:5], None], "6, 1")])
def test_labels_are_one_a_clip(labels, told):
    with pytest.raises(ValueError, match=rf"`labels` must be one a clip, of 6 clips.*Received: {told} of them missing"):
        graph_statistics(GRAPH, labels)


@pytest.fixture
def figures(monkeypatch):
    """The figures that were saved, as Matplotlib's objects."""
    saved = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *args, **kwargs: (saved.append(self), save(self, *args, **kwargs))
    )
    return saved


def test_the_picture_shows_degrees_and_where_edges_lead(tmp_path, figures):
    path = plot_graph_statistics(graph_statistics(GRAPH, LABELS), tmp_path / "new" / "graph.png")
    assert imread(path).shape[:2] == (900, 2000)
    left, right = figures[0].axes
    assert [bar.get_height() for bar in left.patches] == [1, 4, 1]
    assert [text.get_text() for text in right.texts] == ["–", "–", "–", "0", "67", "33", "0", "33", "67"]
    assert [label.get_text() for label in right.get_yticklabels()] == [
        "fear (chance 0)",
        "happy (chance 40)",
        "sad (chance 20)",
    ]
    title = figures[0].get_suptitle()
    assert title == "6 clips, 3 edges, 67% of them within an emotion, by chance 27%"


@pytest.mark.parametrize("graph", [GRAPH, Graph(["a"], [], [], [])])
def test_without_labels_there_are_degrees_alone(tmp_path, figures, graph):
    path = plot_graph_statistics(graph_statistics(graph), tmp_path / "graph.png")
    assert imread(path).shape[:2] == (900, 1000)
    assert len(figures[0].axes) == 1


def test_a_graph_without_an_edge_is_drawn(tmp_path):
    told = graph_statistics(Graph(["a", "b"], [], [], []), ["sad", "happy"])
    assert imread(plot_graph_statistics(told, tmp_path / "graph.png")).std() > 0
