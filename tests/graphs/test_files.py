"""Graphs as files: they come back to the last bit, NSL reads ours and we read NSL's, and what is damaged is told."""

import json
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sertk.graphs import Graph, files, load_graph, save_graph

GRAPH = Graph(
    ["b/1.wav", "a è 日本.wav", "alone.wav", "c,\"'# .wav"], [0, 0, 1], [1, 3, 3], [1 / 3, 0.99999994, -0.0078125]
)


def assert_same(one, other):
    assert one.keys == other.keys
    for name in ("sources", "targets", "weights"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert getattr(one, name).dtype == getattr(other, name).dtype


@pytest.mark.parametrize("name", ["graph.tsv", "graph.npz", "GRAPH.TSV"])
def test_a_graph_comes_back_to_the_last_bit(tmp_path, name):
    path = save_graph(GRAPH, tmp_path / "new" / name)
    assert_same(load_graph(path, keys=GRAPH.keys), GRAPH)
    assert [file.name for file in path.parent.iterdir()] == [name]


texts = st.text(st.characters(exclude_characters="\t\n\r\0", exclude_categories=["Cs"]), min_size=1, max_size=9)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(texts, min_size=2, max_size=6, unique=True), st.floats(-1, 1, width=32), st.sampled_from(["tsv", "npz"])
)
def test_any_name_and_any_weight_come_back(tmp_path, keys, weight, ending):
    graph = Graph(keys, [0], [len(keys) - 1], [weight])
    assert_same(load_graph(save_graph(graph, tmp_path / f"graph.{ending}"), keys=keys), graph)


def test_arrays_keep_isolated_clips_and_a_table_does_not(tmp_path):
    assert_same(load_graph(save_graph(GRAPH, tmp_path / "graph.npz")), GRAPH)
    table = load_graph(save_graph(GRAPH, tmp_path / "graph.tsv"))
    assert table.keys == tuple(sorted(set(GRAPH.keys) - {"alone.wav"}))


@pytest.mark.parametrize("ending", ["tsv", "npz"])
def test_a_graph_is_read_in_the_order_of_the_clips_at_hand(tmp_path, ending):
    keys = ["new.wav", *reversed(GRAPH.keys)]
    graph = load_graph(save_graph(GRAPH, tmp_path / f"graph.{ending}"), keys=keys)
    assert graph.keys == tuple(keys)
    assert_same(graph.subgraph(GRAPH.keys), GRAPH)


def test_nsl_reads_our_table(tmp_path, nsl_tools):
    path = save_graph(GRAPH, tmp_path / "graph.tsv")
    first, second, _, last = GRAPH.keys
    third, most, least = (float(weight) for weight in GRAPH.weights)
    read = nsl_tools.read_tsv_graph(str(path))
    assert {key: dict(pairs) for key, pairs in read.items()} == {
        first: {second: pytest.approx(third, rel=1e-8), last: pytest.approx(most, rel=1e-8)},
        second: {first: pytest.approx(third, rel=1e-8), last: least},
        last: {first: pytest.approx(most, rel=1e-8), second: least},
    }


def test_we_read_the_table_that_nsl_writes(tmp_path, nsl_tools):
    path = tmp_path / "graph.tsv"
    nsl_tools.write_tsv_graph(str(path), {"A": {"B": 0.5, "C": 0.9}, "B": {"A": 0.5, "C": 1.0}, "C": {"D": 0.8}})
    expected = Graph(list("ABCD"), [0, 0, 1, 2], [1, 2, 2, 3], [0.5, 0.9, 1, 0.8])
    assert_same(load_graph(path), expected)


def test_a_table_without_weights_has_the_weight_one(tmp_path):
    (tmp_path / "graph.tsv").write_bytes(b"b\ta\r\nb\tc\r\n")
    assert_same(load_graph(tmp_path / "graph.tsv"), Graph(list("abc"), [0, 1], [1, 2], [1, 1]))


def test_a_table_without_an_edge_is_a_graph_of_the_clips_at_hand(tmp_path):
    path = save_graph(Graph(["a", "b"], [], [], []), tmp_path / "graph.tsv")
    assert_same(load_graph(path, keys=["a", "b"]), Graph(["a", "b"], [], [], []))
    with pytest.raises(ValueError, match=r"graph\.tsv: must hold at least one edge, or its clips be given as `keys`"):
        load_graph(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tb\t0.9\na b 0.9\n", r"line 2 must be source, target and weight .*Received: 'a b 0\.9'"),
        ("a\tb\t0.9\t1\n", "line 1 must be source, target and weight"),
        ("a\tb\t0.9\n\nc\td\t0.9\n", "line 2 must be source, target and weight .*Received: ''"),
        ("a\t\t0.9\n", "line 1 must be source, target and weight"),
        ("a\tb\0\t0.9\n", "line 1 must be source, target and weight"),
        ("source\ttarget\tweight\n", "line 1 must have a weight from -1 to 1. Received: 'weight'"),
        ("a\tb\tnan\n", "line 1 must have a weight from -1 to 1. Received: 'nan'"),
        ("a\tb\tinf\n", "line 1 must have a weight from -1 to 1. Received: 'inf'"),
        ("a\tb\t1.5\n", r"line 1 must have a weight from -1 to 1. Received: '1\.5'"),
        ("a\tb\t0.9\nc\tc\t1\n", "line 2 must lead to another clip; take it out. Received: 'c' twice"),
        (
            "a\tb\t0.9\nb\ta\t0.8\n",
            r"line 2 gives an edge another weight .*Received: 0\.8 and 0\.9 between 'a' and 'b'",
        ),
        (b"a\xff\tb\t0.9\n", "must be a table of text in UTF-8"),
        ("x" * 10_000 + "\n", "Received: 'x{80}'$"),
    ],
)
def test_a_table_that_is_none_is_told_by_file_and_line(tmp_path, text, message):
    path = tmp_path / "graph.tsv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=rf"graph\.tsv: {message}" if message[0] != "R" else message) as told:
        load_graph(path)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("ending", "where"), [("tsv", "line 3 names a clip that is not in"), ("npz", "must be of clips")]
)
def test_clips_that_are_not_at_hand_are_told(tmp_path, ending, where):
    path = save_graph(GRAPH, tmp_path / f"graph.{ending}")
    with pytest.raises(ValueError, match=rf"graph\.{ending}: {where}.* `keys`.*Received: .*c,"):
        load_graph(path, keys=GRAPH.keys[:3])


