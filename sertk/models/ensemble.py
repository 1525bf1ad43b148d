"""Several classifiers that answer as one."""

import keras
from keras import layers


def ensemble(networks, name="ensemble"):
    """Builds one model that averages the probabilities of several.

    Input: what each of them takes.
    Output: probabilities, `(batch, num_classes)`, the unweighted mean.

    Args:
        networks: list of functional `keras.Model`, all with the same input and output shape and each with a name of its
            own; their weights are shared with the ensemble.
        name: str, the model's name.

    Returns:
        A functional `keras.Model`; of a single network that network itself.

    Raises:
        ValueError: if there is no network, their shapes differ, or two have the same name.

    Example:
        >>> ensemble([cnn(name="first"), cnn(name="second")]).count_params()
        54990

    Source: Hansen and Salamon (1990), IEEE Transactions on Pattern Analysis and Machine Intelligence 12(10).
    """
    if not networks:
        raise ValueError("`networks` must hold at least one network. Received: an empty list")
    shapes = sorted({f"{network.input_shape} to {network.output_shape}" for network in networks})
    if len(shapes) > 1:
        raise ValueError(f"`networks` must all take and give the same shapes. Received: {', '.join(shapes)}")
    names = [network.name for network in networks]
    if len(set(names)) < len(names):
        raise ValueError(f"`networks` must have a name each; pass `name=` to their builder. Received: {names}")
    if len(networks) == 1:
        return networks[0]
    inputs = keras.tree.map_structure(
        lambda one: keras.Input(batch_shape=one.shape, dtype=one.dtype, name=one.name), networks[0].input
    )
    average = layers.Average(name="probabilities", dtype="float32")([network(inputs) for network in networks])
    return keras.Model(inputs, average, name=name)
