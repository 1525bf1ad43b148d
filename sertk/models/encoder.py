"""The part of a classifier that makes one vector of a clip."""

import keras
from keras import layers

from sertk.models.exposed import exposing

# What stands behind the vector in a classifier's head.
HEAD = (layers.Dense, layers.Activation, layers.ReLU, layers.Softmax, layers.Dropout)


def encoder(network):
    """The network up to its pooled vector, without its dense layers.

    The vector is what enters the first of the dense layers at a classifier's end: the average of the last feature map
    in `cnn6`, `resnet9` and `vgg15`, the maximum or all values in `transfer_head`, what enters "logits" in the others.
    Dropout between the vector and these layers is left out too.

    Input: that of `network`.
    Output: `(batch, channels)`.

    Args:
        network: functional `keras.Model` that ends in dense layers, such as `cnn6()`, or one from `from_features` or
            `from_waveform` with such a network in it; it stays as it is.

    Returns:
        A functional `keras.Model` with the network's name, its layers and its weights.

    Raises:
        ValueError: if `network` is no such model, or takes an embedding too.

    Example:
        >>> encoder(sertk.models.resnet9()).output_shape
        (None, 512)

    Source: paper 000, section 3.1.2, "the representations utilized in subsequent tasks are those produced by the
        encoder"; Chen et al. (2020), SimCLR.
    """
    if not isinstance(network, keras.Model) or not getattr(network, "inputs", None):
        raise ValueError(
            "`network` must be a functional `keras.Model`, such as `sertk.models.cnn6()`. "
            f"Received: a {type(network).__name__}"
        )
    if any(tensor.name == "embedding" for tensor in network.inputs):
        raise ValueError(
            "`network` must take features alone: build it without `fusion`. "
            f"Received: inputs {', '.join(tensor.name for tensor in network.inputs)}"
        )
    exposed = exposing(network, _last_before_head(network, network.name).name)
    vector = exposed.outputs[1]
    if len(vector.shape) != 2:
        raise ValueError(
            "`network` must make one vector of a clip before its dense layers. "
            f"Received: {network.name}, in which {tuple(vector.shape)} enters them"
        )
    return keras.Model(exposed.input, vector, name=network.name)


def _last_before_head(model, name):
    """The layer whose output enters the dense layers at the end of a model, or of the network at its end."""
    for layer in reversed(model.layers):
        if isinstance(layer, keras.Model):
            return _last_before_head(layer, name)
        if isinstance(layer, layers.InputLayer):
            break
        if not isinstance(layer, HEAD):
            return layer
    raise ValueError(
        "`network` must have layers that make a vector of a clip before its dense layers. "
        f"Received: {name}, which has none"
    )
