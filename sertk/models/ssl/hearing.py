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

    A model that makes all clips equally long first takes any.

    Args:
        model: keras.Model from waveforms.

    Returns:
        int.
    """
    found = feature_encoder_of(model)
    pads = any(type(layer).__name__ == "FixedLength" for layer in model.layers)
    return 1 if found is None or pads else found.receptive_field
