"""The frozen network that a recipe builds on: that it can't know what is measured, and is looked for at the door."""

import json
from unittest import mock

import pytest

import sertk
from sertk.audio import FixedLength
from sertk.corpora import save_manifest
from sertk.embeddings import embedder
from sertk.features import LogMelSpectrogram
from sertk.models import cnn6, from_waveform, ssl_classifier, ssl_encoder
from sertk.models.ssl.hearing import shortest_clip
from sertk.recipes import Run, assemble, get, learner, override
from sertk.recipes.tell import notes
from sertk.recipes.transfer.embedded import embedding_model
from sertk.recipes.transfer.passed_on import PassedOn
from sertk.recipes.transfer.upstream import check_unheard, knows_speakers

SPEAKERS = {"split.kind": "speaker", "split.fractions": [0.5, 0.25, 0.25]}
KNOWN = "must not have been trained on what this network is measured on"


def graph_recipe(run, **changes):
    return override(get("003-cnn6-nsl-3"), {"upstream.source": str(run.directory), **changes})


def written(directory, split, recipe):
    """A run as far as its settings and its split go."""
    directory.mkdir()
    about = {"recipe": recipe.to_dict(), "classes": sorted(set(split["emotion"])), "corpora": ["own"], "command": "-"}
    (directory / "recipe.json").write_text(json.dumps(about))
    save_manifest(split, directory / "split.csv")
    return Run(directory)


@pytest.mark.parametrize(
    ("name", "setting", "changes"),
    [
        ("003-cnn6-nsl-3", "upstream.source", {**SPEAKERS, "split.seed": 1, "audio.seconds": 0.5}),
        ("ssl-linear", "features.source", {"split.kind": "speaker-k-fold", "split.k": 3, "features.layer": None}),
    ],
)
def test_a_network_that_knows_measured_clips_is_told_before_there_is_a_run(
    name, setting, changes, finished_run, tiny_corpus, cache, tmp_path
):
    """Of 6 speakers it was trained on 3 and chosen on another; two of those are in other parts here."""
    changes = {**changes, setting: str(finished_run.directory)}
    with pytest.raises(ValueError, match=f"`{setting}` {KNOWN}.*Received: {finished_run.directory}, trained on "):
        sertk.train(name, tiny_corpus, tmp_path / "run", changes=changes, cache=cache, verbose=0)
    assert not list((tmp_path / "run").rglob("recipe.json"))


def test_a_network_may_be_the_upstream_on_its_own_split(finished_run):
    """It was trained and chosen on the same clips as the next network will be; no test clip is known."""
    split = finished_run.split
    check_unheard(graph_recipe(finished_run), [split])
    exchanged = {"train": "validation", "validation": "test", "test": "train"}
    count = {part: int((split["part"] == part).sum()) for part in exchanged}
    known, measured = count["train"] + count["validation"], count["train"] + count["validation"]
    other = split.assign(part=split["part"].map(exchanged))
    for name in ("003-cnn6-nsl-3", "003-cnn6-add"):
        recipe = override(get(name), {"upstream.source": str(finished_run.directory)})
        with pytest.raises(ValueError, match=rf"{KNOWN}.* trained on {known} of {measured} such clips"):
            check_unheard(recipe, [other])
        joined = override(recipe, {"training.join_validation": True})
        with pytest.raises(ValueError, match=rf"{KNOWN}.* trained on {count['validation']} of {count['validation']}"):
            check_unheard(joined, [other])
    check_unheard(graph_recipe(finished_run, **{"graph.file": "graph.npz"}), [other])
    check_unheard(override(get("003-cnn6"), {"upstream.source": str(finished_run.directory)}), [other])


def test_one_fold_of_several_and_a_link_are_enough(finished_run, tmp_path):
    split = finished_run.split
    (tmp_path / "link.wav").symlink_to(split["path"][split["part"] == "train"].iloc[0])
    unknown = split[split["part"] == "test"]
    known = unknown.assign(path=[str(tmp_path / "link.wav"), *unknown["path"].iloc[1:]])
    check_unheard(graph_recipe(finished_run), [unknown, unknown])
    with pytest.raises(ValueError, match=rf"trained on 1 of {len(unknown)} such clips, the first .*link\.wav"):
        check_unheard(graph_recipe(finished_run), [unknown, known])


def test_what_a_network_was_built_on_is_known_to_it_too(finished_run, tmp_path):
    split = finished_run.split
    probe = override(get("ssl-linear"), {"features.source": str(finished_run.directory)})
    test = split[split["part"] == "test"]
    upstream = written(tmp_path / "probe", test.assign(part="train"), probe)
    for part in ("test", "train"):
        with pytest.raises(ValueError, match=KNOWN):
            check_unheard(graph_recipe(upstream), [split[split["part"] == part].assign(part="test")])


