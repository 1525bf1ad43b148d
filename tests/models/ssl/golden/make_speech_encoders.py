"""Makes speech_encoders.npz: what transformers' networks answer with weights that NumPy draws, so that none are kept.

pip install torch transformers && pip install -e . && python make_speech_encoders.py

With the path of another file as argument, it makes one of weights that PyTorch draws, which are kept in it, and of
clips of other lengths: what the tests compare with where PyTorch is installed.
"""

import json
import sys
import zlib
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).with_name("speech_encoders.npz")

FAMILIES = ("wav2vec2", "hubert", "unispeech")
SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 40,
    "conv_dim": [8, 8, 12, 12, 12, 12, 10],
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 4,
}
FORMS = {
    "base": {"feat_extract_norm": "group", "do_stable_layer_norm": False, "conv_bias": False},
    "large": {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True},
}
# One with what the others have not: an odd positional kernel, an epsilon of its own, features that are not normalised.
UNUSUAL = {
    **FORMS["large"],
    "model_type": "hubert",
    "feat_proj_layer_norm": False,
    "num_conv_pos_embeddings": 7,
    "layer_norm_eps": 1e-3,
}
CLASSES = 5
LENGTHS = (4_000, 2_650, 400)
LIVE_LENGTHS = (2_000, 5_555, 1_234)


def networks():
    """The configurations, by name: three families in two forms each, and an unusual one."""
    usual = {
        f"{family}-{form}": {"model_type": family, **SMALL, **FORMS[form]} for family in FAMILIES for form in FORMS
    }
    return usual | {"unusual": {**SMALL, **UNUSUAL}}


def draw(name, shape):
    """The tensor of this name in the state dict: the same in each framework, of sizes that keep activations near 1."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("bias"):
        return 0.1 * rng.standard_normal(shape, "float32")
    if "norm" in name or name.endswith("original0"):
        return 0.5 + rng.random(shape, "float32")
    if len(shape) == 1:
        return rng.random(shape, "float32")
    return rng.standard_normal(shape, "float32") * np.float32(np.sqrt(2 / np.prod(shape[1:])))


def clips(samples=4_000):
    """Raw waveforms, `(3, samples)`, off centre, of different loudness; what lies behind a clip's end is no silence."""
    noise = np.random.default_rng(samples).standard_normal((3, samples), "float32")
    return np.float32([[0.1], [0.02], [0.5]]) * noise + np.float32([[0.01], [0.0], [-0.1]])


def answer(config, tensors, waveforms, lengths=None, *, classes=None):
    """What transformers' own preprocessing and network make of clips: hidden states, or logits if asked for classes.

    Args:
        config: dict, as config.json holds it.
        tensors: function from name and shape to a tensor of the state dict, or None for transformers' random weights.
        waveforms: `(batch, samples)`.
        lengths: ints, valid samples, or None for all, which gives the network no attention mask.
        classes: int, or None for the network without a classifier.

    Returns:
        The state dict as NumPy arrays, and an array: `(layers + 1, batch, frames, channels)` or `(batch, classes)`.
    """
    import torch
    from transformers import (
        AutoConfig,
        AutoModel,
        AutoModelForAudioClassification,
        Wav2Vec2FeatureExtractor,
    )

    described = AutoConfig.for_model(**config, **({} if classes is None else {"num_labels": classes}))
    network = (AutoModel if classes is None else AutoModelForAudioClassification).from_config(described).eval()
    if tensors is not None:
        shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
        prefix = f"{config['model_type']}."  # a network with a classifier puts it before the names of the rest
        drawn = {name: tensors(name.removeprefix(prefix), shape) for name, shape in shapes.items()}
        network.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in drawn.items()})
    prepare = Wav2Vec2FeatureExtractor(return_attention_mask=lengths is not None)
    cut = [clip[:length] for clip, length in zip(waveforms, lengths or [None] * len(waveforms), strict=True)]
    inputs = prepare(cut, sampling_rate=16_000, padding=True, return_tensors="pt")
    with torch.inference_mode():
        outputs = network(**inputs, output_hidden_states=classes is None)
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    if classes is not None:
        return state, outputs.logits.numpy()
    # Releases differ on whether the last hidden state has been through the final layer norm: this one always has.
    states = [*outputs.hidden_states[:-1], outputs.last_hidden_state]
    return state, np.stack([layer.numpy() for layer in states])


