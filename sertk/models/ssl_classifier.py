"""A self-supervised speech transformer with a classifier on it."""

from pathlib import Path

import keras
from keras import layers

from sertk.models.arguments import check_classes, check_counts, check_share
from sertk.models.classifier import classify
from sertk.models.masked_pooling import KINDS, MaskedPooling
from sertk.models.ssl.config import SpeechEncoderConfig
from sertk.models.ssl.encoder import encoder_layers, resolve
from sertk.models.ssl.forms import connect
from sertk.models.ssl.hub import checkpoint_folder

HEADS = ("linear", "two_layer", "projection")


def ssl_classifier(
    input_shape=(None,),
    num_classes=7,
    *,
    backbone="facebook/wav2vec2-base",
    weights=None,
    head="linear",
    pooling="mean",
    units=None,
    dropout=0.0,
    freeze_feature_encoder=False,
    trainable=True,
    gradient_checkpointing=False,
    padded=False,
    layer_drop=None,
    spec_augment=True,
    seed=None,
    name=None,
):
    """Builds a speech encoder with pooling over the valid frames and a classifier; 94,377,095 parameters by default.

    The head is one of

    - `"linear"`: pooled frames, then the classifier;
    - `"two_layer"`, paper 003: a linear layer of 256 units a frame, "fc1", whose average over time is the clip's
      embedding, then the classifier;
    - `"projection"`, that of transformers' sequence classification: the same, with as many units as the configuration
      says, and named "projector".

    The pooled vector is the layer "embedding": `sertk.models.until(model, "embedding")` is the network up to it.

    Input: `waveform`, float32, `(batch, samples)`, 16 kHz, of any loudness; with `padded=True` also `lengths`, int32,
        `(batch,)`, valid samples of each clip, which must be at least 400, the receptive field. The two are taken as a
        list or a dict.
    Output: probabilities, `(batch, num_classes)`.

    Args:
        input_shape: (samples,), or (None,) for any length. Defaults to (None,).
        num_classes: int. Defaults to 7.
        backbone: the name of a published checkpoint, the path of a config.json or of its folder, a dict such as it
            holds, or a `SpeechEncoderConfig`. Defaults to "facebook/wav2vec2-base".
        weights: None, random ones; "pretrained", those of `backbone`, a name or a folder; or the folder of a checkpoint
            of the same network. Defaults to None.
        head: as above. Defaults to "linear".
        pooling: "mean", "sum" or "max" over the valid frames. Defaults to "mean".
        units: int, of the layer before the pooling. Defaults to 256 for "two_layer", the configuration's
            `classifier_proj_size` for "projection".
        dropout: float, share dropped of the pooled vector. Defaults to 0.
        freeze_feature_encoder: bool, whether the convolutions stay as they are. Defaults to False.
        trainable: bool, whether the encoder learns; False leaves the head to learn alone. Dropout and masks of a
            frozen encoder still work in training. Defaults to True.
        gradient_checkpointing: bool, whether a training step computes each transformer layer anew for its gradient:
            less memory for more time, the same numbers. Defaults to False.
        padded: bool, whether the model takes lengths; `sertk.models.with_lengths` and `without_lengths` give the other
            form. Defaults to False.
        layer_drop: float, the probability that a transformer layer is left out of a training step. Defaults to the
            configuration's.
        spec_augment: bool, whether frames and channels are masked in training as the configuration says. Defaults to
            True.
        seed: int, of dropout, masks and layer drop, or None for others in every process. Defaults to None.
        name: str, the model's name. Defaults to "ssl_classifier".

    Returns:
        A functional `keras.Model`.

    Raises:
        ConnectionError: if the published weights can't be downloaded; the message says how to get them.
        FileNotFoundError: if `backbone` or `weights` is a path without what is needed.
        ValueError: if an argument is out of range, or the checkpoint is damaged or of another network.

    Example:
        >>> ssl_classifier().count_params()
        94377095

    Source: papers 002, 003, section 3, and 004, section 6; Baevski et al. (2020).
    """
    _check(input_shape, head, pooling, units)
    check_classes(num_classes)
    check_share("dropout", dropout)
    source = None if weights is None else _source(weights, backbone)
    # A checkpoint knows its own settings best: dropout, masks and the like are in no tensor's shape.
    config = SpeechEncoderConfig.from_file(checkpoint_folder(source)) if weights == "pretrained" else resolve(backbone)
    encoder = encoder_layers(
        config,
        layer_drop=layer_drop,
        spec_augment=spec_augment,
        gradient_checkpointing=gradient_checkpointing,
        seed=seed,
    )
    model = connect(encoder, input_shape[0], padded=padded)
    if source is not None:
        # Imported where it is needed: without weights nothing is read or downloaded.
        from sertk.models.ssl.pretrained import load_pretrained

        load_pretrained(model, source)
    for step in encoder:
        step.trainable = trainable and not (freeze_feature_encoder and step.name == "feature_encoder")
    head = _head_layers(head, pooling, units, dropout, config, seed)
    pooled = connect([*encoder, *head], input_shape[0], padded=padded)
    return keras.Model(pooled.input, classify(pooled.output, num_classes), name=name or "ssl_classifier")


def _check(input_shape, head, pooling, units):
    if not isinstance(input_shape, tuple | list) or len(input_shape) != 1:
        raise ValueError(
            f"`input_shape` must be (samples,), or (None,) for any length. Received: input_shape={input_shape!r}"
        )
    if input_shape[0] is not None:
        check_counts(input_shape=input_shape[0])
    for argument, value, allowed in (("head", head, HEADS), ("pooling", pooling, KINDS)):
        if value not in allowed:
            raise ValueError(f"`{argument}` must be one of {', '.join(allowed)}. Received: {argument}={value!r}")
    if units is not None:
        check_counts(units=units)


def _source(weights, backbone):
    """Where the pretrained weights are: a name of the hub or a folder."""
    if weights != "pretrained":
        return weights
    if isinstance(backbone, dict | SpeechEncoderConfig):
        raise ValueError(
            '`weights` must be the folder of a checkpoint, or `backbone` a name or a folder: weights="pretrained" are '
            f"the backbone's. Received: a backbone of the type {type(backbone).__name__}"
        )
    return Path(backbone).parent if Path(backbone).is_file() else backbone


def _head_layers(head, pooling, units, dropout, config, seed):
    """The layers between the encoder and the classifier, in their order."""
    steps = [MaskedPooling(pooling, name="embedding")]
    if head != "linear":
        default, layer = (256, "fc1") if head == "two_layer" else (config.classifier_proj_size, "projector")
        steps.insert(0, layers.Dense(units or default, name=layer))
    if dropout:
        steps.append(layers.Dropout(dropout, seed=seed, name="dropout"))
    return steps
