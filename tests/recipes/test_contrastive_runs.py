"""Runs that learn without emotions, and what begins with them: classifiers, probes, students."""

import keras
import numpy as np
import pandas as pd
import pytest

import sertk
from sertk.learning import RunLog
from sertk.models import encoder
from sertk.models.projection_head import encoder_and_head
from sertk.recipes import embed_corpus, get, learner, override
from sertk.recipes.assemble import input_shape
from sertk.recipes.few_labels import UNLABELLED

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def trained(tiny_corpus, small_simclr, cache, tmp_path_factory):
    """A function that trains one of paper 000's recipes on the tiny corpus, and gives the run."""
    folder = tmp_path_factory.mktemp("runs")

    def train(stage, name, changes=None, corpus=tiny_corpus):
        changes = {**small_simclr, **(changes or {})}
        return sertk.train(f"000-cnn6-{stage}", corpus, folder / name, changes=changes, cache=cache, verbose=0)

    return train


@pytest.fixture(scope="module")
def pretrained(trained):
    return trained("simclr", "simclr")


def weights(model):
    return [np.asarray(weight) for weight in model.get_weights()]


def test_a_contrastive_run_keeps_encoder_and_head_and_logs_how_well_it_tells_clips_apart(pretrained):
    body, head = encoder_and_head(pretrained.model().layers[-1])
    assert body.output_shape[-1] == head.input_shape[-1]
    assert head.output_shape == (None, 128)
    assert {"contrastive_accuracy", "val_contrastive_accuracy", "val_loss"} <= set(pretrained.log)


def test_a_contrastive_run_is_measured_by_no_emotion(pretrained):
    for ask in (sertk.evaluate, lambda run: sertk.export_saved_model(run, run.path("saved"))):
        with pytest.raises(ValueError, match=f"{pretrained.directory}: has learnt to tell clips apart"):
            ask(pretrained)


def test_clips_without_an_emotion_teach_what_needs_none(tiny_corpus, trained):
    nameless = tiny_corpus.assign(emotion=pd.array([pd.NA] * len(tiny_corpus), "string"))
    run = trained("simclr", "nameless", {"split.kind": "all"}, nameless)
    assert set(run.split["emotion"]) == {UNLABELLED}
    assert set(run.split["part"]) == {"train"}
    with pytest.raises(ValueError, match="no emotion"):
        trained("supervised", "named", {}, nameless)


def test_a_classifier_begins_with_the_encoder_it_is_told(pretrained, small_simclr):
    changes = {**small_simclr, "start.source": str(pretrained.directory), "start.layer": 1}
    recipe = override(get("000-cnn6-teacher"), changes)
    network = learner.learner(recipe, input_shape(recipe), 3)
    body, head = encoder_and_head(pretrained.model().layers[-1])
    own = encoder(network)
    # Behind the encoder: the head's first layer with its ReLU, then the classifier.
    assert [layer.name for layer in network.layers[-3:]] == ["projection_1_relu", "logits", "probabilities"]
    there = {weight.path.rpartition("/")[2]: weight for weight in head.get_layer("projection_1").weights}
    here = {weight.path.rpartition("/")[2]: weight for weight in network.get_layer("projection_1").weights}
    for name, weight in there.items():
        np.testing.assert_array_equal(weight, here[name])
    features = np.random.default_rng(0).normal(size=(2, *input_shape(recipe))).astype("float32")
    np.testing.assert_allclose(own(features), body(features), atol=1e-5)


def test_linear_evaluation_changes_the_classifier_alone(pretrained, trained):
    run = trained(
        "teacher", "linear", {"start.source": str(pretrained.directory), "start.layer": 0, "start.frozen": True}
    )
    body, _ = encoder_and_head(pretrained.model().layers[-1])
    there = encoder(run.model().layers[-1])
    for before, after in zip(weights(body), weights(there), strict=True):
        np.testing.assert_array_equal(before, after)


def test_features_are_normalised_as_the_encoder_learnt_them(pretrained, trained):
    run = trained("teacher", "few", {"start.source": str(pretrained.directory), "split.labelled": 0.2})
    kinds = (keras.layers.Normalization,)
    before, after = (
        next(layer for layer in one.model().layers if isinstance(layer, kinds)) for one in (pretrained, run)
    )
    np.testing.assert_array_equal(before.mean, after.mean)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"features.n_mels": 32}, "`features.n_mels` must be that of .*, 64.*n_mels=32"),
        ({"model.batch_norm": "frames"}, "`model` must be the network of .*, cnn with"),
        ({"start.layer": 3}, "`layer` must be 0.*at most 2"),
        ({"split.seed": 3}, "`start.source` must not have been trained on what this network is measured on"),
    ],
)
def test_weights_that_do_not_fit_are_refused_before_there_is_a_run(changes, said, pretrained, trained):
    with pytest.raises(ValueError, match=said):
        trained("teacher", "unfit", {"start.source": str(pretrained.directory), **changes})
    assert not (pretrained.directory.parent / "unfit" / "recipe.json").exists()