def test_a_report_says_that_speakers_are_known(finished_run, tmp_path):
    """The upstream has every other clip; those of the target are of the same speakers, or of two that it has not."""
    split = finished_run.split
    every_other = split.iloc[::2].assign(part="train")
    upstream = written(tmp_path / "upstream", every_other, finished_run.recipe)
    sentence = "trained on other clips of speakers that are measured here"
    target = split.iloc[1::2]
    assert sentence in " ".join(notes(written(tmp_path / "same", target, graph_recipe(upstream))))
    assert sentence not in " ".join(notes(written(tmp_path / "none", target, get("003-cnn6"))))
    others = target.assign(speaker=target["speaker"].astype(str) + " of elsewhere")
    assert sentence not in " ".join(notes(written(tmp_path / "others", others, graph_recipe(upstream))))


def test_stages_on_one_split_of_speakers_know_none_that_is_measured(finished_run, tmp_path):
    """The same speakers choose the epoch of both; to be tested on them would be another thing."""
    assert set(finished_run.split["part"]) == {"train", "validation", "test"}
    assert not knows_speakers(graph_recipe(finished_run), finished_run.split)
    exchanged = {"train": "train", "validation": "test", "test": "validation"}
    split = finished_run.split.assign(part=finished_run.split["part"].map(exchanged))
    assert knows_speakers(graph_recipe(finished_run), split)


@pytest.mark.parametrize("source", ["runs/upstraem", "runs", "runs/more/than/a/name"])
def test_what_is_neither_a_run_nor_a_checkpoint_is_no_upstream(source, tmp_path, monkeypatch):
    """A slip of the pen in a run's name looks like a name on the hub."""
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.model_info", mock.Mock(side_effect=OSError("no network")))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    message = f"^{source}: is no run, which would have a recipe.json, and no checkpoint: {source}.*there is no such"
    recipe = override(get("003-cnn6-nsl-3"), {"upstream.source": source})
    with pytest.raises((ConnectionError, FileNotFoundError), match=message):
        learner.check(recipe, 7)
    with pytest.raises((ConnectionError, FileNotFoundError), match=message):
        embedding_model(source)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"graph.file": "nowhere/graph.npz"}, "nowhere/graph.npz: there is no such file; `graph.file` must name"),
        ({"upstream.source": "nowhere/at/all"}, "nowhere/at/all: there is no such folder"),
    ],
)
def test_what_a_graph_is_to_be_made_of_must_be_there(changes, message):
    with pytest.raises(FileNotFoundError, match=message):
        learner.check(override(get("003-cnn6-nsl-3"), changes), 7)


def test_an_upstream_must_be_trained_to_its_end(finished_run, tmp_path):
    upstream = written(tmp_path / "upstream", finished_run.split, finished_run.recipe)
    with pytest.raises(ValueError, match=r"upstream: training has not ended"):
        learner.check(graph_recipe(upstream), 7)


def test_a_folder_of_embeddings_is_no_upstream(tmp_path):
    (tmp_path / "embeddings.json").write_text("{}")
    recipe = override(get("003-cnn6-nsl-3"), {"upstream.source": str(tmp_path)})
    with pytest.raises(ValueError, match=r"`upstream.source` must name a network.*`sertk graph`.*graph\.file"):
        assemble.check_settings(recipe)


def test_a_graphs_layer_is_looked_for_in_networks_of_every_kind(finished_run, tiny_encoder):
    graph = {"graph.neighbors": 3, "graph.layer": "nowhere", "upstream.source": str(finished_run.directory)}
    on_waveforms = override(get("003-upstream"), {**graph, "model.backbone": tiny_encoder, "model.weights": None})
    on_embeddings = {**graph, "features.source": str(finished_run.directory), "features.layer": None}
    for recipe, known in ((on_waveforms, "embedding"), (override(get("ssl-mlp"), on_embeddings), "logits")):
        with pytest.raises(ValueError, match=f"{known}.*Received: .*nowhere"):
            learner.check(recipe, 7)
        learner.check(override(recipe, {"graph.layer": known}), 7)


@pytest.mark.parametrize("distance", ["kl_divergence", "jensen_shannon_divergence", "cosine"])
def test_divergences_are_between_probabilities(distance):
    """Of fc1 and fc2 they are taken behind a softmax, of probabilities as they are."""
    network = cnn6((32, 32), 7)
    for layer in ("fc1", "fc2", "probabilities", None):
        recipe = override(get("003-cnn6-nsl-3"), {"graph.distance": distance, "graph.layer": layer})
        transform = PassedOn(recipe).regularized(network).config.distance_config.transform_fn.value
        assert transform == ("softmax" if layer in ("fc1", "fc2") and distance != "cosine" else "none")


def test_a_fused_model_hears_no_clip_that_its_upstream_does_not(tiny_encoder):
    """wav2vec 2.0's convolutions hear 400 samples; behind a fixed length there are always as many."""
    encoder, cutting = ssl_encoder(tiny_encoder), FixedLength(16_000)
    log_mel = LogMelSpectrogram(n_mels=32)
    network = cnn6((32, 32), 7, fusion="add", units=16, upstream=16)
    assert shortest_clip(from_waveform(network, log_mel, fixed_length=cutting, embedder=embedder(encoder))) == 400
    alone = ssl_classifier((16_000,), 7, backbone=tiny_encoder, weights=None)
    assert shortest_clip(from_waveform(alone, fixed_length=cutting)) == 1
    assert shortest_clip(alone) == 400
