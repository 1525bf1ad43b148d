"""Paper 003's recipes: its table, its settings, and its graph from a trained upstream to a served model."""

import json
import shutil

import numpy as np
import pytest

import sertk
from sertk.audio import read
from sertk.corpora import load, write_synthetic
from sertk.graphs import load_graph
from sertk.inference import Predictor
from sertk.recipes import RECIPES, assemble, get, override
from sertk.recipes.single import predict_part
from sertk.recipes.tell import protocol

# Section 2.1: 14.86 M, 4.96 M and 4.44 M; to the last weight from the layers' table, with 7 classes.
PARAMETERS = {"vgg15": 14_859_335, "resnet9": 4_960_583, "cnn6": 4_439_367}
# Table 3: most neighbours and multiplier.
NSL = {3: 0.01, 6: 0.1, 9: 0.1}


@pytest.mark.parametrize("network", PARAMETERS)
def test_every_row_of_table_3_is_a_recipe(network):
    rows = [name for name in RECIPES if name.startswith(f"003-{network}")]
    assert rows == [
        f"003-{network}",
        *(f"003-{network}-{fusion}" for fusion in ("add", "maximum", "average")),
        *(f"003-{network}-nsl-{most}" for most in NSL),
    ]
    for most, multiplier in NSL.items():
        graph = get(f"003-{network}-nsl-{most}").graph
        assert (graph.neighbors, graph.multiplier, graph.threshold) == (most, multiplier, 0.99)
        assert (graph.layer, graph.distance) == ("fc2", "cosine")


@pytest.mark.parametrize(("network", "count"), PARAMETERS.items())
def test_the_network_has_the_papers_input_and_parameters(network, count):
    """Section 3.2: windows of 512 every 256 and 64 bands give 373 x 64; batches of 16, Adam at 1e-3."""
    recipe = get(f"003-{network}")
    shape = assemble.input_shape(recipe)
    assert shape == (373, 64)
    assert assemble.network(recipe, shape, 7).count_params() == count
    assert (recipe.training.batch_size, recipe.training.epochs, recipe.training.learning_rate) == (16, 50, 1e-3)
    assert assemble.optimizer(recipe, steps=1).epsilon == 1e-8  # published; Keras's own is 1e-7


@pytest.fixture(scope="module")
def upstream(cache, tmp_path_factory):
    """A run of another network on another corpus, whose vectors have 8 channels."""
    corpus = write_synthetic(tmp_path_factory.mktemp("other"), speakers=6, clips=2, seconds=(0.8, 1.2), seed=1)
    changes = {
        "split.fractions": [4, 1, 1],
        "audio.seconds": 1.0,
        "model.width": 2,
        "model.heads": 1,
        "training.members": 1,
        "training.epochs": 4,
    }
    directory = tmp_path_factory.mktemp("upstream") / "run"
    return sertk.train("attentive-mel", load("synthetic", corpus), directory, changes=changes, cache=cache, verbose=0)


@pytest.fixture(scope="module")
def changes(upstream):
    return {
        "split.fractions": [4, 1, 1],
        "audio.seconds": 0.5,
        "upstream.source": str(upstream.directory),
        "graph.degree": 2.0,
        "training.epochs": 1,
        "model.units": 16,
    }


@pytest.fixture(scope="module")
def graph_run(tiny_corpus, cache, changes, tmp_path_factory):
    directory = tmp_path_factory.mktemp("nsl") / "run"
    return sertk.train("003-resnet9-nsl-3", tiny_corpus, directory, changes=changes, cache=cache, verbose=0)


def test_the_graph_of_a_run_is_of_its_training_clips_alone(graph_run, upstream):
    split = graph_run.split
    graph = load_graph(graph_run.path("graph", "graph.npz"))
    assert set(graph.keys) == set(split["path"][split["part"] == "train"])
    statistics = json.loads(graph_run.path("graph", "statistics.json").read_text())
    assert statistics["clips"] == len(graph.keys)
    assert 0 < statistics["degree"]["mean"] <= 2.1
    described = {"source": str(upstream.directory), "layer": None, "pooling": "mean"}
    described |= {"degree_asked_for": 2.0, "max_neighbors": 3}
    assert described.items() <= statistics.items()
    assert statistics["threshold"] < graph.weights.min()
    assert statistics["threshold"] != graph_run.recipe.graph.threshold


def test_its_log_has_the_graph_loss_and_its_model_no_trace_of_a_graph(graph_run, cache, tmp_path):
    assert (graph_run.log["graph_loss"] > 0).all()
    model = graph_run.model()
    assert [layer.name for layer in model.layers] == ["waveform", "fixed_length", "log_mel", "normalization", "resnet9"]
    assert model.count_params() == count_of(graph_run)
    table = predict_part(graph_run, "test", cache)
    sertk.export_saved_model(graph_run, tmp_path / "1")
    predictor = Predictor(tmp_path / "1")
    for _, row in table.iloc[:2].iterrows():
        said = predictor.probabilities(read(row["path"], 16_000))
        np.testing.assert_allclose(said, [row[f"p_{name}"] for name in graph_run.classes], atol=1e-5)


