"""What a model needs to hear: the shortest clip that makes a frame."""


def feature_encoder_of(model):
    """The feature encoder of a speech encoder, at any depth of a model.

    Args:
        model: keras.Model.

    Returns:
        The `FeatureEncoder`, or None where the model has none.
    """
    for layer in getattr(model, "layers", []):
        found = layer if layer.name == "feature_encoder" else feature_encoder_of(layer)
        if found is not None:
            return found
    return None


def shortest_clip(model):
    """How many samples a clip must have: the receptive field of a model's feature encoder, 1 where it has none.

    A network behind layers that make all clips equally long takes any clip; an embedder beside them, as a fused model
    has it, hears clips as they are.

    Args:
        model: keras.Model from waveforms.

    Returns:
        int.
    """
    pads = any(type(layer).__name__ == "FixedLength" for layer in model.layers)
    hearing = [layer for layer in model.layers if layer.name == "embedder"] if pads else [model]
    found = [encoder for encoder in map(feature_encoder_of, hearing) if encoder is not None]
    return max((encoder.receptive_field for encoder in found), default=1)
