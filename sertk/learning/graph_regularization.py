"""Graph regularisation: a classifier that keeps what it makes of a clip close to what it makes of its neighbours."""

import itertools

import keras
import tensorflow as tf

from sertk.learning import nsl
from sertk.learning.batch_statistics import statistics_of_first
from sertk.learning.regularized import RegularizedModel
from sertk.models.exposed import exposing, find_layers

DISTRIBUTIONS = (nsl.configs.DistanceType.KL_DIVERGENCE, nsl.configs.DistanceType.JENSEN_SHANNON_DIVERGENCE)
LINEWISE = (nsl.configs.DistanceType.COSINE, *DISTRIBUTIONS)


class GraphRegularization(RegularizedModel):
    """A classifier that learns with the neighbours that a graph gives each clip.

    In training the loss is that of `compile` plus `multiplier` times the distance between each clip and its neighbours,
    weighted by the edges. With NSL's default reduction both are means, over the clips and over the edges of the batch,
    where the paper writes sums. The gradient goes through clips and neighbours. Both go through the network in one
    pass; the neighbours are normalised with the clips' batch-norm statistics and have no part in them, nor in the
    moving averages, and the metrics see the clips alone. With a multiplier of 0 the neighbours are left out altogether.
    Layers that mix the clips of a batch in other ways, such as `attend_over="batch"`, would mix them with their
    neighbours.

    A batch for training is a dict, as NSL has it: each input of the classifier by its name, such as `features`, the
    same of each neighbour as `NL_nbr_0_features`, `NL_nbr_1_features`, ..., and `(batch, 1)` edge weights as
    `NL_nbr_0_weight`, ... A neighbour that there is not has the weight 0, and any valid features. Of padded clips, with
    `lengths`, neighbours may be shorter or longer than the batch.

    Everything else is as in `RegularizedModel`: evaluation, prediction, `save` and `export` are the classifier's, on
    its own inputs. The log has `graph_loss`, the mean distance before it is multiplied. The distance is computed in
    float32 under a mixed-precision policy too. XLA compiles the step where `compile` says so; NSL's own checks of
    distributions are left out then.

    Args:
        base_model: functional or sequential keras.Model with one output, such as `from_features(cnn())`; its weights
            are shared.
        config: `nsl.configs.GraphRegConfig`, such as `nsl.configs.make_graph_reg_config` builds. Defaults to the
            cosine distance to 3 neighbours with a multiplier of 0.01, as in the paper's Table 3.
        layer: str, the layer between whose outputs the distance is, such as "fc1", wherever in the model it is, or None
            for the model's output. It must give `(batch, channels)`. Defaults to None.

    Raises:
        ValueError: if an argument is out of range, or, in training, if a batch lacks neighbours.

    Example:
        >>> from sertk.learning import GraphRegularization, nsl
        >>> config = nsl.configs.make_graph_reg_config(
        ...     max_neighbors=3, multiplier=0.01, distance_type="cosine", sum_over_axis=-1
        ... )
        >>> model = GraphRegularization(sertk.models.from_features(network), config, layer="fc2")
        >>> sertk.learning.fit(model, train, validation, "training")

    Source: paper 003, eq. (2); Bui et al. (2018), "Neural graph learning"; NSL's `GraphRegularization`.
    """

    def __init__(self, base_model, config=None, layer=None):
        if config is None:
            config = nsl.configs.make_graph_reg_config(max_neighbors=3, distance_type="cosine", sum_over_axis=-1)
        if not isinstance(config, nsl.configs.GraphRegConfig):
            raise ValueError(
                "`config` must be an `nsl.configs.GraphRegConfig`; build it with `nsl.configs.make_graph_reg_config`. "
                f"Received: a {type(config).__name__}"
            )
        super().__init__(base_model, config.multiplier, "graph_loss")
        self.config = config
        self.layer = layer
        network = base_model if layer is None else exposing(base_model, layer)
        _check(config, network, base_model, layer)
        # A function, since a second model among its parts would stand in the checkpoints too.
        self._one_pass = lambda inputs: network(inputs, training=True)

    def train_step(self, data):
        if self.multiplier:
            # Here and not in `call`, where Keras would wrap the sentence into several of its own.
            self._check_batch(keras.utils.unpack_x_y_sample_weight(data)[0])
        return super().train_step(data)

    def call(self, inputs, training=False):
        if not training or not self.multiplier:
            return super().call(inputs, training)
        clips, neighbours, weights = self._unpacked(inputs)
        count = tf.shape(clips[self.base_names[0]])[0]
        together = {name: tf.concat([clips[name], neighbours[name]], axis=0) for name in clips}
        with statistics_of_first(self.base_model, count):
            outputs = self._one_pass(self.base_inputs(together))
        outputs, embeddings = (outputs, outputs) if self.layer is None else outputs
        distance = nsl.pairwise_distance(embeddings[:count], embeddings[count:], weights, self.config.distance_config)
        self.measured.update_state(distance, sample_weight=count)
        self.add_loss(self.multiplier * distance)
        return outputs[:count]

    def _keys(self):
        """The keys that a batch has for each input, the clips' own first, and those of the weights."""
        config = self.config.neighbor_config
        starts = [f"{config.prefix}{number}" for number in range(config.max_neighbors)]
        features = {name: [name, *(f"{start}_{name}" for start in starts)] for name in self.base_names}
        return features, [start + config.weight_suffix for start in starts]

    def _check_batch(self, inputs):
        features, weights = self._keys()
        held = sorted(inputs) if isinstance(inputs, dict) else []
        missing = [key for key in itertools.chain(*features.values(), weights) if key not in held]
        if missing:
            raise ValueError(
                f"A batch for training must be a dict with {', '.join(missing)}: clips, their neighbours and the "
                f"weights of the edges. Received: {', '.join(held) or 'no dict'}"
            )
        first = 2 if self._padded else 1
        for name, (_, *keys) in features.items():
            for key in keys:
                shape, expected = (tf.TensorShape(inputs[each].shape) for each in (key, name))
                if not shape[first:].is_compatible_with(expected[first:]):
                    raise ValueError(
                        f"`{key}` must have the shape of `{name}`, {tuple(expected)}. Received: {tuple(shape)}"
                    )

    @property
    def _padded(self):
        """Whether clips come with their lengths, so that zeros may follow them."""
        return "lengths" in self.base_names

    def _unpacked(self, inputs):
        """Clips and neighbours, each a dict of the classifier's inputs, and the weights of the edges."""
        features, weights = self._keys()
        given = {key: tf.reshape(inputs[key], (-1, 1)) for key in weights}
        for keys in features.values():
            tensors = [inputs[key] for key in keys]
            if self._padded and tensors[0].shape.rank > 1:
                tensors = _equally_long(tensors)
            # NSL takes no vectors, such as the lengths are.
            given |= {
                key: tensor[:, None] if tensor.shape.rank == 1 else tensor
                for key, tensor in zip(keys, tensors, strict=True)
            }
        clips, neighbours, weights = nsl.unpack_neighbor_features(given, self.config.neighbor_config)
        for tensors in (clips, neighbours):
            tensors |= {name: tensors[name][:, 0] for name in features if inputs[name].shape.rank == 1}
        return clips, neighbours, weights


