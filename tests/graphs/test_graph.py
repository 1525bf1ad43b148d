"""The graph: its edges in one order, each clip's nearest, and what is no graph."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sertk.graphs import Graph

# a - b 0.9, a - c 0.9, b - d 0.95, c - d 0.8; e alone.
KEYS = ("a", "b", "c", "d", "e")
EDGES = {(0, 1): 0.9, (0, 2): 0.9, (1, 3): 0.95, (2, 3): 0.8}


@pytest.fixture
def graph():
    return Graph(KEYS, *np.transpose(list(EDGES)), list(EDGES.values()))


def edges_of(graph):
    return {
        frozenset((graph.keys[source], graph.keys[target])): weight
        for source, target, weight in zip(graph.sources, graph.targets, graph.weights, strict=True)
    }


def test_the_nearest_come_first_and_of_equally_near_ones_the_first_key(graph):
    neighbors, weights = graph.neighbors(3)
    np.testing.assert_array_equal(neighbors, [[1, 2, 0], [3, 0, 1], [0, 3, 2], [1, 2, 3], [4, 4, 4]])
    expected = [[0.9, 0.9, 0], [0.95, 0.9, 0], [0.9, 0.8, 0], [0.95, 0.8, 0], [0, 0, 0]]
    np.testing.assert_array_equal(weights, np.array(expected, "float32"))
    assert (neighbors.dtype, weights.dtype) == ("int32", "float32")


def test_only_as_many_neighbours_as_asked_for(graph):
    neighbors, weights = graph.neighbors(1)
    np.testing.assert_array_equal(neighbors, [[1], [3], [0], [1], [4]])
    np.testing.assert_array_equal(weights[:, 0], np.array([0.9, 0.95, 0.9, 0.95, 0], "float32"))


def test_degrees(graph):
    np.testing.assert_array_equal(graph.degrees, [2, 2, 2, 2, 0])


def test_a_subgraph_has_the_edges_between_its_clips_in_its_own_order(graph):
    part = graph.subgraph(["d", "e", "b", "a"])
    assert part.keys == ("d", "e", "b", "a")
    assert edges_of(part) == {frozenset("bd"): np.float32(0.95), frozenset("ab"): np.float32(0.9)}
    assert (part.sources < part.targets).all()


@given(st.permutations(list(EDGES)), st.lists(st.booleans(), min_size=4, max_size=4))
def test_the_order_and_the_direction_of_edges_mean_nothing(order, turned):
    ends = [pair[::-1] if turn else pair for pair, turn in zip(order, turned, strict=True)]
    graph = Graph(KEYS, *np.transpose(ends), [EDGES[pair] for pair in order])
    np.testing.assert_array_equal(graph.sources, [0, 0, 1, 2])
    np.testing.assert_array_equal(graph.targets, [1, 2, 3, 3])
    np.testing.assert_array_equal(graph.weights, np.array([0.9, 0.9, 0.95, 0.8], "float32"))


def test_a_graph_can_not_be_written_to(graph):
    with pytest.raises(ValueError, match="read-only"):
        graph.weights[0] = 0
    with pytest.raises(AttributeError):
        graph.keys = ()


def test_a_graph_without_an_edge_gives_each_clip_itself():
    graph = Graph(["a", "b"], [], [], [])
    neighbors, weights = graph.neighbors(2)
    np.testing.assert_array_equal(neighbors, [[0, 0], [1, 1]])
    assert not weights.any()


def test_neighbours_are_those_that_nsl_packs(nsl_tools, examples, tmp_path):
    """Sixty clips at random; no two edges of a clip are equally heavy, since NSL breaks ties the other way round."""
    import tensorflow as tf

    from sertk.graphs import save_graph

    random = np.random.default_rng(4)
    keys = [f"clip {number:02}" for number in range(60)]
    pairs = np.transpose(np.triu_indices(60, 1))[random.permutation(1770)[:300]]
    graph = Graph(keys, *pairs.T, random.permutation(300) / 300)
    save_graph(graph, tmp_path / "graph.tsv")
    clips = examples(tmp_path / "clips", np.arange(60.0)[:, None], keys)
    nsl_tools.pack_nbrs(clips, "", str(tmp_path / "graph.tsv"), str(tmp_path / "packed"), max_nbrs=5)
    neighbors, weights = graph.neighbors(5)
    for record in tf.data.TFRecordDataset(str(tmp_path / "packed")):
        features = tf.train.Example.FromString(record.numpy()).features.feature
        clip = keys.index(features["id"].bytes_list.value[0].decode())
        for place in range(features["NL_num_nbrs"].int64_list.value[0]):
            assert features[f"NL_nbr_{place}_id"].bytes_list.value[0].decode() == keys[neighbors[clip, place]]
            assert features[f"NL_nbr_{place}_weight"].float_list.value[0] == weights[clip, place]
        assert not weights[clip, features["NL_num_nbrs"].int64_list.value[0] :].any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keys": "abc"}, "`keys` must be a list of texts, one a clip. Received: the text 'abc'"),
        ({"keys": []}, "`keys` must name at least one clip"),
        ({"keys": ["a", "b", "a"]}, r"`keys` must differ, a clip each.*Received: 'a' more than once"),
        ({"keys": ["a", "b\tc", "d"]}, r"`keys` must be texts without tabs and line ends.*'b\\tc'"),
        ({"keys": ["a", 7, "d"]}, "`keys` must be texts .* Received: 7"),
        ({"keys": ["a", "", "d"]}, "`keys` must be texts .* Received: ''"),
        ({"targets": [1]}, "must be equally long, an edge each. Received: 2, 1 and 2"),
        ({"targets": [1, 3]}, "`targets` must be places in `keys`, from 0 to 2. Received: 3"),
        ({"sources": [0, -1]}, "`sources` must be places in `keys`, from 0 to 2. Received: -1"),
        ({"sources": [0.0, 1.0]}, "`sources` must be integers, an edge each. Received: dtype=float64"),
        ({"targets": [1, 1]}, "Every edge must lead to another clip.* between 'b' and 'b'"),
        ({"sources": [0, 1], "targets": [1, 0]}, "Every edge must be there once.* between 'a' and 'b'"),
        ({"weights": [0.5, np.nan]}, "`weights` must be from -1 to 1. Received: nan"),
        ({"weights": [0.5, 1.01]}, "`weights` must be from -1 to 1. Received: 1.01"),
        ({"weights": ["x", "y"]}, "`weights` must be numbers"),
        ({"weights": [[0.5, 0.5]]}, r"`weights` must be numbers, an edge each. Received: shape=\(1, 2\)"),
    ],
)
def test_what_is_no_graph_is_refused(changes, message):
    good = {"keys": ["a", "b", "c"], "sources": [0, 1], "targets": [1, 2], "weights": [0.5, 0.6]}
    Graph(**good)
    with pytest.raises(ValueError, match=message):
        Graph(**good | changes)


@pytest.mark.parametrize("most", [0, -1, 1.0, True, None])
def test_a_number_of_neighbours_is_a_positive_integer(graph, most):
    with pytest.raises(ValueError, match=r"`most` must be an integer of at least 1\. Received: most="):
        graph.neighbors(most)


def test_a_subgraph_of_clips_that_are_not_there(graph):
    with pytest.raises(ValueError, match=r"`keys` must be of clips in the graph.*Received: 2 others, the first 'x'"):
        graph.subgraph(["a", "x", "y"])
