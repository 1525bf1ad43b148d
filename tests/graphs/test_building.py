"""Building: the edges are those of every pair compared one by one, whatever the blocks, the scale and the ties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import NearestNeighbors

from sertk.graphs import build_graph, graph_statistics, similarities, threshold_for_degree

NAMES = [f"clip {number:03}" for number in range(400)]


def keys(embeddings):
    return NAMES[: len(embeddings)]


def edges_of(graph):
    return set(zip(graph.sources.tolist(), graph.targets.tolist(), strict=True))


def around_centres(clips=300, width=16, seed=0):
    """Embeddings in twelve clouds, so that there are neighbours at any threshold."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((12, width))
    return (centres[random.integers(0, 12, clips)] + 0.2 * random.standard_normal((clips, width))).astype("float32")


def test_four_vectors_by_hand():
    """3-4-5 and 5-12-13 triangles: cosines of 24/25, 63/65, 56/65, and right angles."""
    vectors = [[3, 4, 0], [4, 3, 0], [5, 12, 0], [0, 0, 7]]
    graph = build_graph(vectors, list("abcd"), threshold=0.9, progress=False)
    assert edges_of(graph) == {(0, 1), (0, 2)}
    np.testing.assert_allclose(graph.weights, [24 / 25, 63 / 65], rtol=1e-7)
    complete = build_graph(vectors, list("abcd"), threshold=-0.5, max_neighbors=None, progress=False)
    np.testing.assert_allclose(complete.weights, [24 / 25, 63 / 65, 0, 56 / 65, 0, 0], rtol=1e-7)


def test_what_is_equal_to_the_threshold_is_not_over_it():
    """The cosine of (3, 4) and (0, 1) is 4/5, which neither float32 nor float64 has; both round it alike."""
    vectors = [[3, 4], [0, 1], [4, 3]]
    assert edges_of(build_graph(vectors, list("abc"), threshold=0.7999, progress=False)) == {(0, 1), (0, 2)}
    assert edges_of(build_graph(vectors, list("abc"), threshold=0.8, progress=False)) == {(0, 2)}


@pytest.mark.parametrize("block", [100, 7_000, 1 << 24])
def test_every_pair_over_the_threshold_is_found_whatever_the_blocks(block, monkeypatch):
    monkeypatch.setattr(similarities, "BLOCK", block)
    embeddings = around_centres()
    expected = cosine_similarity(embeddings.astype("float64"))
    graph = build_graph(embeddings, keys(embeddings), threshold=0.9, max_neighbors=None, progress=False)
    rows, columns = np.nonzero(np.triu(expected > 0.9, 1))
    assert edges_of(graph) == set(zip(rows.tolist(), columns.tolist(), strict=True))
    np.testing.assert_allclose(graph.weights, expected[graph.sources, graph.targets], rtol=1e-6)


def test_each_clip_names_its_nearest_as_scikit_learn_finds_them():
    embeddings = around_centres(seed=1)
    found = NearestNeighbors(n_neighbors=5, metric="cosine").fit(embeddings)
    distances, nearest = found.kneighbors()  # of each clip without itself
    expected = {
        tuple(sorted((clip, int(other))))
        for clip in range(len(embeddings))
        for other, distance in zip(nearest[clip], distances[clip], strict=True)
        if 1 - distance > 0.9
    }
    graph = build_graph(embeddings, keys(embeddings), threshold=0.9, max_neighbors=5, progress=False)
    assert edges_of(graph) == expected
    assert graph.degrees.max() > 5  # a clip that many name


@settings(deadline=None, max_examples=60)
@given(
    arrays.arrays("int8", st.tuples(st.integers(2, 14), st.integers(1, 3)), elements=st.integers(-2, 2)),
    st.integers(1, 5),
    st.sampled_from([-0.9, 0.0, 0.5, 0.8, 0.99]),
)
def test_packing_what_is_named_is_packing_the_complete_graph(vectors, most, threshold):
    """Small integers: most similarities are there many times, so ties are the rule."""
    vectors = vectors[vectors.any(axis=1)]
    if len(vectors) < 2:
        return
    try:
        complete = build_graph(vectors, keys(vectors), threshold=threshold, max_neighbors=None, progress=False)
    except ValueError:
        with pytest.raises(ValueError, match="`threshold` must be below the highest similarity"):
            build_graph(vectors, keys(vectors), threshold=threshold, max_neighbors=most, progress=False)
        return
    graph = build_graph(vectors, keys(vectors), threshold=threshold, max_neighbors=most, progress=False)
    assert edges_of(graph) <= edges_of(complete)
    for fewer in range(1, most + 1):
        for one, other in zip(graph.neighbors(fewer), complete.neighbors(fewer), strict=True):
            np.testing.assert_array_equal(one, other)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.lists(st.sampled_from([1e-300, 1e-30, 0.5, 1, 3e20, 1e300]), min_size=20, max_size=20))
def test_how_long_a_vector_is_means_nothing(seed, scales):
    vectors = around_centres(20, 4, seed).astype("float64")
    plain = build_graph(vectors, keys(vectors), threshold=0.5, progress=False)
    scaled = build_graph(vectors * np.array(scales)[:, None], keys(vectors), threshold=0.5, progress=False)
    assert edges_of(scaled) == edges_of(plain)
    np.testing.assert_allclose(scaled.weights, plain.weights, rtol=1e-6)


