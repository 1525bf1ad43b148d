"""Layers of layers that stay frozen when they are loaded."""


def freeze_inside(layer):
    """Freezes what is inside a layer that is frozen: the configuration of a saved model tells it to the layer alone.

    Args:
        layer: keras.layers.Layer, whose layers are built.
    """
    if not layer.trainable:
        layer.trainable = True  # an assignment that changes nothing would be passed over
        layer.trainable = False