def test_a_run_of_few_labels_trains_on_those_alone_and_keeps_the_other_parts(trained, tiny_corpus):
    run = trained("teacher", "alone", {"split.labelled": 0.25, "start.layer": 0})
    split = run.split
    train = split[split["part"] == "train"]
    assert train["labelled"].sum() == round(0.25 * len(train))
    assert split[split["part"] != "train"]["labelled"].all()
    assert sertk.evaluate(run, resamples=10)["uar"] >= 0


def test_a_student_learns_what_its_teacher_says_of_clips_without_labels(pretrained, trained, tiny_corpus):
    teacher = trained("teacher", "teacher", {"split.labelled": 0.25, "start.layer": 0})
    changes = {"teacher.source": str(teacher.directory), "split.labelled": 0.25, "training.epochs": 2}
    student = trained("student", "student", changes)
    assert student.classes == teacher.classes
    assert {"distillation_loss", "labelled"} <= set(student.log)
    train = student.split[student.split["part"] == "train"]
    assert student.log["labelled"].to_numpy() == pytest.approx(train["labelled"].mean(), abs=1e-6)


def test_a_report_says_how_few_labels_there_were_and_who_taught(pretrained, trained):
    teacher = trained("teacher", "teacher", {"split.labelled": 0.25, "start.layer": 0})
    changes = {"start.source": str(pretrained.directory), "teacher.source": str(teacher.directory)}
    student = trained("student", "reported", {**changes, "split.labelled": 0.25})
    sertk.evaluate(student, resamples=10)
    report = student.path("report", "report.md").read_text()
    for words in (
        "25 % of the training part keep theirs, seed 0",
        "1 time masks, 1 frequency masks, 0.5 of the clips tri-cut, triangles by energy, training only",
        f"the encoder of {pretrained.directory}",
        f"{teacher.directory}, 1 of the loss, temperature 1",
    ):
        assert words in report


def test_labels_from_a_table_stand_in_for_those_that_a_clip_lacks(trained, tiny_corpus, tmp_path):
    teacher = trained("teacher", "teacher", {"split.labelled": 0.25, "start.layer": 0})
    split = teacher.split
    unlabelled = split[(split["part"] == "train") & (split["labelled"] == 0)]
    told = unlabelled[["path"]].assign(emotion=teacher.classes[0])
    told.to_csv(tmp_path / "labels.csv", index=False)
    changes = {
        "teacher.source": str(teacher.directory),
        "teacher.labels": str(tmp_path / "labels.csv"),
        "split.labelled": 0.25,
    }
    student = trained("student", "told", changes)
    assert student.log["labelled"].to_numpy() == pytest.approx(1)


def test_a_student_without_a_teacher_is_told_so(trained):
    with pytest.raises(ValueError, match=r"`teacher\.source` must name the folder of the run that teaches"):
        trained("student", "untaught")


def test_a_teacher_of_other_emotions_is_refused(trained, tiny_corpus):
    teacher = trained("teacher", "teacher", {"split.labelled": 0.25, "start.layer": 0})
    foreign = tiny_corpus.assign(emotion=tiny_corpus["emotion"].replace(teacher.classes[0], "boredom"))
    with pytest.raises(ValueError, match=r"`teacher\.source` must know the emotions of the clips.*Received: boredom"):
        trained("student", "foreign", {"teacher.source": str(teacher.directory)}, foreign)


def test_another_clips_triangles_are_learnt_with_their_share_of_its_label(trained):
    changes = {"augmentation.tri_mix": 1.0, "split.labelled": 1.0, "start.layer": 0}
    kept = trained("teacher", "mixed", changes)
    fresh = trained("teacher", "mixed-fresh", {**changes, "noise.fresh": True})
    for run in (kept, fresh):
        assert np.isfinite(run.log["loss"]).all()
        assert "mixing_loss" not in run.log
        assert [type(layer).__name__ for layer in run.model().layers].count("TriMix") == 0


def test_embeddings_of_a_contrastive_run_are_its_encoders(pretrained, tiny_corpus, cache, tmp_path):
    body, _ = encoder_and_head(pretrained.model().layers[-1])
    _, arrays = embed_corpus(str(pretrained.directory), tiny_corpus[:2], tmp_path / "e", cache=cache, progress=False)
    assert arrays[0].shape == (body.output_shape[-1],)


@pytest.mark.slow
def test_a_killed_contrastive_run_goes_on_to_the_weights_of_the_whole_one(trained, monkeypatch):
    """Views are drawn from the seed and the epoch: it does not matter whether there was one call or two."""
    whole = trained("simclr", "whole", {"training.epochs": 2})
    begin = RunLog.on_epoch_begin

    def killed(self, epoch, logs=None):
        if epoch:
            raise KeyboardInterrupt
        begin(self, epoch, logs)

    with monkeypatch.context() as patched:
        patched.setattr(RunLog, "on_epoch_begin", killed)
        with pytest.raises(KeyboardInterrupt):
            trained("simclr", "halves", {"training.epochs": 2})
    halves = trained("simclr", "halves", {"training.epochs": 2})
    assert len(halves.log) == 2
    for one, other in zip(weights(whole.model()), weights(halves.model()), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
