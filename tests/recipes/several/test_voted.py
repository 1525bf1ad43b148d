"""An ensemble of runs: measured, chosen on the validation part, and told on a page."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score

import sertk
from sertk.evaluation import load_predictions, predictions_table, save_predictions
from sertk.recipes import costs, evaluate_ensemble

pytestmark = pytest.mark.usefixtures("eagerly")

CLASSES = ["happy", "sad"]


@pytest.fixture(scope="module")
def runs(finished_run, tiny_corpus, small, cache, tmp_path_factory):
    """Two networks of different seeds on one split, and a copy of the first, so that two of three agree.

    The first and its copy are measured already, the second is not.
    """
    folder = tmp_path_factory.mktemp("seeds")
    changes = {**small, "training.seed": 1, "training.epochs": 1}
    sertk.train("004-cnn-mfcc", tiny_corpus, folder / "seed-1", changes=changes, cache=cache, verbose=0)
    for part in ("test", "validation"):
        sertk.evaluate(finished_run, part, cache=cache, resamples=0)
    shutil.copytree(finished_run.directory, folder / "copy")
    return [finished_run.directory, folder / "seed-1", folder / "copy"]


def write_member(file, right, first="t", **columns):
    """Predictions of clips t0.wav, t1.wav, ...: sad where even, happy where odd, said right or wrong."""
    emotions = ["sad" if i % 2 == 0 else "happy" for i in range(len(right))]
    clips = {"path": [f"/{first}{i}.wav" for i in range(len(right))], "emotion": emotions} | columns
    sad = [0.8 if (emotion == "sad") == bool(hit) else 0.2 for emotion, hit in zip(emotions, right, strict=True)]
    return save_predictions(predictions_table(pd.DataFrame(clips), [[1 - p, p] for p in sad], CLASSES), file)


def test_runs_vote_and_those_are_measured_that_were_not_yet(runs, cache, tmp_path):
    said = evaluate_ensemble(runs, tmp_path, how="soft", cache=cache, resamples=50, command="sertk ensemble ...")
    tables = [load_predictions(run / "report" / "predictions.csv").set_index("path") for run in runs]
    mean = sum(table[[f"p_{name}" for name in said["metrics"]["classes"]]] for table in tables) / 3
    words = mean.idxmax(axis=1).str.removeprefix("p_")
    assert said["metrics"]["accuracy"] == pytest.approx(accuracy_score(tables[0]["emotion"], words))
    assert said["metrics"]["uar"] == pytest.approx(balanced_accuracy_score(tables[0]["emotion"], words))

    names = [run.name for run in runs]
    assert [row["name"] for row in said["members"]] == ["ensemble", *names]
    for row, table in zip(said["members"][1:], tables, strict=True):
        assert row["accuracy"] == pytest.approx(accuracy_score(table["emotion"], table["predicted"]))
    validation = [pd.read_csv(run / "report-validation" / "predictions.csv") for run in runs]
    right = [accuracy_score(table["emotion"], table["predicted"]) for table in validation]
    assert right[names.index(said["best"])] == max(right)
    assert f"The best member, {said['best']}, was picked by accuracy on the validation part." in said["sentences"]

    page = (tmp_path / "report" / "report.md").read_text()
    for words in ("# Soft vote of 3 members", "speaker, 0.5/0.25/0.25, seed 0", *said["sentences"]):
        assert words in page
    assert "The corpus is synthetic" in page
    assert "```sh\nsertk ensemble ...\n```" in page
    spent = costs(runs[1])
    members = (tmp_path / "report" / "members.md").read_text()
    assert f"| {spent['parameters']:,} | {spent['trainable_parameters']:,} | {spent['megabytes']:.1f} MB |" in members
    assert spent["machine"] in members
    assert (tmp_path / "report" / "members.png").is_file()
    table = pd.read_csv(tmp_path / "members.csv", dtype="string")
    assert table["parameters"].tolist()[1:] == [str(spent["parameters"])] * 3
    assert table["votes"].tolist() == ["True"] * 4


def test_the_combination_is_chosen_on_the_validation_part(runs, cache, tmp_path):
    said = evaluate_ensemble(runs, tmp_path, choose=2, cache=cache, resamples=0)
    tried = pd.read_csv(tmp_path / "combinations.csv")
    assert len(tried) == said["combinations"] == 3
    assert tried["members"][0] == " + ".join(said["voted"])
    assert tried["validation_accuracy"][0] == tried["validation_accuracy"].max()
    assert said["metrics"]["accuracy"] == pytest.approx(tried["test_accuracy"][0])
    assert "best of 3 combinations of 2 members by accuracy on the validation part" in said["sentences"][-1]
    assert f"would have shown {tried['test_accuracy'].max():.1%}: that flatters" in said["sentences"][-1]
    votes = {row["name"]: row["votes"] for row in said["members"]}
    assert sum(votes.values()) == 3  # the ensemble and two members; the third is shown all the same
    assert "## Combinations" in (tmp_path / "report" / "members.md").read_text()

    files = [write_member(tmp_path / f"{name}.csv", [1, 0]) for name in "ab"]
    evaluate_ensemble(files, tmp_path, resamples=0)
    assert not (tmp_path / "combinations.csv").exists()  # it would be taken for this ensemble's


def test_the_validation_part_can_be_measured_on(runs, cache, tmp_path):
    said = evaluate_ensemble(runs, tmp_path, part="validation", cache=cache, resamples=0)
    assert (tmp_path / "report-validation" / "report.md").is_file()
    assert "picked by accuracy on this very part, which flatters it" in said["sentences"][1]


def test_files_and_runs_can_vote_together_and_the_best_is_then_picked_on_the_test_part(runs, cache, tmp_path):
    table = load_predictions(runs[0] / "report" / "predictions.csv")
    save_predictions(table.assign(predicted=table["emotion"]), tmp_path / "oracle.csv")
    said = evaluate_ensemble([runs[1], tmp_path / "oracle.csv"], tmp_path / "out", cache=cache, resamples=0)
    assert said["best"] == "oracle"
    assert "on the test part itself, as oracle came without a validation part; that flatters it" in said["sentences"][1]


def test_members_of_other_validation_parts_are_compared_on_the_test_part(runs, cache, tmp_path):
    """The split of another seed tests other clips as a rule; here just its validation part is another one."""
    path = runs[0] / "report-validation" / "predictions.csv"
    whole = path.read_text()
    try:
        path.write_text("\n".join(whole.splitlines()[:-1]) + "\n")
        said = evaluate_ensemble(runs[:2], tmp_path, cache=cache, resamples=0)
        assert "as the members do not share a validation part" in said["sentences"][1]
        with pytest.raises(ValueError, match=r"must be about the same clips"):
            evaluate_ensemble(runs, tmp_path, choose=2, cache=cache)
    finally:
        path.write_text(whole)


def test_files_of_the_validation_part_choose_among_files(tmp_path):
    """a and b are right on the validation part, c and d on the test part: a and b are chosen, and that is told."""
    good, bad = [1] * 6, [0] * 6
    test = [write_member(tmp_path / f"{n}.csv", right) for n, right in zip("abcd", (bad, bad, good, good), strict=True)]
    validation = [
        write_member(tmp_path / f"{n}-validation.csv", right, "v")
        for n, right in zip("abcd", (good, good, bad, bad), strict=True)
    ]
    said = evaluate_ensemble(test, tmp_path / "out", choose=2, validation=validation, resamples=0)
    assert (said["voted"], said["best"], said["metrics"]["accuracy"]) == (["a", "b"], "a", 0)
    assert (
        "on the test part it has 0.0%. To pick on the test part, as paper 002 does, would have shown 100.0%"
        in (said["sentences"][-1])
    )
    with pytest.raises(ValueError, match=r"`validation` must be of other clips .* Received: 6 clip\(s\) in both"):
        evaluate_ensemble(test, tmp_path / "out", choose=2, validation=test)
    with pytest.raises(ValueError, match=r"a predictions CSV for each of the 4 members, .* Received: 3 files"):
        evaluate_ensemble(test, tmp_path / "out", choose=2, validation=validation[:3])
    with pytest.raises(ValueError, match=r"`choose` needs predictions of a validation part .* Received: a, b, c, d"):
        evaluate_ensemble(test, tmp_path / "out", choose=2)


def test_folds_are_joined_by_fold_and_summed_up(tmp_path):
    """Both folds test the same two clips. Right by hand: fold-1 both, fold-2 one of two."""
    fold = ["fold-1", "fold-1", "fold-2", "fold-2"]
    clips = {"fold": fold, "path": ["/1.wav", "/2.wav"] * 2}
    members = [
        write_member(tmp_path / f"{n}.csv", right, **clips) for n, right in (("a", [1, 1, 0, 1]), ("b", [1] * 4))
    ]
    members.append(write_member(tmp_path / "c.csv", [1, 1, 0, 1], **clips))
    said = evaluate_ensemble(members, tmp_path / "out", resamples=0)
    assert said["metrics"]["folds"]["names"] == ["fold-1", "fold-2"]
    assert said["metrics"]["folds"]["accuracy"]["values"] == [1, 0.5]
    assert "mean and standard deviation (n - 1) over 2 folds" in (tmp_path / "out" / "report" / "report.md").read_text()


def test_chunks_vote_and_clips_are_told(tmp_path):
    """Two clips of two chunks: b.wav's second chunk is wrong by two of three members, but its first one is surer."""
    clips = {"path": ["/a.wav"] * 2 + ["/b.wav"] * 2, "emotion": "sad", "chunk_start": [0, 480] * 2}
    members = []
    for name, sad in (("a", [0.9, 0.9, 0.9, 0.4]), ("b", [0.9, 0.9, 0.9, 0.4]), ("c", [0.9] * 4)):
        table = predictions_table(pd.DataFrame(clips), np.c_[1 - np.array(sad), sad], CLASSES)
        members.append(save_predictions(table, tmp_path / f"{name}.csv"))
    said = evaluate_ensemble(members, tmp_path / "out", resamples=0)
    assert (said["metrics"]["clips"], said["metrics"]["accuracy"]) == (4, 0.75)
    assert (said["metrics"]["by_clip"]["clips"], said["metrics"]["by_clip"]["accuracy"]) == (2, 1)
    assert said["mcnemar"]["clips"] == 2
    json.dumps(said)


