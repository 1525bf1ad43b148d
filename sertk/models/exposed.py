"""A network that also gives what one of its layers makes, wherever in it that layer is."""

import contextlib

import keras


def exposing(model, layer):
    """Builds the same network with the output of a named layer beside its own, both from one pass.

    The layer may be inside a network that is a layer of the model, as in what `from_waveform`, `from_features` and
    `from_padded` build.

    Input: that of `model`.
    Output: a list: the model's output, then the layer's.

    Args:
        model: functional or sequential `keras.Model`; it stays as it is.
        layer: str, the layer's name, such as "fc1".

    Returns:
        A functional `keras.Model` with the same layers and weights.

    Raises:
        ValueError: if no layer has this name, or more than one, or `model` is of another kind.

    Example:
        >>> network = from_features(sertk.models.cnn())
        >>> [tuple(output.shape) for output in exposing(network, "logits").outputs]
        [(None, 7), (None, 7)]
    """
    found = find_layers(model, layer)
    if len(found) != 1:
        raise ValueError(
            f"`layer` must name one layer, of these: {', '.join(dict.fromkeys(_names(model)))}. "
            f"Received: layer={layer!r}, the name of {len(found) or 'none'} of them"
        )
    return _rebuilt(model, found[0])


def find_layers(model, name):
    """The layers of a model that have a name, those of the networks in it too.

    Args:
        model: keras.Model.
        name: str.

    Returns:
        A list of `keras.layers.Layer`, each once.

    Raises:
        ValueError: if `model` is neither functional nor sequential.
    """
    if not isinstance(model, keras.Model) or not model.built or not getattr(model, "inputs", None):
        raise ValueError(
            "`model` must be a functional `keras.Model`, or a sequential one that knows its input. "
            f"Received: a {type(model).__name__}"
        )
    return list({id(layer): layer for layer in _layers(model) if layer.name == name}.values())


def _layers(model):
    for layer in model.layers:
        if not isinstance(layer, keras.layers.InputLayer):
            yield layer
            if isinstance(layer, keras.Model):
                yield from _layers(layer)


def _names(model):
    return [layer.name for layer in _layers(model)]


def _rebuilt(model, wanted):
    if isinstance(model, keras.Sequential):
        model = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    if any(layer is wanted for layer in model.layers) and not isinstance(wanted, keras.Model):
        # As long as the layer is in one graph only, that graph serves: a second call would leave its `output` undefined
        # for everybody else.
        with contextlib.suppress(AttributeError):
            return keras.Model(model.input, [model.output, wanted.output], name=model.name)
    exposed = []

    def call(layer, *args, **kwargs):
        if layer is not wanted and isinstance(layer, keras.Model) and any(step is wanted for step in _layers(layer)):
            outputs, inside = _rebuilt(layer, wanted)(*args, **kwargs)
            exposed.append(inside)
            return outputs
        outputs = layer(*args, **kwargs)
        if layer is wanted:
            exposed.append(outputs)
        return outputs

    again = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
    return keras.Model(again.input, [again.output, exposed[0]], name=model.name)
