"""A classifier on an encoder that has learnt already, from its vector or from the middle of its projection head."""

import keras
from keras import layers

from sertk.models.arguments import check_classes, check_share
from sertk.models.classifier import classify
from sertk.models.projection_head import with_projection


def fine_tuned(encoder, head=None, layer=0, num_classes=7, *, dropout=0.0, frozen=False, name=None):
    """Builds a classifier from an encoder and the first layers of its projection head.

    With `layer=0` the classifier stands on the encoder's vector, as in SimCLR; with `layer=1` on the first layer of the
    head behind its batch norm and its ReLU, where SimCLRv2 found few labels to do best.

    With `frozen=True` only the new layer learns, which is linear evaluation: encoder and head are copies then, in
    inference mode in training too, batch norm with its moving averages and dropout switched off. The encoder given is
    not touched, and learns on as before.

    Input: that of `encoder`.
    Output: probabilities, `(batch, num_classes)`.

    Args:
        encoder: functional `keras.Model` from features to `(batch, channels)`, as `sertk.models.encoder` gives it, or
            the first part that `encoder_and_head` gives of a saved contrastive training.
        head: functional `keras.Model`, as `projection_head` builds it, or None with `layer=0`. Defaults to None.
        layer: int, how many of the head's dense layers are kept. Defaults to 0.
        num_classes: int. Defaults to 7.
        dropout: float, share dropped before the classifier. Defaults to 0.
        frozen: bool, whether all but the classifier stays as it is. Defaults to False: all of it learns.
        name: str. Defaults to the encoder's name.

    Returns:
        A functional `keras.Model`; unless it is frozen it shares the encoder's and the head's weights.

    Raises:
        ValueError: if an argument is out of range, or the head has not as many layers or is for another encoder.

    Example:
        >>> body = sertk.models.encoder(sertk.models.resnet9())
        >>> fine_tuned(body, projection_head(512), 1).get_layer("logits").input.shape
        (None, 256)

    Source: paper 000, section 1, "fine-tuning from a second layer of the projection head"; Chen et al. (2020),
        SimCLRv2, arXiv:2006.10029, section 2.
    """
    check_classes(num_classes)
    check_share("dropout", dropout)
    blocks = [] if head is None else _blocks(with_projection(encoder, head).layers[-1])
    if not isinstance(layer, int) or isinstance(layer, bool) or not 0 <= layer <= len(blocks):
        raise ValueError(
            f"`layer` must be 0, the encoder itself, or how many of the head's layers are kept, at most {len(blocks)}. "
            f"Received: layer={layer!r}"
        )
    given = encoder.inputs[0]
    features = keras.Input(batch_shape=given.shape, dtype=given.dtype, name=given.name)
    steps = [encoder, *(step for block in blocks[:layer] for step in block)]
    x = features
    for step in steps:
        x = (_frozen_copy(step) if frozen else step)(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(features, classify(x, num_classes), name=name or encoder.name)


def _blocks(head):
    """The head's layers, each dense layer with what follows it."""
    blocks = []
    for step in head.layers:
        if isinstance(step, layers.Dense):
            blocks.append([])
        if blocks:
            blocks[-1].append(step)
    return blocks


def _frozen_copy(step):
    if isinstance(step, keras.Model):
        copy = keras.models.clone_model(step, clone_function=_without_dropout, recursive=True)
    else:
        copy = _without_dropout(step)
        copy.build(step.input.shape)
    copy.set_weights(step.get_weights())
    copy.trainable = False
    return copy


def _without_dropout(layer):
    # A layer that does not learn still drops values in training.
    config = layer.get_config()
    return type(layer).from_config(config | {key: 0.0 for key in ("rate", "dropout") if key in config})
