"""Who votes: runs and files by name, the published ensembles, and members that can't be had."""

import json

import pandas as pd
import pytest

from sertk.recipes import ENSEMBLES, RECIPES
from sertk.recipes.several.members import find_runs, open_members


def write_folder(directory, recipe="004-cnn-mfcc", finished=True):
    """A run's folder as far as a member looks into it."""
    directory.mkdir(parents=True)
    values = {**RECIPES["004-cnn-mfcc"].to_dict(), "name": recipe}
    (directory / "recipe.json").write_text(json.dumps({"recipe": values, "command": f"sertk train {recipe} -o here"}))
    split = pd.DataFrame({"path": ["/1.wav", "/2.wav"], "emotion": "sad", "part": ["train", "test"]})
    split.to_csv(directory / "split.csv", index=False)
    if finished:
        (directory / "model.keras").touch()
    return directory


def write_table(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("path,emotion,predicted\n/1.wav,sad,sad\n")
    return path


def test_members_are_called_by_their_folders_and_files(tmp_path):
    run = write_folder(tmp_path / "first")
    tables = [tmp_path / place for place in ("second/report/predictions.csv", "third/predictions.csv", "fourth.csv")]
    members = open_members([run, *map(write_table, tables)])
    assert [member.name for member in members] == ["first", "second", "third", "fourth"]
    assert [member.run is not None for member in members] == [True, False, False, False]
    assert members[1].predictions("test")["predicted"].tolist() == ["sad"]


@pytest.mark.parametrize("places", [("a/x.csv", "b/x.csv"), ("a/ensemble.csv", "b/x.csv")])
def test_names_that_do_not_tell_apart_become_paths(tmp_path, monkeypatch, places):
    for place in places:
        write_table(tmp_path / place)
    monkeypatch.chdir(tmp_path)
    assert [member.name for member in open_members(places)] == [str(tmp_path / place) for place in places]


def test_a_validation_part_is_that_of_the_split(tmp_path):
    run = write_folder(tmp_path / "run")
    table = write_table(tmp_path / "table.csv")
    assert [member.has_validation() for member in open_members([run, table])] == [False, False]
    split = pd.DataFrame({"path": ["/1.wav"], "emotion": "sad", "part": ["validation"]})
    split.to_csv(run / "split.csv", index=False)
    assert [member.has_validation() for member in open_members([run, table])] == [True, False]


def test_a_validation_part_that_trained_too_is_none(write_run, tmp_path):
    """Else an ensemble would go and measure on it, which is refused."""
    parts = {"parts": ("test", "validation")}
    joined = {"training.join_validation": True}
    runs = [
        write_run(tmp_path / "apart", 0, **parts),
        write_run(tmp_path / "joined", 0, joined, **parts),
        write_run(tmp_path / "folds", [0, 0], folds=("fold-1", "fold-2"), **parts),
        write_run(tmp_path / "joined-folds", [0, 0], joined, folds=("fold-1", "fold-2"), **parts),
    ]
    members = open_members(runs)
    assert [member.has_validation() for member in members] == [True, False, True, False]
    assert [member.run.has_part("validation") for member in members] == [True, False, True, False]
    assert all(member.run.has_part("test") for member in members)


def test_members_that_can_not_vote_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run, table = write_folder(tmp_path / "run"), write_table(tmp_path / "a.csv")
    for members in ([], [run]):
        with pytest.raises(ValueError, match=r"at least two .* \(002-vote-3, 002-vote-5\). Received: "):
            open_members(members)
    with pytest.raises(ValueError, match=r"once each, they vote once. Received: .*a.csv, a.csv again"):
        open_members([table, "a.csv", run])
    with pytest.raises(FileNotFoundError, match=r"gone: there is no such file or folder"):
        open_members([run, "gone"])
    with pytest.raises(FileNotFoundError, match=r"002-vote-3 is an ensemble's name, which needs `runs`"):
        open_members([run, "002-vote-3"])
    with pytest.raises(ValueError, match=r"holds no run, which would have a recipe.json"):
        open_members([run, tmp_path])
    going = write_folder(tmp_path / "going", finished=False)
    with pytest.raises(ValueError, match=r"going: training has not ended; .* it: sertk train 004-cnn-mfcc -o here"):
        open_members([run, going])


def test_the_papers_ensembles_are_three_and_five_of_its_recipes():
    """Table 3. Wav2vec 2.0 large, the sixth, is in neither."""
    sizes = {name: len(set(ensemble.members)) for name, ensemble in ENSEMBLES.items()}
    assert sizes == {"002-vote-3": 3, "002-vote-5": 5}
    three, five = (set(ensemble.members) for ensemble in ENSEMBLES.values())
    assert three < five
    assert "002-wav2vec2-large" not in five
    assert five < set(RECIPES)


def test_runs_are_found_by_their_recipes_whatever_their_folders_names(tmp_path):
    names = ENSEMBLES["002-vote-3"].members
    for number, name in enumerate(reversed(names)):
        write_folder(tmp_path / str(number), name)
    write_folder(tmp_path / "again", names[0], finished=False)
    write_folder(tmp_path / "other", "002-wav2vec2-large")
    assert find_runs("002-vote-3", tmp_path) == [tmp_path / place for place in ("2", "1", "0")]


def test_missing_runs_are_listed_with_the_command_of_each(tmp_path):
    write_folder(tmp_path / "a", "002-xlsr-53")
    write_folder(tmp_path / "b", "002-hubert-xlarge", finished=False)
    with pytest.raises(ValueError, match=r"002-vote-3 votes with 3 finished runs") as error:
        find_runs("002-vote-3", tmp_path)
    for words in (
        "Received: 1 of them",
        "002-hubert-xlarge has not ended: sertk train 002-hubert-xlarge -o here",
        f"sertk train 002-unispeech-multilingual --corpus ravdess=DIR -o {tmp_path / '002-unispeech-multilingual'}",
    ):
        assert words in str(error.value)
    assert "sertk train 002-xlsr-53" not in str(error.value)


def test_several_runs_of_a_recipe_are_not_chosen_from(tmp_path):
    for name in ENSEMBLES["002-vote-3"].members:
        write_folder(tmp_path / name, name)
    write_folder(tmp_path / "seed-1", "002-xlsr-53")
    with pytest.raises(ValueError, match=r"several finished runs of 002-xlsr-53; .* Received: .*002-xlsr-53, .*seed-1"):
        find_runs("002-vote-3", tmp_path)


def test_an_unknown_ensemble_or_folder_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"There is no ensemble 'vote'; choose one of 002-vote-3, 002-vote-5"):
        find_runs("vote", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"`runs` must be a folder that holds runs. Received: .*gone"):
        find_runs("002-vote-3", tmp_path / "gone")