def parameters(config, *, classes=None):
    """How many parameters transformers' network has, with a classifier if classes are given."""
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForAudioClassification

    described = AutoConfig.for_model(**config, **({} if classes is None else {"num_labels": classes}))
    with torch.device("meta"):
        network = (AutoModel if classes is None else AutoModelForAudioClassification).from_config(described)
    return sum(parameter.numel() for parameter in network.parameters())


def defaults(family):
    """What transformers takes where a config.json says nothing, of all that our configuration holds."""
    from dataclasses import fields

    from transformers import AutoConfig

    from sertk.models.ssl.config import SpeechEncoderConfig

    values = AutoConfig.for_model(family).to_dict()
    return {field.name: values[field.name] for field in fields(SpeechEncoderConfig) if field.name in values}


def masked_shares(*, frames, lengths, rate, span, least, draws=4_000):
    """The mean share of each clip's frames that transformers masks in training."""
    import torch
    from transformers.models.wav2vec2.modeling_wav2vec2 import _compute_mask_indices

    np.random.seed(0)
    valid = torch.arange(frames)[None] < torch.tensor(lengths)[:, None]
    masks = [_compute_mask_indices((len(lengths), frames), rate, span, valid, least) for _ in range(draws)]
    return np.mean(masks, axis=0).sum(axis=1) / lengths


MASKS = (
    {"frames": 149, "lengths": (149, 90, 12), "rate": 0.05, "span": 10, "least": 2},
    {"frames": 149, "lengths": (149, 90, 12), "rate": 0.4, "span": 10, "least": 0},
    {"frames": 24, "lengths": (24, 24, 24), "rate": 0.9, "span": 7, "least": 0},
)


def live(path):
    """Writes the file for the live comparison."""
    import torch

    torch.manual_seed(0)
    waveforms, found = clips(max(LIVE_LENGTHS)), {}
    for name, config in networks().items():
        state, found[f"{name}/whole"] = answer(config, None, waveforms)
        _, found[f"{name}/padded"] = answer(config, lambda key, _: state[key], waveforms, LIVE_LENGTHS)  # noqa: B023
        found |= {f"{name}/state/{key}": tensor for key, tensor in state.items()}
    np.savez(path, **found)


def main():
    import torch
    import transformers

    from sertk.models.ssl.published import PUBLISHED

    golden = {}
    for name, config in networks().items():
        state, golden[f"{name}/whole"] = answer(config, draw, clips())
        _, golden[f"{name}/padded"] = answer(config, draw, clips(), LENGTHS)
        _, golden[f"{name}/logits"] = answer(config, draw, clips(), LENGTHS, classes=CLASSES)
        golden[f"{name}/shapes"] = json.dumps({key: list(tensor.shape) for key, tensor in state.items()})
    for number, masks in enumerate(MASKS):
        golden[f"masks/{number}"] = masked_shares(**masks)
    golden["parameters"] = json.dumps({name: parameters(config) for name, config in PUBLISHED.items()})
    golden["parameters_with_classifier"] = parameters({"model_type": "wav2vec2"}, classes=7)
    golden["defaults"] = json.dumps({family: defaults(family) for family in FAMILIES})
    golden["versions"] = f"transformers {transformers.__version__}, torch {torch.__version__}"
    np.savez_compressed(GOLDEN, **golden)


if __name__ == "__main__":
    live(sys.argv[1]) if len(sys.argv) > 1 else main()
