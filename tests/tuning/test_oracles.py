"""The other ways to choose, and what all oracles keep on disk."""

import contextlib
import itertools
import json
import math
import os

import pytest

from sertk.tuning.oracles import BayesianOracle, GridOracle, RandomOracle, grid_values

AXES = {"units": [64, 128, 192], "rate": [1e-5, 1e-4, 1e-3, 1e-2], "layer": ["fc1", "fc2"]}


def small(hp):
    hp.Int("units", 64, 192, step=64)
    hp.Float("rate", 1e-5, 1e-2, sampling="log")
    hp.Choice("layer", ["fc1", "fc2"])


def pairs(hp):
    hp.Choice("a", [1, 2, 3])
    hp.Choice("b", ["x", "y"])


def constant(trial):
    return 0.5


def chosen(trials):
    return [tuple(trial.hyperparameters.values.values()) for trial in trials]


def test_a_grid_is_the_product_of_all_values(begin, carry_out):
    oracle = begin(GridOracle, small)
    assert oracle.planned == 24
    assert chosen(carry_out(oracle, constant)) == list(itertools.product(*AXES.values()))


def test_four_points_of_the_papers_range_are_the_papers_four_rates(begin):
    oracle = begin(GridOracle, small)
    (rate,) = [one for one in oracle.get_space().space if one.name == "rate"]
    assert grid_values(rate, 4) == [1e-5, 1e-4, 1e-3, 1e-2]
    assert grid_values(rate, 2) == [1e-5, 1e-2]
    assert grid_values(rate, 1) == [1e-5]


def test_a_grid_may_end_early(begin, carry_out):
    oracle = begin(GridOracle, small, limit=5)
    assert oracle.planned == 5
    assert len(carry_out(oracle, constant)) == 5


@pytest.mark.parametrize("kind", [RandomOracle, BayesianOracle, GridOracle])
@pytest.mark.parametrize("fails", [False, True])
def test_a_small_space_is_tried_once_and_whole(begin, carry_out, kind, fails):
    """Also where a trial fails, and more trials are wanted than there are points."""

    def judge(trial):
        return None if fails and trial.trial_id.endswith("1") else constant(trial)

    trials = carry_out(begin(kind, pairs, limit=50), judge)
    assert sorted(chosen(trials)) == sorted(itertools.product([1, 2, 3], ["x", "y"]))


@pytest.mark.parametrize("kind", [RandomOracle, GridOracle])
def test_a_killed_search_repeats_no_finished_trial(begin, carry_out, tmp_path, kind):
    whole = chosen(carry_out(begin(kind, small, limit=20), constant))
    parts = []
    for most in (1, 2, 7, 50):
        oracle = begin(kind, small, tmp_path / "parts", limit=20)
        parts += carry_out(oracle, constant, most)
        oracle.create_trial("tuner0")
    assert chosen(parts) == whole


def test_a_chief_who_comes_back_leaves_the_workers_their_trials(begin, carry_out, monkeypatch):
    """They are at them still. A worker that was started again gets its own, the other one another."""
    names = "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT", "KERASTUNER_TUNER_ID"
    for name, value in zip(names, ("127.0.0.1", "8000", "chief"), strict=True):
        monkeypatch.setenv(name, value)
    before = begin(RandomOracle, small, limit=4)
    first, second = before.create_trial("a"), before.create_trial("b")
    chief = begin(RandomOracle, small, limit=4)
    chief.update_trial(first.trial_id, {"val_accuracy": 0.5})
    first.status = "COMPLETED"
    chief.end_trial(first)
    assert chief.create_trial("b").trial_id == second.trial_id
    third = chief.create_trial("a")
    assert third.trial_id not in (first.trial_id, second.trial_id)
    assert len(carry_out(chief, constant, worker="a")) == 2  # the third, which it has, and the fourth
    for name in names:
        monkeypatch.delenv(name)
    alone = begin(RandomOracle, small, limit=4)
    assert [trial.trial_id for trial in carry_out(alone, constant)] == [second.trial_id]


class KilledError(BaseException):
    pass


@pytest.mark.parametrize("file", ["oracle.json", "trial.json"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 9))
def test_killed_at_any_file_it_goes_on_with_what_it_was_doing(
    begin, carry_out, tmp_path, monkeypatch, file, when, number
):
    """The file is half written under another name, or just put in its place."""
    whole = chosen(carry_out(begin(RandomOracle, small, limit=3), constant))
    ordinary, seen, trained = os.replace, [], []

    def replace(source, target):
        seen.append(str(target).endswith(file))
        if when == "after" or sum(seen) < number or not seen[-1]:
            ordinary(source, target)
        if seen[-1] and sum(seen) == number:
            raise KilledError

    def judge(trial):
        trained.append(tuple(trial.hyperparameters.values.values()))
        return constant(trial)

    folder = tmp_path / "killed"
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", replace)
        oracle = begin(RandomOracle, small, folder, limit=3)
        with contextlib.suppress(KilledError):
            carry_out(oracle, judge)
    on_disk = [json.loads(path.read_text()) for path in folder.glob("trial_*/trial.json")]
    ended = {tuple(one["hyperparameters"]["values"].values()) for one in on_disk if one["status"] == "COMPLETED"}
    again = begin(RandomOracle, small, folder, limit=3)
    trained.clear()
    carry_out(again, judge)
    assert not ended & set(trained)
    trials = [again.trials[name] for name in again.start_order]
    assert chosen(trials) == whole
    assert [trial.status for trial in trials] == ["COMPLETED"] * 3
    assert sorted(again.end_order) == sorted(again.start_order)


def test_what_a_gaussian_process_expects_most_of_is_found(begin, carry_out):
    """A hill over one parameter, its top at 1e-3: after 15 trials the best is nearer than chance would come."""

    def hill(trial):
        return -abs(math.log10(trial.hyperparameters.values["rate"]) + 3)

    def rate(hp):
        hp.Float("rate", 1e-8, 1.0, sampling="log")

    trials = carry_out(begin(BayesianOracle, rate, limit=15), hill)
    assert max(map(hill, trials)) > -0.1


def test_any_number_of_failures_in_a_row_is_borne(begin, carry_out):
    trials = carry_out(begin(RandomOracle, small, limit=12), lambda trial: None)
    assert len(trials) == 12
