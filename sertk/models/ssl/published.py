"""The published networks, as data: what their config.json says, and how their inputs were prepared."""

from sertk.models.ssl.config import SpeechEncoderConfig

BASE = {"model_type": "wav2vec2", "feat_proj_dropout": 0.1, "feat_extract_norm": "group"}
LARGE = {
    "model_type": "wav2vec2",
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "feat_proj_dropout": 0.1,
    "feat_extract_norm": "layer",
    "conv_bias": True,
    "do_stable_layer_norm": True,
}
XLARGE = {
    **LARGE,
    "hidden_size": 1280,
    "num_hidden_layers": 48,
    "intermediate_size": 5120,
}

# By the name of the checkpoint on the Hugging Face hub.
PUBLISHED = {
    "facebook/wav2vec2-base": {**BASE, "activation_dropout": 0.0, "layerdrop": 0.0},
    "facebook/wav2vec2-large-960h-lv60-self": LARGE,
    "facebook/wav2vec2-large-xlsr-53": {**LARGE, "activation_dropout": 0.0, "mask_time_prob": 0.075},
    "facebook/hubert-base-ls960": {**BASE, "model_type": "hubert"},
    "facebook/hubert-xlarge-ls960-ft": {**XLARGE, "model_type": "hubert"},
    "microsoft/unispeech-large-1500h-cv": {**LARGE, "model_type": "unispeech", "activation_dropout": 0.0},
    "microsoft/unispeech-large-multi-lingual-1500h-cv": {
        **LARGE,
        "model_type": "unispeech",
        "activation_dropout": 0.0,
    },
}

# How the clips of their training were prepared, as in their preprocessor_config.json: all to zero mean and unit
# variance, and padded with a mask only where the feature encoder has layer norm.
PREPROCESSORS = {
    name: {
        "sampling_rate": 16_000,
        "do_normalize": True,
        "return_attention_mask": config["feat_extract_norm"] == "layer",
    }
    for name, config in PUBLISHED.items()
}


def published(name):
    """The configuration of a published checkpoint.

    Args:
        name: its name on the Hugging Face hub, one of `PUBLISHED`.

    Returns:
        A `SpeechEncoderConfig`.

    Raises:
        ValueError: if the name is not known.
    """
    if name not in PUBLISHED:
        raise ValueError(
            f"`backbone` must be one of {', '.join(PUBLISHED)}, or a folder with a config.json. "
            f"Received: backbone={name!r}"
        )
    return SpeechEncoderConfig.from_dict(PUBLISHED[name])
