"""The forms of one model: for clips of one length or padded batches, to its end or to a layer, of the same layers."""

import keras
from keras import layers

from sertk.models.ssl.context_network import ContextNetwork
from sertk.models.ssl.feature_encoder import FeatureEncoder
from sertk.models.ssl.lengths import FrameCounts


def connect(steps, samples=None, *, padded=False, hidden_states=False, name=None):
    """Builds the model that runs layers one after the other, each with the lengths it asks for.

    Args:
        steps: layers; the attribute `lengths_in`, "samples" or "frames", says that one takes lengths, and which.
        samples: int, the length of the input, or None for any length. Defaults to None.
        padded: bool, whether the model takes lengths. Defaults to False.
        hidden_states: bool, whether the transformer, being the last step, gives the states of all its layers.
            Defaults to False.
        name: str, the model's name. Defaults to None.

    Returns:
        A functional `keras.Model`.
    """
    waveforms = x = keras.Input((samples,), dtype="float32", name="waveform")
    known = {"samples": keras.Input((), dtype="int32", name="lengths")} if padded else {}
    for step in steps:
        options = {"lengths": known[step.lengths_in]} if padded and hasattr(step, "lengths_in") else {}
        x = step(x, **options)
        if isinstance(step, ContextNetwork) and not (hidden_states and step is steps[-1]):
            x = x[-1]
        if padded and isinstance(step, FeatureEncoder):
            known["frames"] = FrameCounts(step.kernels, step.strides, name="frame_counts")(known["samples"])
    return keras.Model([waveforms, known["samples"]] if padded else waveforms, x, name=name)


def with_lengths(model):
    """The same network for padded batches.

    Input: `[waveform, lengths]` or a dict with these names: float32, `(batch, samples)`, and int32, `(batch,)`, the
        valid samples of each clip.

    Args:
        model: keras.Model, what `ssl_encoder` or `ssl_classifier` built, loaded or not.

    Returns:
        A functional `keras.Model` with the same layers and weights.

    Raises:
        ValueError: if `model` is another.
    """
    return _rebuilt(model, padded=True)


def without_lengths(model):
    """The same network for clips that are valid throughout: one input, `(batch, samples)`.

    Args:
        model: as in `with_lengths`.

    Returns:
        A functional `keras.Model` with the same layers and weights.

    Raises:
        ValueError: if `model` is another.
    """
    return _rebuilt(model, padded=False)


def until(model, layer):
    """The part of a network up to a layer: the embedding of a classifier, say.

    Args:
        model: as in `with_lengths`.
        layer: str, its name, such as "embedding" or "encoder".

    Returns:
        A functional `keras.Model` with the same inputs, layers and weights.

    Raises:
        ValueError: if there is no such layer, or `model` is another.

    Example:
        >>> until(ssl_classifier(head="two_layer"), "embedding").output_shape
        (None, 256)
    """
    names = [step.name for step in _steps(model)]
    if layer not in names:
        raise ValueError(f"`layer` must be one of {', '.join(names)}. Received: layer={layer!r}")
    return _rebuilt(model, end=names.index(layer) + 1)


def with_hidden_states(model):
    """The part of a network up to the transformer, giving the hidden states of all its layers.

    Output: a list, `(batch, frames, channels)` each: the transformer's input, then what comes out of each layer.

    Args:
        model: as in `with_lengths`.

    Returns:
        A functional `keras.Model` with the same inputs, layers and weights.

    Raises:
        ValueError: if `model` is another.
    """
    names = [step.name for step in _steps(model)]
    return _rebuilt(model, end=names.index("encoder") + 1, hidden_states=True)


def takes_lengths(model):
    """Whether a model is of the form for padded batches."""
    return any(tensor.name == "lengths" for tensor in model.inputs)


def _steps(model):
    """The chain of a model's layers, without what the forms add."""
    if not any(isinstance(layer, FeatureEncoder) for layer in model.layers):
        raise ValueError(
            "`model` must be what `ssl_encoder` or `ssl_classifier` built, not a model around it. "
            f"Received: {model.name}, of {', '.join(layer.name for layer in model.layers)}"
        )
    return [step for step in model.layers if not isinstance(step, layers.InputLayer | FrameCounts)]


def _rebuilt(model, *, padded=None, end=None, hidden_states=False):
    steps = _steps(model)[:end]
    (samples,) = next(tensor.shape[1:] for tensor in model.inputs if tensor.name == "waveform")
    padded = takes_lengths(model) if padded is None else padded
    hidden_states = hidden_states or (end is None and len(model.outputs) > 1)
    return connect(steps, samples, padded=padded, hidden_states=hidden_states, name=model.name)
