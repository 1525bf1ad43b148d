"""What each weight of a speech encoder is called in a checkpoint of transformers, and how its axes lie there."""

from dataclasses import dataclass

import keras

# From PyTorch's layout to Keras's: (outputs, inputs) and (outputs, inputs, kernel).
DENSE, CONVOLUTION = (1, 0), (2, 1, 0)


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

    Names have no prefix, so "encoder.layers.0.attention.q_proj.weight" and not "wav2vec2.encoder...". The two weights
    of the weight-normalised positional convolution have PyTorch 2's names, "...parametrizations.weight.original0" (the
    lengths) and "...original1" (the directions).

    Args:
        encoder: keras.Model, what `ssl_encoder` or `ssl_classifier` built; a classifier's head is left out.

    Returns:
        dict of `CheckpointVariable`, by name.
    """
    steps = {layer.name: layer for layer in encoder.layers}
    found = dict(_feature_encoder(steps["feature_encoder"]))
    found |= _feature_projection(steps["feature_projection"])
    if "spec_augment" in steps:
        found["masked_spec_embed"] = CheckpointVariable(steps["spec_augment"].mask)
    found |= _context_network(steps["encoder"])
    return found


def _feature_encoder(layer):
    for number, convolution in enumerate(layer.convolutions):
        yield from _with_bias(f"feature_extractor.conv_layers.{number}.conv", convolution, CONVOLUTION)
    for number, norm in enumerate(layer.norms):
        yield from _norm(f"feature_extractor.conv_layers.{number}.layer_norm", norm)


def _feature_projection(layer):
    if layer.norm is not None:
        yield from _norm("feature_projection.layer_norm", layer.norm)
    yield from _with_bias("feature_projection.projection", layer.dense, DENSE)


def _context_network(layer):
    convolution = "encoder.pos_conv_embed.conv"
    weight = f"{convolution}.parametrizations.weight"
    yield f"{weight}.original0", CheckpointVariable(layer.positional.lengths, CONVOLUTION)
    yield f"{weight}.original1", CheckpointVariable(layer.positional.directions, CONVOLUTION)
    yield f"{convolution}.bias", CheckpointVariable(layer.positional.bias)
    yield from _norm("encoder.layer_norm", layer.norm)
    for number, block in enumerate(layer.blocks):
        yield from _block(f"encoder.layers.{number}", block)


def _block(prefix, block):
    attention = block.attention
    parts = {"q": attention.query, "k": attention.key, "v": attention.value, "out": attention.output_dense}
    for name, dense in parts.items():
        yield from _with_bias(f"{prefix}.attention.{name}_proj", dense, DENSE)
    yield from _norm(f"{prefix}.layer_norm", block.attention_norm)
    yield from _with_bias(f"{prefix}.feed_forward.intermediate_dense", block.inner, DENSE)
    yield from _with_bias(f"{prefix}.feed_forward.output_dense", block.outer, DENSE)
    yield from _norm(f"{prefix}.final_layer_norm", block.output_norm)


def _with_bias(prefix, layer, axes):
    yield f"{prefix}.weight", CheckpointVariable(layer.kernel, axes)
    if layer.use_bias:
        yield f"{prefix}.bias", CheckpointVariable(layer.bias)


def _norm(prefix, layer):
    yield f"{prefix}.weight", CheckpointVariable(layer.gamma)
    yield f"{prefix}.bias", CheckpointVariable(layer.beta)
