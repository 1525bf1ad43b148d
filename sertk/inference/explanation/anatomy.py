"""What a run's model is made of: the steps to its features, and the networks behind them."""

import keras

from sertk.features import MFCC, LogMelSpectrogram, SpectrogramImage


class Anatomy:
    """The parts of a model that `from_waveform` built.

    Args:
        model: keras.Model from waveforms to probabilities.

    Attributes:
        cutting: the layer that makes clips equally long, or None.
        features: the layer that makes spectrograms, or pictures of them.
        members: the networks whose probabilities are averaged; a single one where the model is no ensemble.

    Raises:
        ValueError: if the model makes no features.
    """

    def __init__(self, model):
        kinds = LogMelSpectrogram | MFCC | SpectrogramImage
        self.features = next((layer for layer in model.layers if isinstance(layer, kinds)), None)
        if self.features is None:
            raise ValueError(
                "`model` must hear features, of which times and bands can be shown; a network on waveforms or "
                "embeddings has none. What a recording says from moment to moment tells `sertk predict --timeline`. "
                f"Received: a model of {', '.join(layer.name for layer in model.layers)}"
            )
        self.cutting = next((layer for layer in model.layers if hasattr(layer, "trim_top_db")), None)
        self.network = model.layers[-1]
        self._normalization = [layer for layer in model.layers if isinstance(layer, keras.layers.Normalization)]
        self._embedder = next((layer for layer in model.layers if layer.name == "embedder"), None)
        inner = [layer for layer in self.network.layers if isinstance(layer, keras.Model)]
        averages = isinstance(self.network.layers[-1], keras.layers.Average)
        self.members = inner if averages else [self.network]

    def heard(self, waveform):
        """The waveform as the features take it, cut or padded: a tensor `(1, samples)`."""
        waveform = keras.ops.convert_to_tensor(waveform[None])
        return waveform if self.cutting is None else self.cutting(waveform)

    def inputs(self, features, waveform):
        """What the networks take of a batch of one clip's features: these alone, or with the clip's embedding.

        Args:
            features: tensor, `(batch, frames, bands)` or images.
            waveform: float32 array `(samples,)`, the clip as it came.
        """
        for step in self._normalization:
            features = step(features)
        if self._embedder is None:
            return features
        lengths = keras.ops.convert_to_tensor([len(waveform)], "int32")
        embedding = self._embedder([keras.ops.convert_to_tensor(waveform[None]), lengths])
        return [features, keras.ops.repeat(embedding, features.shape[0], axis=0)]


def feature_maps(network):
    """The last feature maps of a network's convolutions, before they are pooled or flattened into a vector.

    Args:
        network: functional `keras.Model` on features.

    Returns:
        list of KerasTensor, each `(batch, rows, columns, channels)`, one for each branch; empty where anything of the
        features reaches the output by a way without convolutions, about which they would say nothing.
    """
    maps, seen, waiting = [], set(), [network.outputs[0]]
    while waiting:
        tensor = waiting.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        if len(tensor.shape) == 4 and _convolves(tensor):
            maps.append(_before_pooling(tensor))
        elif tensor is network.inputs[0]:
            return []
        else:
            waiting += _inputs_of(tensor)
    return maps


def logits(network):
    """What enters a network's softmax, a KerasTensor; its output where it has no softmax of its own."""
    output = network.outputs[0]
    return _inputs_of(output)[0] if isinstance(output._keras_history.operation, keras.layers.Softmax) else output


def _inputs_of(tensor):
    operation, node, _ = tensor._keras_history
    return operation._inbound_nodes[node].input_tensors


def _convolves(tensor):
    """Whether a convolution lies on the way to a tensor, in networks that are layers too."""
    if _is_convolution(tensor._keras_history.operation):
        return True
    return any(_convolves(before) for before in _inputs_of(tensor))


def _is_convolution(layer):
    if isinstance(layer, keras.Model):
        return any(map(_is_convolution, layer.layers))
    return isinstance(layer, keras.layers.Conv2D | keras.layers.SeparableConv2D | keras.layers.DepthwiseConv2D)


def _before_pooling(tensor):
    """The same map where it is finest: pools make it coarser, and dropout does nothing."""
    passing = (
        keras.layers.MaxPooling2D | keras.layers.AveragePooling2D | keras.layers.Dropout | keras.layers.SpatialDropout2D
    )
    while isinstance(tensor._keras_history.operation, passing):
        tensor = _inputs_of(tensor)[0]
    return tensor
