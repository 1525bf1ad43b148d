"""Encoders that learnt without emotions, judged by a linear classifier, alone and in a search."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, recall_score
from sklearn.preprocessing import StandardScaler

import sertk
from sertk.recipes import embed_corpus
from sertk.tuning import linear_evaluation, tune

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def pretrained(tiny_corpus, small_simclr, cache, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "simclr"
    return sertk.train("000-cnn6-simclr", tiny_corpus, folder, changes=small_simclr, cache=cache, verbose=0)


def test_the_classifier_hears_the_encoder_and_the_validation_part_alone(pretrained, cache, tmp_path):
    """The same vectors from `sertk embed`, the same classifier by hand."""
    parts, vectors = {}, {}
    for part in ("train", "validation"):
        clips = pretrained.split[pretrained.split["part"] == part].reset_index(drop=True)
        parts[part], arrays = embed_corpus(
            str(pretrained.directory), clips, tmp_path / part, cache=cache, progress=False
        )
        vectors[part] = np.stack(arrays)
    scaler = StandardScaler().fit(vectors["train"])
    classifier = LogisticRegression(max_iter=1000)
    classifier.fit(scaler.transform(vectors["train"]), parts["train"]["emotion"].astype(str))
    said = classifier.predict(scaler.transform(vectors["validation"]))
    there = parts["validation"]["emotion"].astype(str)
    told = linear_evaluation(pretrained, cache=cache)
    assert told["val_linear_accuracy"] == pytest.approx(accuracy_score(there, said), abs=1.5 / len(there))
    assert told["val_linear_uar"] == pytest.approx(recall_score(there, said, average="macro"), abs=0.1)


def test_a_corpus_without_emotions_can_not_be_judged(pretrained, cache, monkeypatch):
    nameless = pretrained.split.assign(emotion="unlabelled")
    monkeypatch.setattr(type(pretrained), "split", property(lambda self: nameless))
    with pytest.raises(ValueError, match=r"clips of two emotions are needed.*Received: 0 emotions"):
        linear_evaluation(pretrained, cache=cache)


@pytest.mark.slow
def test_temperature_and_augmentation_are_searched_by_it(tiny_corpus, small_simclr, cache, tmp_path):
    found = tune(
        "simclr",
        tiny_corpus,
        tmp_path / "search",
        recipe="000-cnn6-simclr",
        method="random",
        trials=2,
        changes={name: value for name, value in small_simclr.items() if name != "split.kind"},
        cache=cache,
        verbose=0,
    )
    table = found.results
    assert list(table["status"]) == ["completed"] * 2
    assert list(table["score"]) == list(table["val_linear_accuracy"])
    assert {"val_contrastive_accuracy", "contrastive.temperature", "augmentation.tri_mix"} <= set(table)
    best = table.loc[table["score"].idxmax()]
    assert found.best["contrastive.temperature"] == pytest.approx(best["contrastive.temperature"])
    assert found.best["split.kind"] == "speaker"
