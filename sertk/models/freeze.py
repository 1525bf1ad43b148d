"""Which layers of a backbone learn."""

import keras


def freeze(network, trainable):
    """Freezes a network but for its last convolution layers.

    With a number, everything else is frozen too, batch norm with it, wherever it stands: it stays in inference mode,
    its moving averages where they were.

    Args:
        network: functional `keras.Model`; it is changed.
        trainable: "all", "none" or an int, how many convolution layers learn, counted from the last in the order of
            `network.layers`; 0 is "none".

    Raises:
        ValueError: if `trainable` is neither, or more than the network has.
    """
    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    if trainable == "all":
        return
    count = 0 if trainable == "none" else trainable
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= len(convolutions):
        raise ValueError(
            f'`trainable` must be "all", "none" or how many of the last convolution layers learn, at most '
            f"{len(convolutions)} in {network.name}. Received: trainable={trainable!r}"
        )
    learning = convolutions[len(convolutions) - count :]
    for layer in network.layers:
        layer.trainable = layer in learning
