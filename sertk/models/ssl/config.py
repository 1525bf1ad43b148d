"""The configuration of a speech encoder: what a checkpoint's config.json says of the network."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from sertk.models.arguments import check_counts, check_share
from sertk.plain_json import read_object

MODEL_TYPES = ("wav2vec2", "hubert", "unispeech")

# What would change the network in a way that is not built here, with the value that leaves it as it is.
UNSUPPORTED = {"add_adapter": False, "adapter_attn_dim": None, "conv_pos_batch_norm": False}


@dataclass(frozen=True)
class SpeechEncoderConfig:
    """The sizes, norms and rates of a wav2vec 2.0, HuBERT or UniSpeech network, as its config.json names them.

    The defaults are those of transformers, which a config.json may leave out, and are nearly those of
    facebook/wav2vec2-base.

    Args:
        model_type: "wav2vec2", "hubert" or "unispeech"; the network is the same. Defaults to "wav2vec2".
        hidden_size: int, channels of the transformer. Defaults to 768.
        num_hidden_layers: int, its layers. Defaults to 12.
        num_attention_heads: int, heads of each. Defaults to 12.
        intermediate_size: int, units of each feed-forward network. Defaults to 3072.
        hidden_act, feat_extract_activation: "gelu", the exact one. Default to "gelu".
        hidden_dropout, attention_dropout, activation_dropout: floats, shares dropped of each part's output, of the
            attention weights, and inside the feed-forward network. Default to 0.1.
        feat_proj_dropout: float, share dropped of the projected features. Defaults to 0.
        layerdrop: float, the probability that a layer is left out of a training step. Defaults to 0.1.
        initializer_range: float, standard deviation of random weights. Defaults to 0.02.
        layer_norm_eps: float. Defaults to 1e-5.
        feat_extract_norm: "group", group norm after the first convolution, or "layer", layer norm after each.
            Defaults to "group".
        conv_dim, conv_kernel, conv_stride: tuples of ints, filters, kernel and stride of each convolution. Default to
            those of all published networks: seven, a frame of 400 samples every 320.
        conv_bias: bool, whether the convolutions have a bias. Defaults to False.
        feat_proj_layer_norm: bool, whether features are layer-normalised before the projection. Defaults to True.
        num_conv_pos_embeddings, num_conv_pos_embedding_groups: ints, kernel and groups of the positional convolution.
            Default to 128 and 16.
        do_stable_layer_norm: bool, whether layer norm comes before each part of a layer ("pre-norm") and not after it.
            Defaults to False.
        apply_spec_augment: bool, whether frames and channels are masked in training. Defaults to True.
        mask_time_prob, mask_time_length, mask_time_min_masks: share of frames to mask, frames of a mask, masks at
            least. Default to 0.05, 10 and 2.
        mask_feature_prob, mask_feature_length, mask_feature_min_masks: the same of the channels. Default to 0, 10, 0.
        classifier_proj_size: int, units of transformers' classification head. Defaults to 256.

    Raises:
        ValueError: if a value is out of range, or says that the network is one that is not built here.

    Source: transformers, `Wav2Vec2Config`, `HubertConfig`, `UniSpeechConfig`.
    """

    model_type: str = "wav2vec2"
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    feat_extract_activation: str = "gelu"
    hidden_dropout: float = 0.1
    attention_dropout: float = 0.1
    activation_dropout: float = 0.1
    feat_proj_dropout: float = 0.0
    layerdrop: float = 0.1
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    feat_extract_norm: str = "group"
    conv_dim: tuple = (512,) * 7
    conv_kernel: tuple = (10, 3, 3, 3, 3, 2, 2)
    conv_stride: tuple = (5, 2, 2, 2, 2, 2, 2)
    conv_bias: bool = False
    feat_proj_layer_norm: bool = True
    num_conv_pos_embeddings: int = 128
    num_conv_pos_embedding_groups: int = 16
    do_stable_layer_norm: bool = False
    apply_spec_augment: bool = True
    mask_time_prob: float = 0.05
    mask_time_length: int = 10
    mask_time_min_masks: int = 2
    mask_feature_prob: float = 0.0
    mask_feature_length: int = 10
    mask_feature_min_masks: int = 0
    classifier_proj_size: int = 256

    def __post_init__(self):
        for name in ("conv_dim", "conv_kernel", "conv_stride"):
            value = getattr(self, name)
            if not isinstance(value, list | tuple) or not value:
                raise ValueError(f"`{name}` must be a list, a number a convolution. Received: {name}={value!r}")
            object.__setattr__(self, name, tuple(value))
        for field in dataclasses.fields(self):
            _check(field, getattr(self, field.name))
        _check_fit(self)

    @classmethod
    def from_dict(cls, values):
        """Takes what a config.json holds; what does not shape the network is passed over.

        Args:
            values: dict, such as `json.load` gives.

        Raises:
            ValueError: as the class does, and if the model type is not one of `MODEL_TYPES`.
        """
        if not isinstance(values, dict):
            raise ValueError(f"A configuration must be a dict, as config.json holds. Received: {values!r}")
        if values.get("model_type") not in MODEL_TYPES:
            raise ValueError(
                f"`model_type` must be one of {', '.join(MODEL_TYPES)}; no other network is built here. "
                f"Received: model_type={values.get('model_type')!r}"
            )
        for name, plain in UNSUPPORTED.items():
            if values.get(name, plain) not in (plain, None):
                raise ValueError(
                    f"`{name}` must be {json.dumps(plain)}: networks with it are not built here. "
                    f"Received: {name}={values[name]!r}"
                )
        names = {field.name for field in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})

    @classmethod
    def from_file(cls, path):
        """Reads a config.json.

        Args:
            path: the file, or the folder that holds it.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is no JSON, or as the class does; the message names the file.
        """
        path = Path(path)
        path = path / "config.json" if path.is_dir() else path
        if not path.is_file():
            raise FileNotFoundError(f"{path}: there is no such file; pass a checkpoint's folder or its config.json")
        values = read_object(path)
        try:
            return cls.from_dict(values)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def to_dict(self):
        """The configuration as config.json would hold it, lists for tuples."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in dataclasses.asdict(self).items()
        }


