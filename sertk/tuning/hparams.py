"""A search in TensorBoard's tab HPARAMS: `tensorboard --logdir` with the search's folder."""

import contextlib
import shutil

import tensorflow as tf
from tensorboard.plugins.hparams import api


def write_experiment(directory, space, figures):
    """Writes what is varied and what is measured.

    Args:
        directory: folder for the event file; what is in it is replaced.
        space: list of a `keras_tuner.HyperParameters`' parameters.
        figures: names of the figures, such as "val_accuracy".
    """
    shutil.rmtree(directory, ignore_errors=True)
    parameters = [api.HParam(parameter.name, _domain(parameter)) for parameter in space]
    with _written(directory):
        api.hparams_config(hparams=parameters, metrics=[api.Metric(name) for name in figures])


def write_session(directory, name, values, figures):
    """Writes a trial: its settings and its figures.

    Args:
        directory: folder for the event file; what is in it is replaced.
        name: str, by which TensorBoard knows the trial.
        values: dict of the settings.
        figures: dict of floats.
    """
    shutil.rmtree(directory, ignore_errors=True)
    with _written(directory):
        api.hparams(dict(values), trial_id=name)
        for figure, value in figures.items():
            tf.summary.scalar(figure, value, step=0)


@contextlib.contextmanager
def _written(directory):
    writer = tf.summary.create_file_writer(str(directory))
    with writer.as_default():
        yield
    writer.close()


def _domain(parameter):
    if not hasattr(parameter, "min_value"):
        return api.Discrete(list(parameter.values))
    if parameter.step is not None:
        return api.Discrete(list(parameter.values))
    kind = api.IntInterval if isinstance(parameter.min_value, int) else api.RealInterval
    return kind(parameter.min_value, parameter.max_value)