def _equally_long(tensors):
    """Waveforms of several batches, with zeros behind the shorter ones."""
    longest = tf.reduce_max([tf.shape(tensor)[1] for tensor in tensors])
    return [tf.pad(tensor, [[0, 0], [0, longest - tf.shape(tensor)[1]]]) for tensor in tensors]


def _check(config, network, base_model, layer):
    """Refuses what NSL would refuse in a training step, or take for something else."""
    neighbors, distance = config.neighbor_config.max_neighbors, config.distance_config
    if not isinstance(neighbors, int) or isinstance(neighbors, bool) or neighbors < 1:
        raise ValueError(f"`max_neighbors` must be a positive integer. Received: max_neighbors={neighbors!r}")
    shape = getattr(network.outputs[-1], "shape", ())
    if len(network.outputs) > 2 or len(shape) != 2:
        raise ValueError(
            "`layer` must be one that gives a vector a clip, (batch, channels). "
            f"Received: layer={layer!r}, which gives {tuple(tuple(output.shape) for output in network.outputs[1:])}"
        )
    axes = (-1, 1) if distance.distance_type in LINEWISE else (None, -1, 1)
    if distance.sum_over_axis not in axes:
        raise ValueError(
            f"`sum_over_axis` must be -1, the channels, with distance_type={distance.distance_type.value!r}. "
            f"Received: sum_over_axis={distance.sum_over_axis!r}"
        )
    reductions = tf.compat.v1.losses.Reduction
    if distance.reduction not in set(reductions.all()) - {reductions.NONE}:
        raise ValueError(
            '`reduction` must make one number of all edges, as "weighted_sum_by_nonzero_weights" does. '
            f"Received: reduction={distance.reduction!r}"
        )
    softmax = distance.transform_fn is nsl.configs.TransformType.SOFTMAX
    if distance.distance_type in DISTRIBUTIONS and not softmax and not _gives_probabilities(base_model, layer):
        raise ValueError(
            f'`transform_fn` must be "softmax" for distance_type={distance.distance_type.value!r}, unless `layer` '
            f"gives probabilities. Received: layer={layer!r}, transform_fn={distance.transform_fn.value!r}"
        )


def _gives_probabilities(model, layer):
    """Whether a layer, or the last one, is a softmax; the average of several classifiers has the name of one."""
    last = model if layer is None else find_layers(model, layer)[0]
    while isinstance(last, keras.Model):
        last = last.layers[-1]
    softmax = getattr(last, "activation", None) is keras.activations.softmax
    return softmax or isinstance(last, keras.layers.Softmax) or last.name == "probabilities"
