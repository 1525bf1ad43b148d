"""The speech encoder: from waveforms to the hidden states of a self-supervised transformer."""

from pathlib import Path

from sertk.models.arguments import check_counts, check_share
from sertk.models.ssl.config import SpeechEncoderConfig
from sertk.models.ssl.context_network import ContextNetwork
from sertk.models.ssl.feature_encoder import FeatureEncoder
from sertk.models.ssl.feature_projection import FeatureProjection
from sertk.models.ssl.forms import connect
from sertk.models.ssl.normalization import WaveformNormalization
from sertk.models.ssl.published import PUBLISHED, published
from sertk.models.ssl.spec_augment import SpecAugment


def ssl_encoder(
    backbone="facebook/wav2vec2-base",
    *,
    samples=None,
    hidden_states=False,
    padded=False,
    layer_drop=None,
    spec_augment=True,
    gradient_checkpointing=False,
    seed=None,
    name="ssl_encoder",
):
    """Builds wav2vec 2.0, XLSR-53, HuBERT or UniSpeech with random weights; 94,371,712 parameters by default.

    Clips are scaled to zero mean and unit variance inside. The layers are "normalization", "feature_encoder",
    "feature_projection", "spec_augment" where the configuration masks anything, and "encoder", the transformer.

    Input: `waveform`, float32, `(batch, samples)`, 16 kHz; with `padded=True` also `lengths`, int32, `(batch,)`, valid
        samples of each clip.
    Output: `(batch, frames, hidden size)`, a frame every 20 ms; with `hidden_states=True` a list of such, as
        `ContextNetwork` tells.

    Args:
        backbone: the name of a published checkpoint, the path of a config.json or of its folder, a dict such as it
            holds, or a `SpeechEncoderConfig`. Defaults to "facebook/wav2vec2-base".
        samples: int, the length of the clips, or None for any length. Defaults to None.
        hidden_states: bool, whether the states of all layers are given. Defaults to False.
        padded: bool, whether the model takes lengths; `with_lengths` and `without_lengths` give the other form.
            Defaults to False.
        layer_drop: float, the probability that a layer is left out of a training step. Defaults to the configuration's.
        spec_augment: bool, whether frames and channels are masked in training as the configuration says. Defaults to
            True.
        gradient_checkpointing: bool, whether a training step computes each transformer layer anew for its gradient:
            less memory for more time, the same numbers. Defaults to False.
        seed: int, of dropout, masks and layer drop, or None for others in every process. Defaults to None.
        name: str, the model's name.

    Returns:
        A functional `keras.Model`.

    Raises:
        FileNotFoundError: if `backbone` is a path without a config.json.
        ValueError: if `backbone` is not known or its configuration is of another network, or if clips are shorter than
            the receptive field, 400 samples.

    Example:
        >>> ssl_encoder().count_params()
        94371712

    Source: Baevski et al. (2020), wav2vec 2.0; Conneau et al. (2021), XLSR-53; Hsu et al. (2021), HuBERT; Wang et al.
        (2021), UniSpeech.
    """
    if samples is not None:
        check_counts(samples=samples)
    steps = encoder_layers(
        resolve(backbone),
        layer_drop=layer_drop,
        spec_augment=spec_augment,
        gradient_checkpointing=gradient_checkpointing,
        seed=seed,
    )
    return connect(steps, samples, padded=padded, hidden_states=hidden_states, name=name)


def resolve(backbone):
    """The configuration that `ssl_encoder`'s `backbone` stands for."""
    if isinstance(backbone, SpeechEncoderConfig):
        return backbone
    if isinstance(backbone, dict):
        return SpeechEncoderConfig.from_dict(backbone)
    if isinstance(backbone, Path) or (
        isinstance(backbone, str) and backbone not in PUBLISHED and Path(backbone).exists()
    ):
        return SpeechEncoderConfig.from_file(backbone)
    return published(backbone)


def encoder_layers(config, *, layer_drop=None, spec_augment=True, gradient_checkpointing=False, seed=None):
    """The layers of a speech encoder in the order in which they run; arguments as in `ssl_encoder`."""
    if layer_drop is not None:
        check_share("layer_drop", layer_drop)
    steps = [
        WaveformNormalization(name="normalization"),
        FeatureEncoder(
            config.conv_dim,
            config.conv_kernel,
            config.conv_stride,
            config.feat_extract_norm,
            config.conv_bias,
            name="feature_encoder",
        ),
        FeatureProjection(
            config.hidden_size,
            config.feat_proj_layer_norm,
            config.layer_norm_eps,
            config.feat_proj_dropout,
            seed=seed,
            name="feature_projection",
        ),
    ]
    # Where nothing is masked, checkpoints have no vector for it.
    if config.mask_time_prob or config.mask_feature_prob:
        steps.append(
            SpecAugment(
                config.mask_time_prob,
                config.mask_time_length,
                config.mask_time_min_masks,
                config.mask_feature_prob,
                config.mask_feature_length,
                config.mask_feature_min_masks,
                active=spec_augment and config.apply_spec_augment,
                seed=None if seed is None else seed + 1,
                name="spec_augment",
            )
        )
    steps.append(
        ContextNetwork(
            config.num_hidden_layers,
            config.num_attention_heads,
            config.intermediate_size,
            config.do_stable_layer_norm,
            config.num_conv_pos_embeddings,
            config.num_conv_pos_embedding_groups,
            config.hidden_dropout,
            config.attention_dropout,
            config.activation_dropout,
            config.layerdrop if layer_drop is None else layer_drop,
            config.layer_norm_eps,
            config.initializer_range,
            gradient_checkpointing,
            seed=None if seed is None else seed + 2,
            name="encoder",
        )
    )
    return steps
