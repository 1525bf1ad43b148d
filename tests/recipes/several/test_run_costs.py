"""What a run cost, by hand: a model of known size, a log of known times."""

import json
import shutil

import keras
import pandas as pd
import pytest

from sertk.recipes import RECIPES, Run, costs, override

ENVIRONMENT = {"processor": "Abacus", "cores": 2, "gpus": [], "packages": {"tensorflow": "2.21.0"}}


@pytest.fixture
def run(tmp_path):
    """A frozen dense layer (4 x 3 + 3 = 15), a batch norm (12, half of them trained), a dense layer (3 x 2 + 2 = 8).

    Ten clips and two noisy copies of each make 30 examples, so four steps an epoch with batches of 8.
    """
    layers = [keras.layers.Dense(3, trainable=False), keras.layers.BatchNormalization(), keras.layers.Dense(2)]
    directory = tmp_path / "run"
    (directory / "training").mkdir(parents=True)
    keras.Sequential([keras.Input((4,)), *layers]).save(directory / "model.keras")
    recipe = override(RECIPES["004-cnn-mfcc-awgn"], {"training.batch_size": 8})
    settings = {"recipe": recipe.to_dict(), "classes": ["happy", "sad"], "corpora": ["own"], "command": "sertk train"}
    (directory / "recipe.json").write_text(json.dumps(settings))
    (directory / "environment.json").write_text(json.dumps(ENVIRONMENT))
    parts = ["train"] * 10 + ["validation"] * 3 + ["test"] * 3
    clips = pd.DataFrame({"path": [f"/{i}.wav" for i in range(16)], "emotion": "sad", "part": parts})
    clips.to_csv(directory / "split.csv", index=False)
    log = pd.DataFrame({"epoch": [1, 2, 3, 4], "loss": 1.0, "seconds": [8.0, 4.0, 4.0, 6.0]})
    log.to_csv(directory / "training" / "log.csv", index=False)
    return Run(directory)


def test_parameters_size_and_time(run):
    """2, 1, 1 and 1.5 s a step: the median is 1.25 s."""
    found = costs(run.directory)
    assert (found["parameters"], found["trainable_parameters"]) == (35, 14)
    assert found["megabytes"] == len(run.path("model.keras").read_bytes()) / 1_000_000
    assert found["seconds_per_100_steps"] == pytest.approx(125)
    assert found["total_seconds"] == pytest.approx(22)
    assert found["machine"] == "Abacus, 2 cores, 0 GPUs, TensorFlow 2.21.0"
    assert found["environment"] == ENVIRONMENT


def test_a_step_changes_the_weights_once(run):
    """Gradients of two batches together: two steps an epoch."""
    settings = run.settings
    settings["recipe"]["training"]["accumulation"] = 2
    run.path("recipe.json").write_text(json.dumps(settings))
    assert costs(run)["seconds_per_100_steps"] == pytest.approx(250)


def test_a_log_of_rounds_says_how_many_steps_there_were(run):
    """100 steps in 50 s, 100 in 60 s, and the last 40 in 22 s: 0.5, 0.6 and 0.55 s a step."""
    log = pd.DataFrame({"epoch": [1, 2, 3], "step": [100, 200, 240], "seconds": [50.0, 60.0, 22.0]})
    log.to_csv(run.path("training", "log.csv"), index=False)
    found = costs(run)
    assert found["seconds_per_100_steps"] == pytest.approx(55)
    assert found["total_seconds"] == pytest.approx(132)


def test_further_members_and_second_trainings_cost_time_too(run):
    for name in ("training-2", "retraining"):
        shutil.copytree(run.path("training"), run.path(name))
    assert costs(run)["total_seconds"] == pytest.approx(66)


def test_a_cross_validation_costs_the_time_of_its_folds_and_the_size_of_one_model(run, tmp_path):
    whole = Run(tmp_path / "folds")
    for name in ("fold-1", "fold-2"):
        shutil.copytree(run.directory, whole.path(name))
    whole.path("recipe.json").write_text(json.dumps({**run.settings, "folds": ["fold-1", "fold-2"]}))
    whole.path("environment.json").write_text(json.dumps(ENVIRONMENT))
    one, both = costs(run), costs(whole)
    assert both["total_seconds"] == pytest.approx(44)
    for figure in ("parameters", "trainable_parameters", "megabytes", "seconds_per_100_steps"):
        assert both[figure] == one[figure]


def test_an_unfinished_run_is_told_how_to_go_on(run):
    run.path("model.keras").unlink()
    with pytest.raises(ValueError, match=r"training has not ended; the command .* goes on with it: sertk train$"):
        costs(run)
