"""What the tests of a search share."""

import keras_tuner
import pytest

OBJECTIVE = keras_tuner.Objective("val_accuracy", "max")


@pytest.fixture
def begin(tmp_path):
    """A function that makes an oracle in a folder, the same each time; in a folder with a search it goes on there."""

    def begin(kind, declare, folder=tmp_path / "search", **options):
        oracle = kind(objective=OBJECTIVE, seed=1, **options)
        oracle.verbose = 0
        oracle._set_project_dir(str(folder.parent), folder.name)
        hp = oracle.get_space()
        declare(hp)
        oracle.update_space(hp)
        if (folder / "oracle.json").exists():
            oracle.reload()
        return oracle

    return begin


@pytest.fixture
def carry_out():
    """A function that runs an oracle's trials without training anything, and gives them in their order.

    `judge` is a function of a trial that gives its score, or None for one that fails. It ends after `most` trials.
    """

    def carry_out(oracle, judge, most=1000, worker="tuner0"):
        done = []
        while len(done) < most:
            trial = oracle.create_trial(worker)
            if trial.status != "RUNNING":
                assert trial.status == "STOPPED"
                break
            score = judge(trial)
            trial.status = "FAILED" if score is None else "COMPLETED"
            if score is not None:
                oracle.update_trial(trial.trial_id, {"val_accuracy": score})
            oracle.end_trial(trial)
            done.append(trial)
        return done

    return carry_out