def test_copies_of_a_clip_are_as_similar_as_can_be():
    """RAVDESS holds a recording twice. A similarity above 1 would be no cosine."""
    embeddings = np.repeat(around_centres(5, 256), 3, axis=0)
    graph = build_graph(embeddings, keys(embeddings), threshold=0.999, progress=False)
    np.testing.assert_array_equal(graph.weights, np.ones(15, "float32"))
    np.testing.assert_array_equal(graph.degrees, np.full(15, 2))


def test_nsls_builder_finds_the_same_edges(nsl_tools, examples, tmp_path):
    from sertk.graphs import load_graph

    embeddings = around_centres(120, seed=2)
    file = examples(tmp_path / "embeddings", embeddings, keys(embeddings))
    nsl_tools.build_graph([file], str(tmp_path / "graph.tsv"), similarity_threshold=0.9)
    theirs = load_graph(tmp_path / "graph.tsv", keys=keys(embeddings))
    ours = build_graph(embeddings, keys(embeddings), threshold=0.9, max_neighbors=None, progress=False)
    assert edges_of(ours) == edges_of(theirs)
    np.testing.assert_allclose(ours.weights, theirs.weights, atol=6e-7)  # NSL writes six decimals


@pytest.mark.parametrize("degree", [0.5, 3, 20, 280])
def test_the_threshold_leaves_clips_the_degree_that_was_asked_for(degree):
    embeddings = around_centres()
    threshold = threshold_for_degree(embeddings, degree, progress=False)
    graph = build_graph(embeddings, keys(embeddings), threshold=threshold, max_neighbors=None, progress=False)
    assert len(graph.weights) == round(300 * degree / 2)
    assert graph_statistics(graph)["degree"]["mean"] == pytest.approx(degree)


def test_the_threshold_is_the_same_whatever_the_blocks(monkeypatch):
    embeddings = around_centres()
    whole = threshold_for_degree(embeddings, 3, progress=False)
    monkeypatch.setattr(similarities, "BLOCK", 1_000)
    assert threshold_for_degree(embeddings, 3, progress=False) == whole
    pairs = cosine_similarity(embeddings.astype("float64"))[np.triu_indices(300, 1)]
    assert whole == pytest.approx(np.sort(pairs)[-451], rel=1e-6)  # 450 edges lie above


def with_row(value, row=3):
    embeddings = around_centres(9).tolist()
    embeddings[row] = value
    return embeddings


@pytest.mark.parametrize(
    ("embeddings", "arguments", "message"),
    [
        (with_row([0.0] * 16), {}, r"clip 003: its embedding must not be all zeros.*Received: 1 such of 9"),
        (with_row([np.nan] + [1.0] * 15), {}, r"clip 003: its embedding must be finite.*Received: 1 such of 9"),
        (with_row([np.inf] + [1.0] * 15), {}, "clip 003: its embedding must be finite"),
        (
            with_row([1.0] * 15),
            {},
            r"clip 003: its embedding must have the width.*shape=\(15,\), the first has \(16,\)",
        ),
        (with_row(["x"] * 16), {}, "`embeddings` must be numbers"),
        (np.zeros((3, 4, 5)), {}, r"`embeddings` must have the shape \(clips, channels\).*shape=\(3, 4, 5\)"),
        (np.zeros((3, 0)), {}, r"`embeddings` must have the shape"),
        (np.zeros(3), {}, r"`embeddings` must have the shape .*shape=\(3,\)"),
        (np.ones((1, 3)), {}, "`embeddings` must be of two clips at least"),
        (np.eye(3), {"keys": ["a", "b"]}, "`keys` must be as many as the embeddings. Received: 2 keys, 3 embeddings"),
        (np.eye(3), {"keys": ["a", "b", "a"]}, "`keys` must differ"),
        (np.eye(3), {"threshold": 1.0}, "`threshold` must be above -1 and below 1. Received: threshold=1.0"),
        (np.eye(3), {"threshold": -1.0}, "`threshold` must be above -1 and below 1"),
        (np.eye(3), {"threshold": np.nan}, "`threshold` must be above -1 and below 1"),
        (np.eye(3), {"max_neighbors": 0}, "`max_neighbors` must be an integer of at least 1"),
        (
            [[3, 4], [4, 3], [-1, 0]],
            {},
            r"`threshold` must be below the highest similarity of two clips, 0\.96;.*`graph\.degree`.*threshold=0\.99",
        ),
    ],
)
def test_what_no_graph_can_be_built_of(embeddings, arguments, message):
    arguments = {"keys": keys(embeddings), "progress": False, **arguments}
    with pytest.raises(ValueError, match=message):
        build_graph(embeddings, **arguments)


def test_more_edges_than_memory_holds_are_refused(monkeypatch):
    monkeypatch.setattr("sertk.graphs.building.MOST_EDGES", 1_000)
    with pytest.raises(ValueError, match=r"`threshold` must leave at most 1,000 pairs .*max_neighbors=None"):
        build_graph(around_centres(), NAMES[:300], threshold=0.5, max_neighbors=None, progress=False)


@pytest.mark.parametrize("degree", [0, -1, 8, 9, np.nan, 0.1])
def test_degrees_that_can_not_be_had(degree):
    with pytest.raises(ValueError, match="`degree` must"):
        threshold_for_degree(around_centres(9), degree, progress=False)


def test_copies_without_end_have_no_threshold():
    with pytest.raises(ValueError, match=r"`degree` must be more: over 3 pairs of clips are alike to the last bit"):
        threshold_for_degree(np.ones((6, 4)), 1, progress=False)
