"""sertk's own recipes: what trains best from scratch on a corpus of a few hours, told with how it was chosen."""

from sertk.recipes.groups import Audio, Features, Model, Split, Training
from sertk.recipes.recipe import Recipe

# Chosen on the validation speakers of RAVDESS' folds 1 and 4 (`ravdess-emobox`, four of twenty actors each), never on
# test speakers: docs/results.md says what else was tried there.
OWN = (
    Recipe(
        name="attentive-mel",
        title="3 CNNs with attentive pooling on log-mel",
        source="sertk, docs/results.md",
        labels=None,
        split=Split(kind="speaker"),
        audio=Audio(trim_top_db=40.0),
        features=Features(kind="log_mel", n_fft=1024, hop_length=512, n_mels=64, fmin=50.0, normalize=True),
        model=Model("attentive_cnn", {"width": 24, "heads": 4, "dropout": 0.3, "spatial_dropout": 0.1}),
        training=Training(
            optimizer="adamw",
            learning_rate=3e-3,
            schedule="cosine",
            warmup=3.0,
            weight_decay=1e-3,
            clip_norm=1.0,
            label_smoothing=0.1,
            epochs=50,
            patience=None,
            members=3,
        ),
    ),
)