CHOICES = {
    "model_type": MODEL_TYPES,
    "hidden_act": ("gelu",),
    "feat_extract_activation": ("gelu",),
    "feat_extract_norm": ("group", "layer"),
}
MAY_BE_ZERO = ("mask_time_min_masks", "mask_feature_min_masks")


def _check(field, value):
    """Refuses a value of another kind than the field's default, or out of range."""
    name = field.name
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise ValueError(f"`{name}` must be one of {', '.join(CHOICES[name])}. Received: {name}={value!r}")
    elif field.type is bool:
        if not isinstance(value, bool):
            raise ValueError(f"`{name}` must be true or false. Received: {name}={value!r}")
    elif name in ("layer_norm_eps", "initializer_range"):
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise ValueError(f"`{name}` must be a number above 0. Received: {name}={value!r}")
    elif field.type is float:
        check_share(name, value)
    else:
        for number in value if isinstance(value, tuple) else [value]:
            if not (name in MAY_BE_ZERO and number == 0):
                check_counts(**{name: number})


def _check_fit(config):
    """Refuses sizes that do not fit each other."""
    if not len(config.conv_dim) == len(config.conv_kernel) == len(config.conv_stride):
        raise ValueError(
            "`conv_dim`, `conv_kernel` and `conv_stride` must be equally long, a number a convolution. "
            f"Received: {len(config.conv_dim)}, {len(config.conv_kernel)} and {len(config.conv_stride)} numbers"
        )
    for name in ("num_attention_heads", "num_conv_pos_embedding_groups"):
        if config.hidden_size % getattr(config, name):
            raise ValueError(
                f"`hidden_size` must be a multiple of `{name}`, {getattr(config, name)}. "
                f"Received: hidden_size={config.hidden_size}"
            )
