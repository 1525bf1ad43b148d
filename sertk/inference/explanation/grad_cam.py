"""Grad-CAM: where a convolutional network's last feature map speaks for a class."""

import keras
import numpy as np

from sertk.inference.explanation.anatomy import feature_maps, logits


def grad_cam(network, inputs, class_index, *, averaged=False):
    """Draws where the last feature maps of a network speak for a class.

    The heat of a place is the sum, over the channels, of the map times the gradient of the class's logit there; what is
    below 0 is left out. Published Grad-CAM takes one gradient a channel, averaged over all places. Where the network
    itself averages its maps that is the same but for a factor; where it flattens them, as paper 004's do, it shows
    places that the network does not look at (Draelos and Carin), so that here each place keeps its own gradient
    unless `averaged`.

    Args:
        network: functional `keras.Model` on features.
        inputs: what it takes, of one clip, `(1, rows, columns)` or an image.
        class_index: int.
        averaged: bool, whether gradients are averaged over all places, as published. Defaults to False.

    Returns:
        float64 array `(rows, columns)` of the features, at least 0: the map, brought to the features' size, the sum of
        all branches.

    Raises:
        ValueError: if features reach the output by a way without convolutions, or there is none at all.

    Source: Selvaraju et al. (2017), Grad-CAM; Draelos and Carin (2020), HiResCAM, arXiv:2011.08891.
    """
    maps = feature_maps(network)
    if not maps:
        raise ValueError(
            "`network` must have convolutions through which all of its features go; integrated gradients explain any. "
            f"Received: {network.name}, which has none, or a way past them"
        )
    import tensorflow as tf

    exposed = keras.Model(network.inputs, [logits(network), *maps])
    inputs = [tf.convert_to_tensor(one) for one in (inputs if isinstance(inputs, list) else [inputs])]
    with tf.GradientTape() as tape:
        tape.watch(inputs)  # weights that do not train are not recorded by themselves
        scores, *activations = exposed(inputs, training=False)
        score = scores[0, class_index]
    heats = []
    for activation, gradient in zip(activations, tape.gradient(score, activations), strict=True):
        if averaged:
            gradient = tf.reduce_mean(gradient, axis=(1, 2), keepdims=True)
        heat = tf.reduce_sum(activation * gradient, axis=-1)[0]
        heats.append(_enlarged(np.maximum(heat.numpy().astype("float64"), 0), inputs[0].shape[1:3]))
    return np.sum(heats, axis=0)


def _enlarged(heat, shape):
    """A map at the size of the features, linear between the middles of its cells."""
    for axis, size in enumerate(shape):
        cells = heat.shape[axis]
        middles = (np.arange(cells) + 0.5) * _stride(size, cells) - 0.5
        heat = np.apply_along_axis(lambda row, at=middles, size=size: np.interp(np.arange(size), at, row), axis, heat)
    return heat


def _stride(size, cells):
    """How many frames or bands a cell covers.

    Pools leave a rest at the end, so that 94 frames are 11 cells of 8: a power of 2, as in all networks of papers, and
    not 94 / 11.
    """
    stride = 2.0 ** round(np.log2(size / cells))
    return stride if abs(size / cells / stride - 1) < 0.2 else size / cells
