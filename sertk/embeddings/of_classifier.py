"""From a trained classifier of any kind to its embedding: the vector that enters its last layer, or leaves another."""

import keras

from sertk.models.exposed import exposing


def classifier_embedder(model, layer=None, name="embedder"):
    """Builds the model from waveforms to what a classifier makes of each, one vector a clip.

    What it hears of a clip, its middle or the clip again and again, depends on how far the clip is padded, wherever the
    classifier makes all clips equally long: `embed` gives it clips of one length at a time.

    Input: a list of `waveform`, float32, `(batch, samples)`, and `lengths`, int32, `(batch,)`, in samples.
    Output: `(batch, channels)`.

    Args:
        model: keras.Model from waveforms, with or without their lengths, to probabilities: a run's model.
        layer: str, the name of the layer whose output is the embedding, such as "fc1", at any depth; None or
            "embedding" for what enters the last dense layer, or the projection head of contrastive learning. Defaults
            to None.
        name: str, the model's name.

    Returns:
        A functional `keras.Model` that shares its weights with the classifier.

    Raises:
        ValueError: if there is no such layer, or it gives no vector a clip.

    Example:
        >>> classifier_embedder(from_waveform(cnn6(), log_mel, fixed_length=FixedLength(95_744))).output_shape
        (None, 256)
    """
    if layer in (None, "embedding"):
        to_vector = _until(model, _last_dense(model))
    else:
        exposed = exposing(model, layer)
        to_vector = keras.Model(exposed.inputs, exposed.outputs[1])
    if len(to_vector.output_shape) != 2:
        raise ValueError(
            f"`layer` must be one that gives a vector a clip, such as fc1. Received: layer={layer!r}, which gives "
            f"{to_vector.output_shape}"
        )
    given = {
        "waveform": keras.Input((None,), name="waveform"),
        "lengths": keras.Input((), dtype="int32", name="lengths"),
    }
    vector = to_vector([given[tensor.name] for tensor in model.inputs])
    return keras.Model(list(given.values()), vector, name=name)


def _last_dense(model):
    """The dense layer nearest to a model's output, inside its last network where that is one of several parts.

    A projection head, which is there for contrastive learning alone, counts as a whole: its first layer.
    """
    head = model.name == "projection_head"
    for layer in model.layers if head else reversed(model.layers):
        if isinstance(layer, keras.layers.Dense):
            return layer
        if isinstance(layer, keras.Model):
            return _last_dense(layer)
    raise ValueError(
        "`model` must have a dense layer, or `layer` name another. "
        f"Received: a model of {', '.join(layer.name for layer in model.layers)}"
    )


def _until(model, wanted):
    """The part of a model up to what enters a layer, which may be in a network that is a layer of the model."""
    found = []

    def call(layer, *args, **kwargs):
        if layer is wanted:
            found.append(keras.layers.Identity()(args[0]))  # an input can't be a model's output as it is
        elif _holds(layer, wanted):
            found.append(_until(layer, wanted)(*args, **kwargs))
        return layer(*args, **kwargs)

    again = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
    return keras.Model(again.inputs, found[0], name=model.name)


def _holds(model, wanted):
    return any(layer is wanted or _holds(layer, wanted) for layer in getattr(model, "layers", []))
