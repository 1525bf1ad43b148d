"""Algorithm 1 of paper 000: stages that begin with each other, and what they tell."""

import json

import pandas as pd
import pytest

from sertk.corpora import load, write_synthetic
from sertk.recipes import Run, simclrv2
from sertk.recipes.tell import notes

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def changes(small_simclr):
    return small_simclr | {"split.labelled": 0.25}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Another synthetic corpus under another name: 2 speakers, other voices."""
    directory = write_synthetic(tmp_path_factory.mktemp("source"), speakers=2, clips=2, seconds=(0.8, 1.2), seed=7)
    return load("synthetic", directory).assign(corpus="source")


@pytest.fixture(scope="module")
def told(source, tiny_corpus, changes, cache, tmp_path_factory):
    """The folder of algorithm 1 on three corpora, and its summary."""
    directory = tmp_path_factory.mktemp("staged")
    nameless = source.assign(corpus="nameless")[:14]
    summary = simclrv2(
        [source[14:]], [nameless], tiny_corpus, directory, encoder="cnn6", changes=changes, cache=cache, verbose=0
    )
    return directory, summary


def test_every_stage_is_a_run_that_begins_with_the_one_before(told):
    directory, _ = told
    stages = [directory / name for name in ("1-supervised", "2-simclr", "3-teacher", "5-student")]
    runs = [Run.open(stage) for stage in stages]
    starts = [run.recipe.start.source for run in runs]
    assert starts == [None, str(stages[0]), str(stages[1]), str(stages[1])]
    assert [run.recipe.contrastive.loss for run in runs] == ["supervised", "nt_xent", None, None]
    assert runs[3].recipe.teacher.source == str(stages[2])
    assert runs[2].recipe.start.layer == 1
    assert not any("speakers that are measured" in note for run in runs[2:] for note in notes(run))
    # Pre-training hears every clip of its own corpora, and none of the target.
    assert set(runs[1].split["corpus"]) == {"nameless"}
    assert set(runs[0].split["part"]) == {"train"}


@pytest.mark.parametrize(
    ("wrong", "stage", "said"),
    [
        ({"split.labelled": 0}, {}, "`split.labelled` must be above 0"),
        ({"split.kind": "speakers"}, {}, "speakers"),
        ({}, {"student": {"teacher.temperature": 0.0}}, "`teacher.temperature` must be above 0"),
        ({}, {"teacher": {"start.layers": 1}}, "did you mean start.layer"),
    ],
)
def test_what_is_wrong_with_a_late_stage_is_told_before_the_first(
    source, tiny_corpus, changes, tmp_path, wrong, stage, said
):
    with pytest.raises(ValueError, match=said):
        simclrv2([source], [], tiny_corpus, tmp_path, encoder="cnn6", changes=changes | wrong, stage_changes=stage)
    assert not (tmp_path / "1-supervised").exists()


def test_teacher_and_student_have_the_same_parts_and_the_same_few_labels(told):
    directory, _ = told
    splits = [Run.open(directory / name).split.set_index("path") for name in ("3-teacher", "5-student")]
    pd.testing.assert_series_equal(*(split["part"].sort_index() for split in splits))
    pd.testing.assert_series_equal(*(split["labelled"].sort_index() for split in splits))


def test_the_transfer_labels_the_training_clips_that_have_none(told):
    directory, summary = told
    split = Run.open(directory / "5-student").split
    table = pd.read_csv(directory / "4-transfer" / "labels.csv")
    lacking = split[(split["part"] == "train") & (split["labelled"] == 0)]
    assert sorted(table["path"]) == sorted(lacking["path"])
    said = json.loads((directory / "4-transfer" / "discrepancies.json").read_text())
    assert [step["target"] for step in said["steps"]] == ["nameless", "synthetic"]
    last = said["steps"][-1]
    assert list(last["sources"]) == ["source", "nameless", "synthetic, labelled"]
    truth = lacking.set_index("path")["emotion"]
    right = (table.set_index("path")["emotion"] == truth.reindex(table["path"]).to_numpy()).mean()
    assert last["accuracy"] == pytest.approx(right)
    assert summary["folds"][0]["transfer"] == said


def test_the_same_call_again_trains_nothing_anew(told, source, tiny_corpus, changes, cache):
    directory, summary = told
    files = {path: path.stat().st_mtime_ns for path in directory.rglob("model.keras")}
    nameless = source.assign(corpus="nameless")[:14]
    again = simclrv2(
        [source[14:]], [nameless], tiny_corpus, directory, encoder="cnn6", changes=changes, cache=cache, verbose=0
    )
    assert again == summary
    assert {path: path.stat().st_mtime_ns for path in directory.rglob("model.keras")} == files


@pytest.mark.slow
def test_clips_of_the_target_without_any_label_train_the_student(source, tiny_corpus, changes, cache, tmp_path):
    speakers = sorted(set(tiny_corpus["speaker"]))
    lacking = tiny_corpus["speaker"].isin(speakers[:1])
    target = tiny_corpus.assign(emotion=tiny_corpus["emotion"].mask(lacking))
    parts = pd.DataFrame({"path": target["path"], "part": "train"})
    parts.loc[target["speaker"] == speakers[-1], "part"] = "test"
    parts.to_csv(tmp_path / "parts.csv", index=False)
    changes = {**changes, "split.kind": "fold-file", "split.file": str(tmp_path / "parts.csv"), "split.validation": 0}
    simclrv2([source], [], target, tmp_path / "runs", encoder="cnn6", changes=changes, cache=cache, verbose=0)
    heard = Run.open(tmp_path / "runs" / "5-student").split
    assert set(target["path"][lacking]) <= set(heard["path"][heard["part"] == "train"])
    assert not set(target["path"][lacking]) & set(Run.open(tmp_path / "runs" / "3-teacher").split["path"])


@pytest.mark.slow
def test_a_cross_validation_has_the_targets_stages_once_a_fold(source, tiny_corpus, changes, cache, tmp_path):
    changes = {**changes, "split.kind": "speaker-k-fold", "split.k": 2, "split.validation": 0}
    said = simclrv2([source], [], tiny_corpus, tmp_path, encoder="cnn6", changes=changes, cache=cache, verbose=0)
    assert [fold["name"] for fold in said["folds"]] == ["fold-1", "fold-2"]
    assert sorted(path.parent.parent.name for path in tmp_path.glob("*/5-student/model.keras")) == ["fold-1", "fold-2"]
    values = [fold["uar"]["student"] for fold in said["folds"]]
    assert said["uar"]["student"]["mean"] == pytest.approx(sum(values) / 2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"encoder": "vgg16"}, "`encoder` must be one of resnet50.*encoder='vgg16'"),
        ({"stage_changes": {"pretraining": {}}}, "`stage_changes` are those of .*Received: pretraining"),
    ],
)
def test_options_that_there_are_not_are_refused(options, said, source, tiny_corpus, tmp_path):
    with pytest.raises(ValueError, match=said):
        simclrv2([source], [], tiny_corpus, tmp_path, **options)


def test_a_source_is_needed(tiny_corpus, tmp_path):
    with pytest.raises(ValueError, match="`sources` must hold a labelled manifest"):
        simclrv2([], [], tiny_corpus, tmp_path)
