"""Ways to choose the settings of the next trial: at random, by a Gaussian process, or all of a grid."""

import itertools
import math

import keras_tuner
import numpy as np

from sertk.tuning.kept import STOPPED, Kept


class RandomOracle(Kept, keras_tuner.oracles.RandomSearchOracle):
    """Settings drawn at random, none of them twice."""


class BayesianOracle(Kept, keras_tuner.oracles.BayesianOptimizationOracle):
    """Settings that a Gaussian process expects most of, after some that are drawn at random.

    Where the best guess is one that was tried before, which Keras Tuner would train again, one is drawn.
    """

    def _next(self, trial_id):
        response = super()._next(trial_id)
        values = response.get("values")
        return self._random_populate_space() if values and self._duplicate(values) else response


class GridOracle(Kept, keras_tuner.Oracle):
    """All combinations, the last parameter varying fastest; of a continuous one some evenly spaced values.

    Keras Tuner's own grid search forgets where it was when it is killed.

    Args:
        points: int, values of a continuous parameter, its bounds among them, evenly spaced on its scale. Defaults to 4.
        options: of `keras_tuner.Oracle`.
    """

    def __init__(self, points=4, **options):
        super().__init__(**options)
        self.points = points

    @property
    def _size(self):
        return math.prod(len(values) for values in self._axes().values())

    def _next(self, trial_id):
        axes = self._axes()
        for combination in itertools.product(*axes.values()):
            values = dict(zip(axes, combination, strict=True))
            if not self._duplicate(values):
                return {"status": "RUNNING", "values": values}
        return STOPPED

    def _axes(self):
        return {hp.name: grid_values(hp, self.points) for hp in self.get_space().space}


def grid_values(parameter, points):
    """The values of a parameter in a grid, in rising order where they are numbers.

    Args:
        parameter: one of a `keras_tuner.HyperParameters`' space.
        points: int, how many values of a continuous one.

    Returns:
        list.
    """
    if not hasattr(parameter, "min_value") or parameter.step is not None:
        return list(parameter.values)
    lowest, highest = parameter.min_value, parameter.max_value
    if points == 1:
        return [parameter.default]
    spaced = np.geomspace if parameter.sampling == "log" else np.linspace
    # Twelve digits: 1e-4 and not 1.0000000000000002e-4.
    return [float(f"{value:.12g}") for value in spaced(lowest, highest, points)]