def test_arguments_that_do_not_fit_together_are_refused(tmp_path):
    members = [write_member(tmp_path / f"{name}.csv", [1, 0]) for name in "ab"]
    for arguments, words in (
        ({"part": "train"}, r'`part` must be "test" or "validation"'),
        ({"part": "validation", "choose": 2}, r"`choose` and `validation` are to pick on the validation part"),
        ({"runs": tmp_path}, r"`runs` is the folder in which the members of a named ensemble are found"),
        ({"how": "loud"}, r"`how` must be one of hard, soft"),
        ({"by": "f1"}, r"`by` must be one of accuracy, uar"),
        ({"choose": 3}, r"`k` must be a whole number from 2 to the 2 members"),
    ):
        with pytest.raises(ValueError, match=words):
            evaluate_ensemble(members, tmp_path / "out", **arguments)
    with pytest.raises(ValueError, match=r"Received: members='002-vote-3', runs=None"):
        evaluate_ensemble("002-vote-3", tmp_path / "out")
    with pytest.raises(ValueError, match=r"There is no ensemble 'vote'"):
        evaluate_ensemble("vote", tmp_path / "out", runs=tmp_path)
    assert not (tmp_path / "out").exists()


def test_a_runs_own_report_is_never_overwritten(runs, cache):
    with pytest.raises(ValueError, match=r"is a run's folder; choose another one for the ensemble"):
        evaluate_ensemble(runs, runs[0], cache=cache)
