"""wav2vec 2.0: fine-tuned as in papers 004 and 003, frozen, which a laptop can do, and small, without a download."""

from sertk.recipes.groups import Audio, Features, Model, Split, Training
from sertk.recipes.recipe import Recipe

BASE = {"backbone": "facebook/wav2vec2-base", "weights": "pretrained"}
# The convolutions of wav2vec 2.0 with a sixteenth of their channels, under three transformer layers: 0.3 M parameters.
SMALL = {
    "model_type": "wav2vec2",
    "conv_dim": [32] * 7,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "hidden_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 192,
    "num_conv_pos_embeddings": 32,
    "num_conv_pos_embedding_groups": 8,
}

WAV2VEC2 = (
    # Section 6: a linear layer on the mean over the frames, clips truncated at 3 s, memory saved by gradient
    # checkpointing. The batch size is not told; 8 is chosen here.
    Recipe(
        name="004-wav2vec2",
        title="wav2vec 2.0, fine-tuned",
        source="paper 004, section 6",
        labels="seven",
        split=Split(fractions=(0.9, 0.05, 0.05)),
        audio=Audio(seconds=3.0, crop="start", pad="batch"),
        features=Features(kind="waveform"),
        model=Model("ssl_classifier", {**BASE, "head": "linear", "gradient_checkpointing": True}),
        training=Training(learning_rate=1e-5, batch_size=8, epochs=30, patience=10),
    ),
    # Sections 2.1 and 3.2: two linear layers, of which the first one's mean over the frames is the embedding that
    # graphs are built from. It does not say which actors are in which part; the split's seed draws them.
    Recipe(
        name="003-upstream",
        title="wav2vec 2.0 with two linear layers, fine-tuned",
        source="paper 003, section 3.2",
        labels="eight",
        split=Split(kind="ravdess-10-8-6"),
        audio=Audio(seconds=None, pad="batch"),
        features=Features(kind="waveform"),
        model=Model("ssl_classifier", {**BASE, "head": "two_layer", "units": 256, "freeze_feature_encoder": True}),
        training=Training(learning_rate=3e-5, batch_size=16, epochs=20, patience=None),
    ),
    # Not of a paper: the network stays as it is, each clip goes through it once, and what learns is small. The mean of
    # all layers stands for SUPERB's weighted sum of them.
    *(
        Recipe(
            name=f"ssl-{name}",
            title=f"{title} on embeddings of wav2vec 2.0",
            source="sertk",
            labels=None,
            split=Split(kind="speaker"),
            audio=Audio(seconds=None, pad="batch"),
            features=Features(kind="embedding", source=BASE["backbone"], layer="mean", normalize=True),
            model=Model("probe", options),
            training=Training(learning_rate=1e-3, batch_size=32, epochs=200, patience=20),
        )
        for name, title, options in (
            ("linear", "Linear probe", {}),
            ("mlp", "Perceptron", {"units": [256], "dropout": 0.5}),
        )
    ),
    # Not of a paper: the whole path on real speech where no checkpoint can be had. These networks are made to be
    # pre-trained on a thousand hours; from random weights on one corpus they learn little.
    Recipe(
        name="wav2vec2-small",
        title="small wav2vec 2.0 from random weights",
        source="sertk, docs/results.md",
        labels=None,
        split=Split(kind="speaker"),
        audio=Audio(seconds=3.0, pad="batch"),
        features=Features(kind="waveform"),
        model=Model("ssl_classifier", {"backbone": SMALL, "head": "linear", "layer_drop": 0.0}),
        training=Training(
            optimizer="adamw",
            learning_rate=1e-3,
            schedule="cosine",
            warmup=2.0,
            weight_decay=1e-2,
            global_clip_norm=1.0,
            label_smoothing=0.1,
            batch_size=16,
            epochs=30,
            patience=None,
        ),
    ),
)
