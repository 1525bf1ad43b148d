"""What a waveform is to a layer: the one check of its shape, and that of its numbers."""

import keras


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


def check_waveform_dtype(layer, waveforms):
    """Refuses integers, at the door of a layer: their full scale is not 1, and no layer could tell what it is.

    Args:
        layer: the layer, for its name.
        waveforms: the tensor it was given, of any backend, symbolic or not.

    Raises:
        ValueError: if the dtype is no float.
    """
    dtype = keras.backend.standardize_dtype(waveforms.dtype)
    if not keras.backend.is_float_dtype(dtype):
        raise ValueError(
            f"{type(layer).__name__} takes float waveforms in [-1, 1]; convert samples of 16 bits with "
            f'`x.astype("float32") / 32768`. Received: dtype={dtype}'
        )
