"""Makes the folders of checkpoints/ as transformers writes them, and outputs.npz: what its networks answer with them.

pip install torch transformers && python make_checkpoints.py [FOLDER]
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np

FOLDERS = Path(__file__).with_name("checkpoints")
OUTPUTS = "outputs.npz"
SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 4,
    "classifier_proj_size": 4,
    "vocab_size": 5,
    "codevector_dim": 8,
    "proj_codevector_dim": 8,
    "num_codevectors_per_group": 4,
    "num_ctc_classes": 5,
    "tdnn_dim": [8, 8, 8, 8, 12],
    "xvector_output_dim": 8,
}
STABLE = {"feat_extract_norm": "layer", "conv_bias": True, "do_stable_layer_norm": True}
# Folder: class of transformers, what its configuration has beside SMALL, how it is saved.
CHECKPOINTS = {
    "wav2vec2-ctc": ("Wav2Vec2ForCTC", {}, {}),
    "wav2vec2-classifier-in-shards": ("Wav2Vec2ForSequenceClassification", STABLE, {"max_shard_size": "12KB"}),
    "wav2vec2-speakers": ("Wav2Vec2ForXVector", {"use_weighted_layer_sum": True}, {}),
    "hubert": ("HubertModel", STABLE, {}),
    "hubert-ctc-without-masks": ("HubertForCTC", {"mask_time_prob": 0.0}, {}),
    "unispeech-pretraining-of-pytorch-1": ("UniSpeechForPreTraining", STABLE, {}),
}


def waveforms():
    """Two clips of 0.25 s, `(2, 4000)`, of another mean and variance than the networks are fed with."""
    return 0.1 + 0.3 * np.random.default_rng(0).standard_normal((2, 4000), "float32")


def network(name, torch, transformers):
    """A network with random weights; those that begin as 0 or 1 as well, or nothing would tell them apart."""
    kind, settings, _ = CHECKPOINTS[name]
    kind = getattr(transformers, kind)
    torch.manual_seed(list(CHECKPOINTS).index(name))
    model = kind(kind.config_class(**SMALL | settings)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def with_names_of_pytorch_1(folder, torch, transformers, kind):
    """Has transformers write the folder anew with `weight_g` and `weight_v`: it keeps the names that it finds."""
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    names = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    tensors = load_file(path)
    for new, old in names.items():
        tensors = {name.replace(new, old): tensor for name, tensor in tensors.items()}
    save_file(tensors, path, metadata={"format": "pt"})
    getattr(transformers, kind).from_pretrained(folder).save_pretrained(folder)
    assert {name.rpartition(".")[2] for name in load_file(path)} >= {"weight_g", "weight_v"}


def hidden_states(model, torch, transformers):
    """What the encoder answers to `waveforms()` after the feature extractor, `(layers + 1, 2, frames, 16)`."""
    extractor = transformers.Wav2Vec2FeatureExtractor()
    inputs = extractor(list(waveforms()), sampling_rate=16_000, return_tensors="pt").input_values
    with torch.inference_mode():
        answer = getattr(model, model.base_model_prefix, model)(inputs, output_hidden_states=True)
    # Of pre-norm networks transformers 5 gives the last of these before the last layer norm, earlier versions after it.
    return torch.stack([*answer.hidden_states[:-1], answer.last_hidden_state]).numpy()


def main(folders=FOLDERS):
    import torch
    import transformers

    shutil.rmtree(folders, ignore_errors=True)
    outputs = {"versions": f"transformers {transformers.__version__}, torch {torch.__version__}"}
    for name, (kind, _, options) in CHECKPOINTS.items():
        folder, model = folders / name, network(name, torch, transformers)
        model.save_pretrained(folder, **options)
        transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder)
        if name.endswith("pytorch-1"):
            with_names_of_pytorch_1(folder, torch, transformers, kind)
        outputs[name] = hidden_states(model, torch, transformers)
        print(name, sorted(path.name for path in folder.iterdir()), json.dumps(outputs[name].shape))
    np.savez_compressed(folders / OUTPUTS, **outputs)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
