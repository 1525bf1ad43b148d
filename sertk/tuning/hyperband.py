"""Hyperband: many settings for some epochs, the best of them for more."""

import math

import keras_tuner

from sertk.tuning.kept import ENDED, IDLE, STOPPED, Kept


class HyperbandOracle(Kept, keras_tuner.oracles.HyperbandOracle):
    """Keras Tuner's Hyperband, in which a trial that fails and a space that is used up do no harm.

    Keras Tuner waits for as many completed trials in a round as it planned: after one failure too few are promoted, and
    in the last rounds none. A space with fewer points than the first round ends its search before any is promoted.
    Here a round is judged once all its trials have ended, whichever way, and a space that is used up makes the bracket
    smaller.

    Source: Li et al. (2018), Hyperband, JMLR 18, algorithm 1.
    """

    @property
    def _size(self):
        sizes = [
            self._get_size(bracket, number)
            for bracket in range(self._get_num_brackets())
            for number in range(self._get_num_rounds(bracket))
        ]
        return sum(sizes) * self.hyperband_iterations

    @property
    def shortest(self):
        """int, the epochs of the shortest trials."""
        return self._get_epochs(self._get_num_brackets() - 1, 0)

    def _next(self, trial_id):
        for bracket in self._brackets:
            if not self._full(bracket):
                values = self._random_values()
                if values is not None:
                    return self._begun(bracket, 0, trial_id, values)
                bracket["used_up"] = True
            for number in range(1, len(bracket["rounds"])):
                best = self._to_promote(bracket, number)
                if best is not None:
                    values = best.hyperparameters.values | {"tuner/trial_id": best.trial_id}
                    return self._begun(bracket, number, trial_id, values)
        last = self._current_bracket == 0 and self._current_iteration + 1 == self.hyperband_iterations
        if not last and not any(bracket.get("used_up") for bracket in self._brackets):
            self._increment_bracket_num()
            self._start_new_bracket()
            return self._next(trial_id)
        return IDLE if self.ongoing_trials else STOPPED

    @property
    def needed(self):
        """set of str, the trials whose weights another one goes on with, or may yet."""
        sources = {
            trial.hyperparameters.values.get("tuner/trial_id")
            for trial in self.trials.values()
            if trial.status not in ENDED
        }
        for bracket in self._brackets:
            for number in range(1, len(bracket["rounds"])):
                chosen = {entry["past_id"] for entry in bracket["rounds"][number]}
                waiting = self._ranked(bracket, number - 1)[: self._expected(bracket, number)]
                sources |= {trial.trial_id for trial in waiting} - chosen
        return sources - {None}

    def _begun(self, bracket, number, trial_id, values):
        """Enters a trial into a round; it begins where the round before ended."""
        bracket["rounds"][number].append({"past_id": values.get("tuner/trial_id"), "id": trial_id})
        place = bracket["bracket_num"]
        own = {
            "tuner/epochs": self._get_epochs(place, number),
            "tuner/initial_epoch": self._get_epochs(place, number - 1) if number else 0,
            "tuner/bracket": place,
            "tuner/round": number,
        }
        return {"status": "RUNNING", "values": values | own}

    def _full(self, bracket):
        return bool(bracket.get("used_up")) or len(bracket["rounds"][0]) >= self._get_size(bracket["bracket_num"], 0)

    def _to_promote(self, bracket, number):
        """The best trial of the round before that is certain to be among those that go on; None if there is none."""
        past, chosen = bracket["rounds"][number - 1], bracket["rounds"][number]
        ended = sum(self.trials[entry["id"]].status in ENDED for entry in past)
        to_come = self._expected(bracket, number - 1) - ended
        promoted = {entry["past_id"] for entry in chosen}
        left = [trial for trial in self._ranked(bracket, number - 1) if trial.trial_id not in promoted]
        certain = len(chosen) + to_come < self._expected(bracket, number)
        return left[0] if left and certain else None

    def _expected(self, bracket, number):
        """How many trials a round will have, as far as is known now."""
        place, rounds = bracket["bracket_num"], bracket["rounds"]
        planned = self._get_size(place, number)
        if bracket.get("used_up"):
            planned = min(planned, math.ceil(len(rounds[0]) / self.factor**number))
        if number == 0:
            return planned
        failed = sum(self.trials[entry["id"]].status == "FAILED" for entry in rounds[number - 1])
        return min(planned, self._expected(bracket, number - 1) - failed)

    def _ranked(self, bracket, number):
        """The completed trials of a round, the best first; of equals the one that was begun first."""
        trials = [self.trials[entry["id"]] for entry in bracket["rounds"][number]]
        completed = [trial for trial in trials if trial.status == "COMPLETED"]
        return sorted(completed, key=lambda trial: trial.score, reverse=self.objective.direction == "max")
