"""A served model that hears each clip of a padded batch by its own length."""

import keras

from sertk.audio.fixed_length import FixedLength
from sertk.models.whole_lengths import WholeLengths


def by_lengths(model):
    """Builds the same model for clips of several lengths in one batch: each gets the answer that it gets alone.

    Input: a dict of `waveform`, `(batch, samples)`, zeros behind the shorter ones, and `lengths`, int32 `(batch,)`, in
        samples.
    Output: that of `model`.

    Args:
        model: keras.Model from waveforms, as `from_waveform(..., fixed_length=...)` or `from_padded` builds it.

    Returns:
        A functional `keras.Model` with the same layers and weights; of a model that takes lengths that model itself.

    Raises:
        ValueError: if nothing in the model depends on the clips' length, so that it would hear what pads them.

    Example:
        >>> model = by_lengths(from_waveform(cnn(), mfcc, fixed_length=FixedLength(48_000)))
        >>> model({"waveform": waveforms, "lengths": lengths}).shape
        (8, 7)
    """
    if len(model.inputs) > 1:
        return model
    if not any(isinstance(layer, FixedLength | WholeLengths) for layer in model.layers):
        raise ValueError(
            "`model` must begin with a fixed length, as `from_waveform(..., fixed_length=...)` builds it, or take "
            f"lengths. Received: a model of {', '.join(layer.name for layer in model.layers)}"
        )
    waveform, lengths = keras.Input((None,), name="waveform"), keras.Input((), dtype="int32", name="lengths")

    def call(layer, *args, **kwargs):
        if isinstance(layer, WholeLengths):
            return lengths
        if isinstance(layer, FixedLength):
            return layer(*args, lengths=lengths)
        return layer(*args, **kwargs)

    # Cloned in one piece: with an input for the lengths that nothing uses yet.
    both = keras.Model([model.inputs[0], keras.Input((), dtype="int32")], model.outputs[0])
    again = keras.models.clone_model(
        both, input_tensors=[waveform, lengths], clone_function=lambda layer: layer, call_function=call
    )
    return keras.Model({"waveform": waveform, "lengths": lengths}, again.outputs[0], name=model.name)
