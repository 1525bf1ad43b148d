"""What a search knows of its trials, on disk: whole or not there, and the same after a search was killed."""

import json
from pathlib import Path

import keras_tuner
from keras_tuner.engine.trial import TrialStatus

from sertk.atomic import replacing
from sertk.plain_json import read_object
from sertk.tuning.distributed import role

STOPPED = {"status": TrialStatus.STOPPED}
IDLE = {"status": TrialStatus.IDLE}
ENDED = (TrialStatus.COMPLETED, TrialStatus.FAILED)
# Drawn values that were tried before until a space counts as used up: Keras Tuner's 20 miss some of a small one.
COLLISIONS = 500


class Kept(keras_tuner.Oracle):
    """To be mixed into one of Keras Tuner's oracles: it can be killed at any moment, and no failing trial stops it.

    Keras Tuner writes its files in place and in two steps: first a trial's, then the oracle's own, `oracle.json`.
    Killed in between it would forget that a trial ended, or know one that was never begun. Here each file is whole or
    not there, and what the two do not agree on is settled when the search goes on: a trial that ended has ended, one
    that the oracle does not know of has never been.

    Args:
        limit: int, the most trials, or None for no limit. (Keras Tuner's `max_trials` changes their names.) Defaults to
            None.
        options: of Keras Tuner's oracle.

    Attributes:
        ended: function that is called with each trial that has ended, or None.
    """

    ended = None

    def __init__(self, limit=None, **options):
        # None: Keras Tuner would give up after some failures in a row.
        super().__init__(max_consecutive_failed_trials=None, **options)
        self._max_collisions = COLLISIONS
        self.max_trials = None
        self.limit = limit

    @property
    def planned(self):
        """int, how many trials there will be at most; None where it can't be told."""
        size = self._size
        return min((count for count in (size, self.limit) if count is not None), default=None)

    @property
    def _size(self):
        """int, how many trials there are without the limit; None where there is no end."""
        return None

    def populate_space(self, trial_id):
        if self.limit is not None and len(self.trials) >= self.limit:
            return STOPPED
        return self._next(trial_id)

    def _next(self, trial_id):
        """The values of the next trial; Keras Tuner's, if nobody knows better."""
        return super().populate_space(trial_id)

    def end_trial(self, trial):
        super().end_trial(trial)
        if self.ended is not None:
            self.ended(self.trials[trial.trial_id])

    def save(self):
        _write(self._get_oracle_fname(), self.get_state())

    def _save_trial(self, trial):
        _write(Path(self._get_trial_dir(trial.trial_id)) / "trial.json", trial.get_state())

    def reload(self):
        super().reload()
        known = set(self.start_order)
        self.trials = {name: trial for name, trial in sorted(self.trials.items()) if name in known}
        ongoing = read_object(self._get_oracle_fname())["ongoing_trials"]
        # Keras Tuner has put all that were going on into its queue.
        for worker, name in ongoing.items():
            if self.trials[name].status in ENDED:
                self._retry_queue.remove(name)
                if name not in self.end_order:
                    self.end_order.append(name)
            elif role() == "chief":
                # The worker may be at it still. If not, it asks again, under the same name.
                self._retry_queue.remove(name)
                self.ongoing_trials[worker] = self.trials[name]


def _write(path, state):
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(state))
