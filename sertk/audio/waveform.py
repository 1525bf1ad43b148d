"""What a waveform is to a layer: the one check of its shape."""


def check_waveform_shape(layer, input_shape, single=True):
    """Refuses what is no waveform, at the door of a layer.

    Args:
        layer: the layer, for its name.
        input_shape: the shape it was given.
        single: whether the layer takes a single clip, `(samples,)`, as well as `(batch, samples)`.

    Raises:
        ValueError: if the rank is another or the length is 0.
    """
    shape = tuple(input_shape)
    if len(shape) != 2 and not (single and len(shape) == 1):
        also = (
            ", or a single one of shape (samples,)" if single else "; add a batch axis to a single one with `x[None]`"
        )
        raise ValueError(
            f"{type(layer).__name__} takes waveforms of shape (batch, samples){also}; mix channels down first. "
            f"Received: input_shape={shape}"
        )
    if shape[-1] == 0:
        raise ValueError(f"{type(layer).__name__} needs at least one sample. Received: input_shape={shape}")
