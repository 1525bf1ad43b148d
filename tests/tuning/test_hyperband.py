"""Hyperband: the published brackets, promotion by rank, and what failures and small spaces do to it."""

from collections import Counter

import pytest

from sertk.tuning.hyperband import HyperbandOracle

EVERY = 81


def rate(hp):
    hp.Float("rate", 1e-5, 1e-2, sampling="log")


def eighteen(hp):
    hp.Choice("alpha", [0.01, 0.1, 1.0])
    hp.Choice("n", [3, 6, 9])
    hp.Choice("layer", ["fc1", "fc2"])


def by_value(trial):
    return trial.hyperparameters.values["rate"]


def rounds(trials, bracket):
    """How many trials of a bracket had how many epochs."""
    values = [trial.hyperparameters.values for trial in trials]
    return Counter(one["tuner/epochs"] for one in values if one["tuner/bracket"] == bracket)


def test_the_brackets_are_those_of_hyperbands_table_1(begin, carry_out):
    """R = 81, eta = 3 (Li et al. 2018). Keras Tuner rounds up where the paper rounds down."""
    trials = carry_out(begin(HyperbandOracle, rate, max_epochs=EVERY), by_value)
    assert rounds(trials, 4) == {1: 81, 3: 27, 9: 9, 27: 3, 81: 1}
    assert rounds(trials, 2) == {9: 15, 27: 5, 81: 2}
    assert rounds(trials, 0) == {81: 5}


def test_the_plan_counts_them_all(begin, carry_out):
    oracle = begin(HyperbandOracle, rate, max_epochs=9)
    assert len(carry_out(oracle, by_value)) == oracle.planned
    assert oracle.shortest == 1


def test_the_best_third_goes_on_where_it_ended(begin, carry_out):
    trials = carry_out(begin(HyperbandOracle, rate, max_epochs=9), by_value)
    first = [trial for trial in trials if trial.hyperparameters.values["tuner/bracket"] == 2]
    begun = [trial for trial in first if "tuner/trial_id" not in trial.hyperparameters.values]
    best = sorted(begun, key=by_value, reverse=True)[: len(begun) // 3]
    promoted = [trial.hyperparameters.values for trial in first if trial.hyperparameters.values["tuner/round"] == 1]
    assert {one["tuner/trial_id"] for one in promoted} == {trial.trial_id for trial in best}
    assert {(one["tuner/initial_epoch"], one["tuner/epochs"]) for one in promoted} == {(1, 3)}


def test_a_failing_trial_leaves_the_later_rounds_as_they_are(begin, carry_out):
    """One of 9 fails: 8 are ranked, and still 3 and then 1 of them go on."""
    failed = []

    def judge(trial):
        if len(failed) < 2 and trial.hyperparameters.values["tuner/bracket"] == 2:
            failed.append(trial.trial_id)
            return None
        return by_value(trial)

    trials = carry_out(begin(HyperbandOracle, rate, max_epochs=9), judge)
    assert rounds(trials, 2) == {1: 9, 3: 3, 9: 1}
    assert not {trial.hyperparameters.values.get("tuner/trial_id") for trial in trials} & set(failed)


def test_where_all_of_a_round_fail_the_next_bracket_begins(begin, carry_out):
    trials = carry_out(
        begin(HyperbandOracle, rate, max_epochs=9),
        lambda trial: None if trial.hyperparameters.values["tuner/bracket"] == 2 else by_value(trial),
    )
    assert rounds(trials, 2) == {1: 9}
    assert rounds(trials, 0) == {9: 3}


def test_a_space_with_fewer_points_than_the_first_round_is_halved_all_the_same(begin, carry_out):
    """18 points, 81 places: all 18 are tried, 6 of them go on, then 2, then 1, then 1."""
    trials = carry_out(begin(HyperbandOracle, eighteen, max_epochs=EVERY), lambda trial: int(trial.trial_id) / 1000)
    assert rounds(trials, 4) == {1: 18, 3: 6, 9: 2, 27: 1, 81: 1}
    drawn = [trial for trial in trials if trial.hyperparameters.values["tuner/round"] == 0]
    points = {tuple(trial.hyperparameters.values[name] for name in ("alpha", "n", "layer")) for trial in drawn}
    assert len(points) == 18


@pytest.mark.parametrize("stops", [[1], [3, 4, 9], range(1, 30)])
def test_a_search_that_was_killed_goes_on_as_if_it_had_not_been(begin, carry_out, tmp_path, stops):
    whole = carry_out(begin(HyperbandOracle, rate, max_epochs=9), by_value)
    parts = []
    for stop in [*stops, 1000]:
        oracle = begin(HyperbandOracle, rate, tmp_path / "parts", max_epochs=9)
        parts += carry_out(oracle, by_value, most=stop - len(parts))
        oracle.create_trial("tuner0")  # begun, and killed
    assert [trial.trial_id for trial in parts] == [trial.trial_id for trial in whole]
    for one, other in zip(parts, whole, strict=True):
        assert one.hyperparameters.values == other.hyperparameters.values


def test_two_workers_never_wait_for_nothing_and_share_one_plan(begin):
    """By turns, each with a trial of its own; a round that is not judged yet makes a worker wait, and no one else."""
    oracle = begin(HyperbandOracle, rate, max_epochs=9)
    going, seen, idle = {}, [], 0
    while True:
        for worker in ("a", "b"):
            if worker in going:
                trial = going.pop(worker)
                oracle.update_trial(trial.trial_id, {"val_accuracy": by_value(trial)})
                trial.status = "COMPLETED"
                oracle.end_trial(trial)
            trial = oracle.create_trial(worker)
            if trial.status == "RUNNING":
                going[worker] = trial
                seen.append(trial)
            idle += trial.status == "IDLE"
        if trial.status == "STOPPED":
            break
        assert going, "nobody works"
    assert len(seen) == oracle.planned
    assert len({trial.trial_id for trial in seen}) == len(seen)
    assert rounds(seen, 2) == {1: 9, 3: 3, 9: 1}


def test_weights_are_needed_of_those_alone_that_may_go_on(begin, carry_out):
    """After 9 trials of one epoch the best 3 may go on; after them the best one of these; at the end nobody."""
    oracle = begin(HyperbandOracle, rate, max_epochs=9)
    nine = carry_out(oracle, by_value, most=9)
    best = [trial.trial_id for trial in sorted(nine, key=by_value, reverse=True)[:3]]
    assert oracle.needed == set(best)
    first = oracle.create_trial("tuner0")
    assert first.hyperparameters.values["tuner/trial_id"] == best[0]
    assert oracle.needed == set(best)
    oracle.update_trial(first.trial_id, {"val_accuracy": 0.5})
    first.status = "COMPLETED"
    oracle.end_trial(first)
    assert oracle.needed == {*best[1:], first.trial_id}
    carry_out(oracle, by_value)
    assert oracle.needed == set()
