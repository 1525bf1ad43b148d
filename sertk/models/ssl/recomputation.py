"""Gradient checkpointing: a layer's insides are computed anew for the gradient and not kept for it."""

import keras
from keras import ops


def recomputed(block, dropouts, inputs, *constants):
    """Calls a layer in training such that only its inputs are kept until the gradient is computed.

    The gradient is the very one of a plain call: the second time, dropout draws what it drew the first time. Inside,
    the layer's weights and random states are plain tensors, so that backends need not follow variables.

    Args:
        block: built keras.layers.Layer, called as `block(inputs, *constants, training=True)`.
        dropouts: the `keras.layers.Dropout` in it, each of which is called once.
        inputs: tensor, through which the gradient goes.
        *constants: tensors or None, through which none goes.

    Returns:
        The layer's output.

    Source: Chen et al. (2016), Training deep nets with sublinear memory cost.
    """
    weights = block.weights
    states = [dropout.seed_generator.state for dropout in dropouts if dropout.rate]
    # What `next` returns is the state as it was: the inner draw starts from it, the outer one has moved it on.
    drawn = [dropout.seed_generator.next() for dropout in dropouts if dropout.rate]

    def run(inputs, *values):
        mapping = list(zip(weights + states, [*values, *drawn], strict=True))
        with keras.StatelessScope(state_mapping=mapping, initialize_variables=False):
            return block(inputs, *constants, training=True)

    return keras.remat(run)(inputs, *[ops.convert_to_tensor(weight.value) for weight in weights])
