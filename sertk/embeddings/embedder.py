"""From a network to its embedding: the part that is frozen, with pooling over the valid frames."""

import keras

from sertk.models.masked_pooling import KINDS, MaskedPooling
from sertk.models.ssl.forms import until, with_hidden_states, with_lengths
from sertk.models.ssl.lengths import FrameCounts


def embedder(network, layer=None, pooling="mean", name="embedder"):
    """Builds the model from padded waveforms to one vector a clip, or one a frame.

    Input: a list of `waveform`, float32, `(batch, samples)`, and `lengths`, int32, `(batch,)`, in samples.
    Output: `(batch, channels)`; with `pooling="none"` `(batch, frames, channels)`, of which those behind a clip's own
        frames are not its.

    Args:
        network: keras.Model, a speech encoder or a classifier on one: what `sertk.models.ssl_encoder`,
            `sertk.models.ssl_classifier` or `sertk.models.ssl.pretrained.from_pretrained` built.
        layer: int, which hidden state: 0 is what enters the transformer, k what leaves its k-th layer, -1 the last;
            "mean", the mean of all of them; "embedding", a classifier's own pooled vector, before its last layer. None
            is the last hidden state. Defaults to None.
        pooling: "mean", "sum" or "max" over the valid frames, or "none". Defaults to "mean"; a classifier's own vector
            is pooled already.
        name: str, the model's name.

    Returns:
        A functional `keras.Model` that shares its weights with the network.

    Raises:
        ValueError: if the network has no such layer, or `pooling` is another word.

    Example:
        >>> embedder(ssl_encoder(), layer="mean").output_shape
        (None, 768)
    """
    if pooling not in (*KINDS, "none"):
        raise ValueError(f"`pooling` must be one of {', '.join(KINDS)}, none. Received: pooling={pooling!r}")
    waveform = keras.Input((None,), name="waveform")
    lengths = keras.Input((), dtype="int32", name="lengths")
    if layer == "embedding":
        vector = with_lengths(until(network, "embedding"))([waveform, lengths])
        return keras.Model([waveform, lengths], vector, name=name)
    states = with_lengths(with_hidden_states(network))([waveform, lengths])
    x = _chosen(states, layer)
    if pooling != "none":
        convolutions = network.get_layer("feature_encoder")
        frames = FrameCounts(convolutions.kernels, convolutions.strides, name="frame_counts")(lengths)
        x = MaskedPooling(pooling, name="embedding")(x, lengths=frames)
    return keras.Model([waveform, lengths], x, name=name)


def _chosen(states, layer):
    if layer == "mean":
        return keras.layers.Average(name="mean_of_layers")(states)
    if layer is None:
        return states[-1]
    if isinstance(layer, bool) or not isinstance(layer, int) or not -len(states) <= layer < len(states):
        raise ValueError(
            f'`layer` must be an integer from 0 to {len(states) - 1}, -1 for the last, "mean" or "embedding". '
            f"Received: layer={layer!r}"
        )
    return states[layer]
