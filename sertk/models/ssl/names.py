"""What each weight of a speech encoder is called in a checkpoint of transformers, and how its axes lie there."""

from dataclasses import dataclass

import keras


@dataclass(frozen=True)
class CheckpointVariable:
    """Where a tensor of a checkpoint belongs.

    Args:
        variable: the `keras.Variable` that takes it.
        axes: the transposition that turns PyTorch's tensor into the variable, as `numpy.transpose` takes it, or None
            where it is taken as it is.
    """

    variable: keras.Variable
    axes: tuple | None = None


def checkpoint_variables(encoder):
    """Tells for every weight of a speech encoder its name in a checkpoint of transformers.

    Names have no prefix, so "encoder.layers.0.attention.q_proj.weight" and not "wav2vec2.encoder...". The two weights of
    the weight-normalised positional convolution have the names of PyTorch 2, "...conv.parametrizations.weight.original0"
    (the lengths) and "...original1" (the directions).

    Args:
        encoder: keras.Model, what `ssl_encoder` or `ssl_classifier` built; a classifier's head is left out.

    Returns:
        dict of `CheckpointVariable`, by name.
    """
    raise NotImplementedError
