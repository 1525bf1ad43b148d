"""Published weights in a speech encoder: which tensor of a checkpoint is which weight, and all of them or none."""

import numpy as np

from sertk.models.ssl.checkpoint import stored_tensors
from sertk.models.ssl.config import SpeechEncoderConfig
from sertk.models.ssl.encoder import ssl_encoder
from sertk.models.ssl.hub import checkpoint_folder
from sertk.models.ssl.names import checkpoint_variables
from sertk.models.ssl.preprocessing import check_preprocessing

# transformers' models with a head keep the encoder under its family's name.
FAMILIES = ("wav2vec2", "hubert", "unispeech")
# What stands beside the encoder in them: pre-training, CTC, classification of clips and frames, speaker vectors.
HEADS = {
    *("quantizer", "project_q", "project_hid", "ctc_proj"),
    "lm_head",
    *("projector", "classifier", "layer_weights"),
    *("tdnn", "feature_extractor", "objective"),
}
# PyTorch 1's names of the weights of a weight-normalised layer, and PyTorch 2's.
RENAMED = {
    ".weight_g": ".parametrizations.weight.original0",
    ".weight_v": ".parametrizations.weight.original1",
}
# What no tensor's shape tells: the attribute of a layer for each of these settings of a config.json.
UNSEEN = {
    "conv_stride": ("feature_encoder", "strides"),
    "num_attention_heads": ("encoder", "heads"),
    "do_stable_layer_norm": ("encoder", "pre_norm"),
    "layer_norm_eps": ("encoder", "epsilon"),
}
# What SpecAugment puts in the place of masked frames; checkpoints that were fine-tuned without masks lack it.
OPTIONAL = {"masked_spec_embed"}


def from_pretrained(source, revision=None, **options):
    """Builds a speech encoder of a published checkpoint, as its own settings say, with its weights.

    Args:
        source: str or path, a hub name such as "facebook/wav2vec2-base", or a folder with `config.json` and weights:
            `model.safetensors` or, where PyTorch is installed, `pytorch_model.bin`, whole or in shards.
        revision: str, branch, tag, commit or pull request ("refs/pr/1") on the hub. Defaults to None, the newest.
        options: further arguments of `ssl_encoder`, for example `hidden_states=True`.

    Returns:
        A `keras.Model`, as `ssl_encoder` builds it.

    Raises:
        ConnectionError, FileNotFoundError, ImportError, ValueError: as `load_pretrained` does, and `ssl_encoder`.

    Example:
        >>> encoder = from_pretrained("facebook/wav2vec2-base", hidden_states=True)

    Source: https://huggingface.co/docs/transformers/model_doc/wav2vec2
    """
    folder = checkpoint_folder(source, revision)
    config = SpeechEncoderConfig.from_file(folder)
    check_preprocessing(folder)
    encoder = ssl_encoder(config, **options)
    _load(encoder, folder)
    return encoder


def load_pretrained(encoder, source, revision=None):
    """Loads the weights of a published checkpoint into a speech encoder: all that it needs, or nothing.

    Heads of transformers' models are passed over, and 16-bit floats are made float32. Where the checkpoint has no
    `masked_spec_embed`, the vector of masked frames, as many that were fine-tuned for recognition haven't, the
    encoder's own random one stays, as in transformers: only training with SpecAugment uses it.

    Tensors are read one by one: beside the network some 50 MB of memory are needed, whatever its size. PyTorch's own
    file takes its size once, as it stays mapped into memory, and PyTorch itself some 500 MB.

    Args:
        encoder: keras.Model, what `ssl_encoder` or `ssl_classifier` built; it is changed.
        source: str or path, a hub name such as "facebook/wav2vec2-base", or a folder with `config.json` and weights:
            `model.safetensors` or, where PyTorch is installed, `pytorch_model.bin`, whole or in shards.
            Safetensors go first.
        revision: str, branch, tag, commit or pull request ("refs/pr/1") on the hub. Defaults to None, the newest.

    Raises:
        ConnectionError: if the hub can't be reached; the message says which files to fetch.
        FileNotFoundError: if `source` is a path that leads to no folder, or a shard is missing.
        ImportError: if huggingface_hub, safetensors or PyTorch is needed and not installed.
        ValueError: if the files are damaged or of another network; the message says what is missing, unexpected or
            misshapen.
    """
    folder = checkpoint_folder(source, revision)
    _check_settings(encoder, folder)
    check_preprocessing(folder)
    _load(encoder, folder)


def _check_settings(encoder, folder):
    """Refuses a checkpoint whose tensors would fit, and would mean something else in this encoder."""
    config = SpeechEncoderConfig.from_file(folder)
    for setting, (layer, attribute) in UNSEEN.items():
        said, built = getattr(config, setting), encoder.get_layer(layer).get_config()[attribute]
        said = list(said) if isinstance(said, tuple) else said
        if said != built:
            raise ValueError(
                f"{folder}: `{setting}` of config.json must be {built} as in this encoder; build the encoder from "
                f"this config.json, with `from_pretrained`. Received: {setting}={said}"
            )


def _load(encoder, folder):
    wanted = checkpoint_variables(encoder)
    found, unexpected = _sorted(stored_tensors(folder), wanted)
    _check(folder, wanted, found, unexpected)
    for name, tensor in found.items():
        value, place = tensor.read(), wanted[name]
        place.variable.assign(value if place.axes is None else value.transpose(place.axes))


def _sorted(stored, wanted):
    """The encoder's tensors by the names of `checkpoint_variables`, and the file's names of those that fit nowhere."""
    firsts = {name.partition(".")[0] for name in stored}
    prefix = next((f"{family}." for family in FAMILIES if family in firsts), "")
    found, unexpected = {}, []
    for stored_name, tensor in stored.items():
        name = stored_name.removeprefix(prefix)
        for old, new in RENAMED.items():
            name = name.removesuffix(old) + new if name.endswith(old) else name
        if not stored_name.startswith(prefix):
            if name.partition(".")[0] not in HEADS:
                unexpected.append(stored_name)
        elif name in wanted and name not in found:
            found[name] = tensor
        elif name not in OPTIONAL:
            unexpected.append(stored_name)
    return found, unexpected


def _check(folder, wanted, found, unexpected):
    """Refuses a checkpoint that lacks a tensor, has one too many, or has one of another shape or of integers."""
    missing = [name for name in wanted if name not in found and name not in OPTIONAL]
    misshapen = []
    for name, tensor in found.items():
        needed = _in_pytorch(wanted[name])
        if tensor.shape != needed or not tensor.is_float:
            kind = "" if tensor.is_float else f" {tensor.dtype}"
            misshapen.append(f"{name} of{kind} {tensor.shape} where {needed} is needed")
    faults = (("without", missing), ("with", unexpected), ("with", misshapen))
    told = [f"{what} {_first(names)}" for what, names in faults if names]
    if told:
        raise ValueError(
            f"{folder}: holds no weights of this encoder; build it from the checkpoint's own config.json, with "
            f"`from_pretrained`. Received: a checkpoint {', '.join(told)}"
        )


def _in_pytorch(place):
    """The shape of a variable's tensor as PyTorch holds it."""
    shape = tuple(place.variable.shape)
    return shape if place.axes is None else tuple(shape[axis] for axis in np.argsort(place.axes))


def _first(names, count=3):
    return ", ".join(names[:count]) + (f" and {len(names) - count} more" if len(names) > count else "")
