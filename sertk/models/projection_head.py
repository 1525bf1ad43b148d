"""The projection head of SimCLR: what stands between the encoder and the contrastive loss, and is dropped after."""

import keras
from keras import layers

from sertk.models.arguments import check_counts

MOST = 3


def projection_head(channels, units=(256, 128), *, batch_norm=False, name="projection_head"):
    """Builds a perceptron with a ReLU behind each layer but the last; 164,224 parameters with 512 channels.

    By default it is the paper's, z = W2 relu(W1 h), with biases, which the equation does not write; the paper gives no
    sizes. Its layers are called projection_1, projection_1_relu, projection_2, and so on. With `batch_norm` it is that
    of SimCLR's code: batch norm behind every dense layer, none of which has a bias then, and without a shift behind
    the last.

    Input: `(batch, channels)`, the encoder's vector h.
    Output: `(batch, units)`, z.

    Args:
        channels: int, those of the encoder's vector.
        units: tuple of 1 to 3 ints, the size of each layer. Defaults to (256, 128).
        batch_norm: bool. Defaults to False.
        name: str, the model's name. Defaults to "projection_head".

    Returns:
        A functional `keras.Model`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> projection_head(512).count_params()
        164224

    Source: paper 000, section 3.1.2; Chen et al. (2020), SimCLR, arXiv:2002.05709, and SimCLRv2, arXiv:2006.10029,
        whose head has 3 layers.
    """
    check_counts(channels=channels)
    if not isinstance(units, tuple | list) or not 1 <= len(units) <= MOST:
        raise ValueError(f"`units` must be a tuple of 1 to {MOST} sizes, one a layer. Received: units={units!r}")
    vector = x = keras.Input((channels,), name="vector")
    for number, count in enumerate(units, start=1):
        check_counts(units=count)
        last = number == len(units)
        x = layers.Dense(count, use_bias=not batch_norm, name=f"projection_{number}")(x)
        if batch_norm:
            x = layers.BatchNormalization(center=not last, name=f"projection_{number}_norm")(x)
        if not last:
            x = layers.Activation("relu", name=f"projection_{number}_relu")(x)
    return keras.Model(vector, x, name=name)


def with_projection(encoder, head):
    """Puts a projection head behind an encoder.

    Input: that of `encoder`.
    Output: that of `head`.

    Args:
        encoder: functional `keras.Model` from features to a vector, as `sertk.models.encoder` gives it.
        head: functional `keras.Model` on that vector, as `projection_head` builds it.

    Returns:
        A functional `keras.Model` with the encoder's name, in which both are layers.

    Raises:
        ValueError: if they do not fit.
    """
    for argument, model in (("encoder", encoder), ("head", head)):
        if not isinstance(model, keras.Model) or len(getattr(model, "inputs", None) or ()) != 1:
            raise ValueError(
                f"`{argument}` must be a functional `keras.Model` with one input. Received: a {type(model).__name__}"
            )
    channels = encoder.outputs[0].shape[1:]
    if len(channels) != 1 or head.inputs[0].shape[1:] != channels:
        raise ValueError(
            f"`head` must take the encoder's vector, {tuple(channels)}; build it with "
            f"`projection_head(encoder.output_shape[-1])`. Received: a head for {tuple(head.inputs[0].shape[1:])}"
        )
    given = encoder.inputs[0]
    features = keras.Input(batch_shape=given.shape, dtype=given.dtype, name=given.name)
    return keras.Model(features, head(encoder(features)), name=encoder.name)


def encoder_and_head(model):
    """The two parts of a model that `with_projection` built, such as a saved contrastive training.

    Args:
        model: that model, loaded or not.

    Returns:
        The encoder and the head, functional `keras.Model`s that share the model's weights.

    Raises:
        ValueError: if `model` is another.
    """
    parts = [layer for layer in getattr(model, "layers", ()) if not isinstance(layer, layers.InputLayer)]
    if len(parts) != 2 or not all(isinstance(part, keras.Model) for part in parts):
        raise ValueError(
            "`model` must be an encoder and a head behind it, as a contrastive training saves them. "
            f"Received: a model of {', '.join(layer.name for layer in parts) or type(model).__name__}"
        )
    return tuple(parts)