def test_the_report_says_what_was_passed_on(graph_run, upstream, cache):
    sertk.evaluate(graph_run, cache=cache)
    report = (graph_run.directory / "report" / "report.md").read_text()
    assert f"| graph | 3 neighbours at most, 2 a clip on average, embeddings of {upstream.directory} |" in report
    assert "| graph loss | 0.01 times the cosine distance of fc2 |" in report
    assert "| trained on |" not in report
    assert "was trained on other clips of speakers that are measured here" in report  # both corpora have s01 to s06


def count_of(run):
    """The run's network with 65 values a band of 64 in front: mean, variance; and their count."""
    recipe = run.recipe
    network = assemble.network(recipe, assemble.input_shape(recipe), len(run.classes))
    return network.count_params() + 2 * 64 + 1


def test_a_run_that_goes_on_needs_its_upstream_no_more(graph_run, tiny_corpus, cache, changes, tmp_path, monkeypatch):
    """The graph is in its folder."""
    folder = tmp_path / "run"
    shutil.copytree(graph_run.directory, folder)
    (folder / "model.keras").unlink()
    monkeypatch.setattr("sertk.recipes.transfer.passed_on.UpstreamNetwork", lambda *_: pytest.fail("loaded again"))
    again = sertk.train("003-resnet9-nsl-3", tiny_corpus, folder, changes=changes, cache=cache, verbose=0)
    assert len(again.log) == 1
    assert again.finished


def test_a_graph_from_a_file_is_cut_to_the_training_clips(graph_run, tiny_corpus, cache, changes, tmp_path):
    file = graph_run.path("graph", "graph.tsv")
    other = {**changes, "split.seed": 1, "graph.file": str(file), "upstream.source": None}
    run = sertk.train("003-resnet9-nsl-3", tiny_corpus, tmp_path / "run", changes=other, cache=cache, verbose=0)
    graph, given = load_graph(run.path("graph", "graph.npz")), load_graph(graph_run.path("graph", "graph.npz"))
    training = set(run.split["path"][run.split["part"] == "train"])
    assert set(graph.keys) == training
    statistics = json.loads(run.path("graph", "statistics.json").read_text())
    assert (statistics["file"], statistics["max_neighbors"]) == (str(file), 3)
    assert "source" not in statistics
    pairs = [(given.keys[a], given.keys[b]) for a, b in zip(given.sources, given.targets, strict=True)]
    expected = {frozenset(pair) for pair in pairs if set(pair) <= training}
    found = {frozenset((graph.keys[a], graph.keys[b])) for a, b in zip(graph.sources, graph.targets, strict=True)}
    assert found == expected != set()


@pytest.mark.slow
def test_classic_transfer_serves_what_it_was_measured_with(tiny_corpus, cache, changes, tmp_path):
    """The upstream is a part of the served model: it hears the whole clip, the network what is cut of it."""
    run = sertk.train("003-resnet9-add", tiny_corpus, tmp_path / "run", changes=changes, cache=cache, verbose=0)
    table = predict_part(run, "test", cache)
    predictor = Predictor(run.directory)
    for _, row in table.iloc[[0, 5]].iterrows():
        said = predictor.probabilities(read(row["path"], 16_000))
        np.testing.assert_allclose(said, [row[f"p_{name}"] for name in run.classes], atol=1e-5)


