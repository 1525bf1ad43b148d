"""The worker of a search: asks for a trial, trains it as a run, tells what came out, and forgets it."""

import time
from pathlib import Path

import keras_tuner
from keras_tuner.engine.trial import TrialStatus

from sertk.atomic import replacing
from sertk.tuning.distributed import is_worker
from sertk.tuning.forgetting import forgetting
from sertk.tuning.hparams import write_session
from sertk.tuning.trial_run import of_trial, train_trial

# How often a worker asks again that has to wait for others. Keras Tuner asks without pause.
IDLE_SECONDS = 1.0
# So many trials that fail before any is completed: the settings that all have in common are to blame.
HOPELESS = 5


class RunTuner(keras_tuner.Tuner):
    """Keras Tuner's loop over trials, each of them a run.

    A trial that fails, because its loss became infinite or the memory did not do, is marked as failed, and the search
    goes on. What concerns all trials ends it: a file that can't be read or written, a chief who is gone, or one failure
    after the other from the beginning.

    Args:
        oracle: one of sertk's.
        hypermodel: `RecipeHyperModel`.
        directory: the search's folder.
        material: `Material`.
        epochs: int, those of a trial where the oracle doesn't say.
        say: function that is given lines about what happens.
    """

    def __init__(self, oracle, hypermodel, directory, material, epochs, say=print):
        self._material = material
        self._epochs = epochs
        self._say = say
        self._waiting = False
        self._completed = self._failed = 0
        directory = Path(directory).absolute()
        super().__init__(oracle, hypermodel=hypermodel, directory=str(directory.parent), project_name=directory.name)

    def run_trial(self, trial):
        """Trains a trial.

        Returns:
            dict of floats, that of `train_trial`.
        """
        hp = trial.hyperparameters
        past = hp.values.get("tuner/trial_id")
        recipe = of_trial(self.hypermodel.recipe(hp), hp.values.get("tuner/epochs", self._epochs))
        directory = Path(self.get_trial_dir(trial.trial_id))
        past = None if past is None else Path(self.get_trial_dir(past))
        with forgetting():
            figures = train_trial(recipe, directory, self._material, past)
        write_session(directory / "hparams", trial.trial_id, own_values(hp), figures)
        return figures

    def pre_create_trial(self):
        if self._waiting:
            time.sleep(IDLE_SECONDS)
        self._waiting = True

    def on_trial_begin(self, trial):
        self._waiting = False
        values = trial.hyperparameters.values
        chosen = ", ".join(f"{name}={shown(value)}" for name, value in own_values(trial.hyperparameters).items())
        first, last = values.get("tuner/initial_epoch", 0), values.get("tuner/epochs", self._epochs)
        from_where = f" on from trial {values['tuner/trial_id']}," if "tuner/trial_id" in values else ""
        self._say(f"trial {trial.trial_id}:{from_where} epochs {first + 1} to {last} at most, {chosen}")

    def on_trial_end(self, trial):
        # Before it counts as ended: whoever writes the table then knows why it failed.
        if trial.status == TrialStatus.FAILED:
            with replacing(Path(self.get_trial_dir(trial.trial_id)) / "failed.txt") as unfinished:
                unfinished.write_text(trial.message + "\n")
        super().on_trial_end(trial)
        if trial.status == TrialStatus.FAILED:
            self._failed += 1
            self._say(f"trial {trial.trial_id}: failed, and the search goes on. {trial.message}")
        else:
            self._completed += 1
        if self._failed >= HOPELESS and not self._completed:
            raise ValueError(
                f"{self.project_dir}: the first {self._failed} trials have failed; mend what they have in common. "
                f"Received: {trial.message}"
            )

    def _try_run_and_update_trial(self, trial, *args, **kwargs):
        try:
            figures = self.run_trial(trial)
        except Exception as error:
            if _concerns_all(error):
                raise
            trial.status, trial.message = TrialStatus.FAILED, _reason(error)
            return
        self.oracle.update_trial(trial.trial_id, figures)
        self._say(f"trial {trial.trial_id}: {told(figures, self._material.objective)}")
        trial.status = TrialStatus.COMPLETED

    def _populate_initial_space(self):
        # Keras Tuner would build the network to see for what it asks.
        hp = self.oracle.get_space()
        self.hypermodel.declare_hyperparameters(hp)
        self.oracle.update_space(hp)

    def save(self):
        if not is_worker():
            self.oracle.save()

    def reload(self):
        if not is_worker():
            self.oracle.reload()

    def _get_tuner_fname(self):
        # What tells that a search is there. Keras Tuner's own file comes with the end of the first trial only.
        return self.oracle._get_oracle_fname()


def own_values(hyperparameters):
    """The values that a space asked for, without those of Hyperband.

    Args:
        hyperparameters: `keras_tuner.HyperParameters`.

    Returns:
        dict.
    """
    return {name: value for name, value in hyperparameters.values.items() if not name.startswith("tuner/")}


def shown(value):
    """A value as it is told: numbers with three digits."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def told(figures, objective):
    """What came out of a trial, in words."""
    named = {"val_accuracy": "validation accuracy", "val_linear_accuracy": "linear validation accuracy"}
    return (
        f"{named[objective]} {figures[objective]:.1%}, validation loss {figures['val_loss']:.3f}, epoch "
        f"{figures['kept_epoch']:.0f} of {figures['epochs']:.0f}"
    )


def _concerns_all(error):
    """Whether an error is none of the trial's."""
    import grpc

    return isinstance(error, OSError | grpc.RpcError | keras_tuner.errors.FatalError)


def _reason(error):
    lines = str(error).strip().splitlines() or [""]
    return lines[0] if isinstance(error, ValueError) else f"{type(error).__name__}: {lines[0]}"