def arrays(**changes):
    return {name: np.asarray(getattr(GRAPH, name)) for name in files.ARRAYS} | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"targets": np.array([1, 4, 3])}, "`targets` must be places in `keys`, from 0 to 3. Received: 4"),
        ({"sources": np.array([0, 0, 3])}, "Every edge must lead to another clip"),
        ({"targets": np.array([1, 1, 3])}, "Every edge must be there once"),
        ({"weights": np.array([0.1, np.nan, 0.2])}, "`weights` must be from -1 to 1. Received: nan"),
        ({"weights": np.array([1, 0, 1])}, "weights of int64"),
        ({"weights": np.array([1j, 0, 1])}, "weights of complex128"),
        ({"sources": np.array([0.0, 0, 1])}, "`sources` must be integers"),
        ({"keys": np.array([1, 2, 3, 4])}, "keys of int64"),
        ({"keys": np.array(["a", "b", "a", "d"])}, "`keys` must differ"),
        ({"keys": np.array(list("abcd"), object)}, "Object arrays cannot be loaded"),
    ],
)
def test_arrays_that_are_no_graph_are_told_by_file(tmp_path, changes, message):
    np.savez(tmp_path / "graph.npz", **arrays(**changes))
    with pytest.raises(ValueError, match=rf"graph\.npz: is no sound graph; build it again. Received: .*{message}"):
        load_graph(tmp_path / "graph.npz")


def test_an_array_that_is_missing_is_told(tmp_path):
    np.savez(tmp_path / "graph.npz", keys=np.array(["a"]))
    with pytest.raises(ValueError, match=r"must hold the arrays keys, sources, targets, weights. Received: .*sources"):
        load_graph(tmp_path / "graph.npz")


def test_an_archive_that_places_its_arrays_before_the_file_is_one_line(tmp_path):
    """The operating system refuses to go there; found by the test below."""
    path = tmp_path / "graph.npz"
    save_graph(GRAPH, path)
    data = bytearray(path.read_bytes())
    # The end record's last fields: where the list of members begins, 4 bytes, and the length of a comment, 2.
    begins = int.from_bytes(data[-6:-2], "little")
    data[-6:-2] = (begins + 100_000).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(ValueError, match=f"{path}: is no sound graph; build it again"):
        load_graph(path)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_is_a_graph_or_one_line(tmp_path, data):
    """Bytes of a sound file changed or cut off, anywhere."""
    path = save_graph(GRAPH, tmp_path / "graph.npz")
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.sampled_from([len(content), len(content) // 2, 10]))])
    try:
        load_graph(path)
    except ValueError as error:
        assert str(error).startswith(f"{path}: ")  # noqa: PT017  (no error is as good)


def test_a_small_file_that_claims_to_be_huge_is_not_unpacked(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "graph.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("keys.npy", bytes(20_000_000))
    assert (tmp_path / "graph.npz").stat().st_size < 50_000
    monkeypatch.setattr(files, "MOST_BYTES", 10_000_000)
    monkeypatch.setattr(np, "load", lambda *_, **__: pytest.fail("unpacked"))
    with pytest.raises(ValueError, match="Received: 20,000,000 bytes; 10,000,000 are read at most"):
        load_graph(tmp_path / "graph.npz")


def test_an_array_that_claims_more_than_there_is_takes_no_memory(tmp_path):
    """A header of 4 billion clips over nothing."""
    header = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little")
    header += json.dumps({"descr": "<U200", "fortran_order": False, "shape": "?"}).encode()
    header = header.replace(b"false", b"False").replace(b'"?"', b"(4000000000,)").ljust(127) + b"\n"
    with zipfile.ZipFile(tmp_path / "graph.npz", "w") as archive:
        for name in files.ARRAYS:
            archive.writestr(f"{name}.npy", header)
    with pytest.raises(ValueError, match="is no sound graph; build it again"):
        load_graph(tmp_path / "graph.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"hello", b"\x80\x04K\x01."])
def test_what_is_no_archive_is_told(tmp_path, content):
    (tmp_path / "graph.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"graph\.npz: is no sound graph"):
        load_graph(tmp_path / "graph.npz")


def test_other_endings_and_missing_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.tsv or \.npz"):
        save_graph(GRAPH, tmp_path / "graph.csv")
    with pytest.raises(ValueError, match=r"must end in \.tsv or \.npz"):
        load_graph(tmp_path / "graph")
    with pytest.raises(FileNotFoundError, match=r"graph\.tsv: there is no such file"):
        load_graph(tmp_path / "graph.tsv")
    assert not list(tmp_path.iterdir())