@pytest.mark.slow
def test_the_validation_part_trains_too_where_it_is_joined(tiny_corpus, cache, changes, tmp_path):
    """The paper's test figures are of networks trained on both; the graph is of both then. The length may be the
    longest clip's."""
    joined = {**changes, "training.join_validation": True, "audio.seconds": "longest"}
    run = sertk.train("003-resnet9-nsl-3", tiny_corpus, tmp_path / "run", changes=joined, cache=cache, verbose=0)
    split = run.split
    assert set(load_graph(run.path("graph", "graph.npz")).keys) == set(split["path"][split["part"] != "test"])
    assert "val_loss" not in run.log
    with pytest.raises(ValueError, match="was trained on its validation part too"):
        predict_part(run, "validation", cache)
    assert protocol(run, "test")["trained on"] == "train and validation parts"
    longest = max(len(read(path)) for path in tiny_corpus["path"])
    assert run.recipe.audio.seconds == longest / 16_000
    assert run.model().layers[1].samples == longest


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("003-cnn6-nsl-3", {"upstream.source": None}, "`upstream.source` must name the network"),
        ("003-cnn6-add", {"upstream.source": None}, "`upstream.source` must name the network"),
        ("003-cnn6-nsl-3", {"upstream.pooling": "none"}, "`upstream.pooling` must be mean, sum or max"),
        ("003-cnn6-nsl-3", {"graph.multiplier": -0.1}, "`graph.multiplier` must be at least 0"),
        ("003-cnn6-nsl-3", {"graph.neighbors": -1}, "`graph.neighbors` must be at least 0"),
        ("003-cnn6-nsl-3", {"graph.distance": "l3"}, "`graph.distance` must be one of l1, l2, cosine"),
        ("003-cnn6-nsl-3", {"graph.layer": "fc3"}, "`graph.layer` must name one .*fc1, .*fc2.*Received: .*fc3"),
        ("003-cnn6-nsl-3", {"graph.threshold": None, "graph.degree": None}, "`graph.threshold` or `graph.degree`"),
        ("003-cnn6-nsl-3", {"graph.threshold": 1.0, "graph.degree": None}, "`graph.threshold` must be above -1 and"),
        ("003-cnn6-nsl-3", {"graph.threshold": -1.0, "graph.degree": None}, "`graph.threshold` must be above -1 and"),
        ("003-cnn6-nsl-3", {"graph.degree": 0.0}, "`graph.degree` must be above 0. Received: graph.degree=0.0"),
        ("003-cnn6-nsl-3", {"model.attend_over": "batch"}, '`model.attend_over` must be "frames" for a graph'),
        ("003-cnn6-nsl-3", {"adversarial.multiplier": 0.2}, "exclude each other"),
        ("003-cnn6", {"adversarial.multiplier": 0.2, "adversarial.norm": "l7"}, "`adversarial.norm` must be one of"),
        ("003-cnn6", {"audio.seconds": "all"}, "`audio.seconds` must be a number, null or longest"),
        ("003-cnn6-add", {"audio.sample_rate": 8_000}, "`audio.sample_rate` must be .*Received: 8000 and 16000 Hz"),
        ("003-cnn6-add", {"upstream.layer": "fc3"}, "`upstream.layer` must name one .*Received: .*fc3"),
        ("003-cnn6-add", {"model.units": 256}, "must equal `units`.*Received: upstream=16, units=256"),
    ],
)
def test_settings_at_odds_are_told_before_anything_is_trained(
    name, change, message, tiny_corpus, cache, changes, tmp_path
):
    with pytest.raises(ValueError, match=message):
        sertk.train(name, tiny_corpus, tmp_path / "run", changes={**changes, **change}, cache=cache, verbose=0)
    assert not (tmp_path / "run" / "recipe.json").exists()


def test_where_no_graph_could_be_made_the_call_may_be_mended(tiny_corpus, cache, changes, tmp_path):
    """Nothing was trained there, so nothing is lost: the same folder takes the settings that work."""
    strict = {**changes, "graph.degree": None, "graph.threshold": 0.9999999}
    for wrong, message in (
        (strict, "`graph.threshold` must be below the highest similarity"),
        ({**changes, "graph.degree": 1e3}, "`graph.degree` must be above 0 and below [0-9]+, the number of a clip's"),
        ({**changes, "upstream.layer": "fc3"}, "`upstream.layer` must name one layer"),
        ({**strict, "graph.layer": "fc3"}, "`graph.layer` must name one layer"),  # before the graph is looked for
    ):
        with pytest.raises(ValueError, match=message):
            sertk.train("003-resnet9-nsl-3", tiny_corpus, tmp_path / "run", changes=wrong, cache=cache, verbose=0)
    run = sertk.train("003-resnet9-nsl-3", tiny_corpus, tmp_path / "run", changes=changes, cache=cache, verbose=0)
    assert run.finished
    assert run.recipe.graph.degree == 2.0
    with pytest.raises(ValueError, match="holds a run with other settings"):
        sertk.train("003-resnet9-nsl-3", tiny_corpus, tmp_path / "run", changes=strict, cache=cache, verbose=0)


def test_a_graph_of_other_clips_is_refused(graph_run, tiny_corpus, cache, changes, tmp_path):
    lines = graph_run.path("graph", "graph.tsv").read_text().splitlines()
    first = lines[0].split("\t")
    (tmp_path / "graph.tsv").write_text("\n".join([*lines, "\t".join(["elsewhere.wav", first[1], "0.995"])]) + "\n")
    foreign = {**changes, "graph.file": str(tmp_path / "graph.tsv")}
    with pytest.raises(ValueError, match=r"graph.tsv: must be a graph of clips in the manifest.*elsewhere.wav"):
        sertk.train("003-resnet9-nsl-3", tiny_corpus, tmp_path / "run", changes=foreign, cache=cache, verbose=0)


def test_older_recipes_have_no_upstream_and_no_graph():
    """What a run of an earlier version wrote is read as it was meant."""
    recipe = get("004-cnn-mfcc")
    old = {key: value for key, value in recipe.to_dict().items() if key not in ("upstream", "graph", "adversarial")}
    assert type(recipe).from_dict(old) == override(recipe, {})
