"""The one place that knows neural-structured-learning: its code, under TensorFlow and Keras of today.

Offered are `configs`, NSL's configuration objects (`make_graph_reg_config`, `make_adv_reg_config`, ...); `tools`, its
graph builder, readers and writers; and the functions below. Its Keras models are not: they are written for Keras 2, run
the network twice a step and let neighbours into the batch-norm statistics. `GraphRegularization` and
`AdversarialRegularization` take their place.

Source: Gopalan et al. (2021), "Neural structured learning: training neural networks with structured signals".
"""

import sys
import types
from pathlib import Path

import tensorflow as tf


def _imported():
    """NSL 1.4 imports `tensorflow.estimator`, which TensorFlow has no more; only its Estimator models would use it."""
    name = "tensorflow.estimator"
    missing = not hasattr(tf, "estimator") and name not in sys.modules
    if missing:
        sys.modules[name] = types.ModuleType(name)
    try:
        import neural_structured_learning
    except ModuleNotFoundError as error:
        if error.name != "neural_structured_learning":
            raise
        raise ImportError(
            "neural-structured-learning is needed for structured learning; pip install neural-structured-learning"
        ) from error
    finally:
        if missing:
            del sys.modules[name]
    return neural_structured_learning


def _open(file, mode="r", **options):
    """What NSL's reader of graphs opens its file with: the mode "rU" that it asks for has gone from Python."""
    return Path(file).open(mode.replace("U", ""), **options)


_nsl = _imported()
_nsl.tools.graph_utils.open = _open

configs = _nsl.configs
tools = _nsl.tools
gen_adv_neighbor = _nsl.lib.gen_adv_neighbor
unpack_neighbor_features = _nsl.lib.unpack_neighbor_features


def pairwise_distance(sources, targets, weights, config):
    """The distance between each row and its neighbours, reduced to one number.

    Args:
        sources: `(batch, channels)`, one row a clip.
        targets: `(batch * neighbours, channels)`: the neighbours of the first clip, then those of the second, ...
        weights: `(batch * neighbours, 1)`, the weight of each edge.
        config: `configs.DistanceConfig`.

    Returns:
        A float32 scalar, computed in float32: with NSL's default reduction the sum of weighted distances over the
        number of weights that are not 0, and 0 where all are.

    Example:
        >>> config = configs.DistanceConfig(distance_type="l2", sum_over_axis=-1)
        >>> pairwise_distance([[0.0, 0.0]], [[3.0, 4.0], [9.0, 9.0]], [[0.5], [0.0]], config)
        12.5
    """
    sources, targets, weights = (tf.cast(tensor, tf.float32) for tensor in (sources, targets, weights))
    repeated = _nsl.lib.replicate_embeddings(sources, tf.shape(targets)[0] // tf.shape(sources)[0])
    return _nsl.lib.pairwise_distance_wrapper(repeated, targets, weights, config)
