"""`sertk graph`: whose clips are joined, what it says of them, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from sertk.corpora import save_manifest
from sertk.embeddings import load_embeddings, save_embeddings
from sertk.graphs import load_graph

CHECKPOINT = Path(__file__).parents[1] / "models" / "ssl" / "golden" / "checkpoints" / "hubert-ctc-without-masks"


@pytest.fixture
def corpus(tiny_corpus):
    return Path(tiny_corpus["path"][0]).parents[1]


@pytest.fixture
def embedded(tmp_path):
    """What `sertk embed` writes of four clips: two happy ones alike, a sad one between, a fearful one by itself."""
    emotions = ["happy", "happy", "sad", "fear"]
    manifest = pd.DataFrame({"path": [f"/{i}.wav" for i in range(4)], "emotion": emotions, "corpus": "own"})
    arrays = [np.array(row, "float32") for row in ([3, 4], [4, 3], [5, 12], [-7, 0])]
    return save_embeddings(tmp_path / "embedded", manifest, arrays, {"source": "by hand"})


@pytest.fixture
def split(embedded, tmp_path):
    manifest, _ = load_embeddings(embedded)
    save_manifest(manifest.assign(part=["train", "test", "train", "train"]), tmp_path / "split.csv")
    return tmp_path / "split.csv"


def test_a_graph_is_written_and_told(sertk, embedded, tmp_path):
    status, out, _ = sertk("graph", embedded, "-o", tmp_path / "out", "--threshold", "0.9")
    assert status == 0
    lines = [line.split(maxsplit=1) for line in out.splitlines()]
    assert ["clips", "4"] in lines
    assert ["edges", "2, of a similarity over 0.9"] in lines
    assert "neighbours a clip   mean 1.00, median 1, most 2" in out
    assert "isolated clips      1: /3.wav" in out
    assert "label agreement      50.0% (by chance 16.7%) of the edges" in out
    assert ["happy", "66.7% (by chance 33.3%), 2 clips"] in lines
    assert "All clips are in the graph" in out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "graph.npz",
        "graph.png",
        "graph.tsv",
        "statistics.json",
    ]
    told = json.loads((tmp_path / "out" / "statistics.json").read_text())
    assert (told["threshold"], told["max_neighbors"], told["isolated"]["keys"]) == (0.9, 9, ["/3.wav"])
    for name in ("graph.npz", "graph.tsv"):
        graph = load_graph(tmp_path / "out" / name, keys=[f"/{i}.wav" for i in range(4)])
        assert list(zip(graph.sources, graph.targets, strict=True)) == [(0, 1), (0, 2)]


def test_only_training_clips_are_in_the_graph(sertk, embedded, split, tmp_path):
    status, out, _ = sertk("graph", embedded, "-o", tmp_path / "out", "--threshold", "0.9", "--split", split)
    assert status == 0
    assert "All clips" not in out
    graph = load_graph(tmp_path / "out" / "graph.npz")
    assert graph.keys == ("/0.wav", "/2.wav", "/3.wav")
    np.testing.assert_allclose(graph.weights, [63 / 65], rtol=1e-7)


def test_the_threshold_is_chosen_by_degree(sertk, embedded, tmp_path):
    status, out, _ = sertk("graph", embedded, "-o", tmp_path / "out", "--degree", "0.5")
    assert status == 0
    assert "edges               1, of a similarity over 0.96" in out  # 24/25 is the second highest, 63/65 the highest


@pytest.mark.slow
def test_a_checkpoint_and_a_runs_split(sertk, corpus, cache, finished_run, tmp_path):
    arguments = ("-c", f"synthetic={corpus}", "--cache", cache, "--layer", "1", "--degree", "4", "-o", tmp_path / "out")
    status, _, _ = sertk("graph", CHECKPOINT, *arguments, "--run", finished_run.directory)
    assert status == 0
    training = finished_run.split.query("part == 'train'")["path"]
    graph = load_graph(tmp_path / "out" / "graph.npz")
    assert set(graph.keys) == set(training)
    sertk("embed", CHECKPOINT, "-c", f"synthetic={corpus}", "--cache", cache, "--layer", "1", "-o", tmp_path / "all")
    manifest, array = load_embeddings(tmp_path / "all")
    vectors = pd.DataFrame(array, index=manifest["path"]).loc[list(graph.keys)]
    expected = cosine_similarity(vectors.astype("float64"))[graph.sources, graph.targets]
    np.testing.assert_allclose(graph.weights, expected, rtol=1e-6)


def test_a_run_of_another_network_and_the_clips_of_its_split(sertk, cache, finished_run, tmp_path):
    run = finished_run.directory
    status, _, _ = sertk("graph", run, "--run", run, "--cache", cache, "--degree", "3", "-o", tmp_path / "out")
    assert status == 0
    told = json.loads((tmp_path / "out" / "statistics.json").read_text())
    assert told["clips"] == (finished_run.split["part"] == "train").sum()
    assert told["layer"] is None


def test_a_clip_that_can_not_be_decoded_is_left_out_and_listed(sertk, cache, tiny_corpus, tmp_path):
    for number, (path, emotion) in enumerate(zip(tiny_corpus["path"][:6], tiny_corpus["emotion"][:6], strict=True)):
        (tmp_path / "clips" / emotion).mkdir(parents=True, exist_ok=True)
        (tmp_path / "clips" / emotion / f"{number}.wav").symlink_to(path)
    (next((tmp_path / "clips").iterdir()) / "broken.wav").write_text("not audio")
    arguments = ("-c", f"folders={tmp_path / 'clips'}", "--cache", cache, "--degree", "1", "-o", tmp_path / "out")
    status, _, _ = sertk("graph", CHECKPOINT, *arguments, "--skip-bad")
    assert status == 0
    assert len(load_graph(tmp_path / "out" / "graph.npz").keys) == 6
    assert pd.read_csv(tmp_path / "out" / "skipped.csv")["path"].str.endswith("broken.wav").all()


def test_what_has_no_graph_is_told_in_one_line(sertk, one_line, embedded, split, tmp_path):
    def refused(*arguments, of=embedded):
        return sertk("graph", of, "-o", tmp_path / "out", *arguments)

    one_line(refused(), "`threshold` must be below the highest similarity of two clips, 0.969231")
    one_line(refused("--threshold", "0.5", "--degree", "1"), "`threshold` and `degree` both say")
    one_line(refused("--threshold", "1.5"), "`threshold` must be above -1 and below 1. Received: threshold=1.5")
    one_line(refused("--degree", "4"), "`degree` must be above 0 and below 3")
    one_line(refused("--threshold", "0.9", "--neighbors", "0"), "`max_neighbors` must be an integer of at least 1")
    one_line(refused("--layer", "3"), "leave `manifest` (--corpus) and `layer` out. Received: layer=3")
    one_line(refused("--split", split, "--run", tmp_path), "`--split` and `--run` both name a split")
    one_line(refused("--split", tmp_path / "no.csv"), "must name a CSV file that exists")
    one_line(refused("--run", tmp_path), "holds no run")
    one_line(refused(of=CHECKPOINT), "must say which clips to take. Received: neither")
    one_line(refused(of=tmp_path / "nowhere"), "must say which clips to take")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("folder", ["", "graph"])
def test_a_run_and_the_graph_that_it_was_trained_with_are_not_written_over(
    folder, sertk, one_line, write_run, embedded, tmp_path
):
    run = write_run(tmp_path / "run", 0)
    there = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    result = sertk("graph", embedded, "-o", run / folder, "--threshold", "0.9")
    one_line(result, f"{run}: is a run's folder; choose another one for the graph")
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == there


def test_a_split_that_does_not_fit_is_told_in_one_line(sertk, one_line, embedded, split, tmp_path):
    table = pd.read_csv(split)

    def refused(changed):
        changed.to_csv(split, index=False)
        return sertk("graph", embedded, "-o", tmp_path / "out", "--split", split)

    one_line(refused(table.drop(columns="part")), "split.csv: must have a column part")
    one_line(refused(table.assign(part="test")), "split.csv: must have training clips")
    moved = table.assign(path=["/0.wav", "/1.wav", "/elsewhere.wav", "/3.wav"])
    one_line(refused(moved), "Received: 1 of 3 that it lacks, the first /elsewhere.wav")


def test_a_run_that_trained_on_its_validation_part_has_it_in_the_graph(sertk, write_run, embedded, tmp_path):
    run = write_run(tmp_path / "joined", 0, {"training.join_validation": True})
    manifest, _ = load_embeddings(embedded)
    save_manifest(manifest.assign(part=["train", "validation", "train", "test"]), run / "split.csv")
    assert sertk("graph", embedded, "-o", tmp_path / "out", "--threshold", "0.9", "--run", run)[0] == 0
    assert load_graph(tmp_path / "out" / "graph.npz").keys == ("/0.wav", "/1.wav", "/2.wav")


def test_a_cross_validation_has_no_one_split(sertk, one_line, write_run, embedded, tmp_path):
    run = write_run(tmp_path / "folds", [1, 2], folds=["fold-1", "fold-2"])
    one_line(sertk("graph", embedded, "-o", tmp_path / "out", "--run", run), "has a split a fold; choose one", "fold-1")
