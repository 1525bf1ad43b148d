"""NSL under TensorFlow of today: imported without a trace, and its distances worked out by hand."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.stats

from sertk.learning import nsl


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_the_import_leaves_tensorflow_as_it_was_and_the_screen_empty():
    code = """
import sys, warnings
import keras, tensorflow
before = set(dir(tensorflow)), "tensorflow.estimator" in sys.modules
sys.stderr.flush()
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    print("<", end="")
    print("<", end="", file=sys.stderr)
    from sertk.learning import nsl
    print(">", end="")
    print(">", end="", file=sys.stderr)
assert not warned, warned
assert before == (set(dir(tensorflow)), False)
assert "tensorflow.estimator" not in sys.modules
assert nsl.configs.make_graph_reg_config(max_neighbors=3).neighbor_config.max_neighbors == 3
"""
    result = run(code)
    assert result.returncode == 0, result.stderr
    assert "<>" in result.stdout
    assert "<>" in result.stderr


def test_it_is_not_imported_before_it_is_used():
    code = "import sys, sertk, sertk.learning; print({'tensorflow', 'neural_structured_learning'} & set(sys.modules))"
    assert run(code).stdout.strip() == "set()"


@pytest.mark.slow
def test_where_it_is_missing_one_sentence_says_how_to_get_it():
    code = """
import sys
sys.modules["neural_structured_learning"] = None
try:
    import sertk.learning.nsl
except ImportError as error:
    print(error)
    print("tensorflow.estimator" in sys.modules)
"""
    assert run(code).stdout.splitlines() == [
        "neural-structured-learning is needed for structured learning; pip install neural-structured-learning",
        "False",
    ]


def test_its_tools_read_and_write_graphs(tmp_path):
    path = str(tmp_path / "graph.tsv")
    nsl.tools.write_tsv_graph(path, {"a": {"b": 0.5}})
    assert nsl.tools.read_tsv_graph(path) == {"a": {"b": 0.5}}


# Two clips with two neighbours each; the weights are 0.5, 0, 1 and 0.25, so three edges count.
CLIPS = np.array([[3, 4], [1, 0]], "float32")
NEIGHBOURS = np.array([[4, 3], [100, -100], [2, 5], [0, -1]], "float32")
WEIGHTS = np.array([[0.5], [0], [1], [0.25]], "float32")


@pytest.mark.parametrize(
    ("distance", "axis", "expected"),
    [
        # |3 - 4| + |4 - 3| = 2, |1 - 2| + |0 - 5| = 6, |1 - 0| + |0 + 1| = 2
        ("l1", -1, (0.5 * 2 + 1 * 6 + 0.25 * 2) / 3),
        ("l1", None, (0.5 * 2 + 1 * 6 + 0.25 * 2) / 6),
        # the squares: 2, 1 + 25 = 26, 2
        ("l2", -1, (0.5 * 2 + 1 * 26 + 0.25 * 2) / 3),
        ("l2", None, (0.5 * 2 + 1 * 26 + 0.25 * 2) / 6),
        # cosines: 24 / 25, 2 / sqrt(29), 0
        ("cosine", -1, (0.5 / 25 + 1 * (1 - 2 / 29**0.5) + 0.25 * 1) / 3),
    ],
)
def test_distances_are_those_worked_out_by_hand(distance, axis, expected):
    config = nsl.configs.DistanceConfig(distance_type=distance, sum_over_axis=axis)
    actual = nsl.pairwise_distance(CLIPS, NEIGHBOURS, WEIGHTS, config)
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


P, Q, R = [0.5, 0.5], [0.25, 0.75], [0.9, 0.1]


def jensen_shannon(p, q):
    mean = (np.array(p) + q) / 2
    return (scipy.stats.entropy(p, mean) + scipy.stats.entropy(q, mean)) / 2


@pytest.mark.parametrize(
    ("distance", "divergence"), [("kl_divergence", scipy.stats.entropy), ("jensen_shannon_divergence", jensen_shannon)]
)
@pytest.mark.parametrize("logits", [False, True])
def test_divergences_are_those_of_scipy(distance, divergence, logits):
    config = nsl.configs.DistanceConfig(
        distance_type=distance, sum_over_axis=-1, transform_fn="softmax" if logits else "none"
    )
    values = np.log([P, Q, R]) + 3 if logits else np.array([P, Q, R])
    actual = nsl.pairwise_distance(values[:1], values[1:], [[0.5], [2.0]], config)
    np.testing.assert_allclose(actual, (0.5 * divergence(P, Q) + 2 * divergence(P, R)) / 2, rtol=1e-5)


@pytest.mark.parametrize("distance", ["l1", "l2", "cosine"])
def test_a_batch_without_edges_is_at_distance_0(distance):
    config = nsl.configs.DistanceConfig(distance_type=distance, sum_over_axis=-1)
    assert nsl.pairwise_distance(CLIPS, NEIGHBOURS, 0 * WEIGHTS, config) == 0


def test_half_precision_is_not_squared():
    """A difference of 300 has a square beyond float16's 65,504."""
    config = nsl.configs.DistanceConfig(distance_type="l2", sum_over_axis=-1)
    clips, neighbours = np.array([[300, 0]], "float16"), np.array([[0, 0]], "float16")
    assert nsl.pairwise_distance(clips, neighbours, [[1.0]], config) == 90_000
