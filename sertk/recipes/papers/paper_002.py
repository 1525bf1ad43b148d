"""Paper 002: six large self-supervised transformers fine-tuned on RAVDESS, whose predictions then vote.

Common to all, from its sections 4 and 5 and table 2: whole clips padded to the longest of their batch, mean pooling,
batches of 4 whose gradients are accumulated over 2, a learning rate of 1e-4, ten epochs, judged every 100 steps. What
it leaves to the Trainer of transformers is that one's default: AdamW with an epsilon of 1e-8, a rate that falls
linearly to 0, gradients clipped to a norm of 1. It names no head; here it is the projection of transformers' sequence
classification. The convolutions in front are frozen, as in the fine-tuning of the checkpoints' authors.

The paper divides RAVDESS 80/20 at random, judges every 100 steps on the 20 %, keeps the step that is best there and
reports the accuracy of that step on the same clips: its figures are chosen on the test set, of speakers who are in
training too. Here a tenth of the clips, taken from the training part, chooses the step, and the 20 % are touched once.
`--split ravdess-80-20 --set training.patience=null` trains as published and takes the last step; `--split speaker`
measures on new speakers.
"""

from sertk.recipes.groups import Audio, Features, Model, Split, Training
from sertk.recipes.recipe import Recipe

SPLIT = Split(fractions=(0.7, 0.1, 0.2))
AUDIO = Audio(seconds=None, pad="batch")
TRAINING = Training(
    optimizer="adamw",
    learning_rate=1e-4,
    schedule="linear",
    epsilon=1e-8,
    global_clip_norm=1.0,
    batch_size=4,
    accumulation=2,
    evaluate_every=100,
    epochs=10,
    # More rounds than there are: all are trained, and the best one's weights are kept.
    patience=100,
    monitor="accuracy",
)


def _recipe(name, title, checkpoint):
    options = {
        "backbone": checkpoint,
        "weights": "pretrained",
        "head": "projection",
        "pooling": "mean",
        "freeze_feature_encoder": True,
    }
    return Recipe(
        name=f"002-{name}",
        title=title,
        source="paper 002, table 4",
        labels="eight",
        split=SPLIT,
        audio=AUDIO,
        features=Features(kind="waveform"),
        model=Model("ssl_classifier", options),
        training=TRAINING,
    )


PAPER_002 = (
    _recipe("wav2vec2-large", "wav2vec 2.0 large, fine-tuned", "facebook/wav2vec2-large-960h-lv60-self"),
    _recipe("xlsr-53", "XLSR-53, fine-tuned", "facebook/wav2vec2-large-xlsr-53"),
    _recipe("hubert-base", "HuBERT base, fine-tuned", "facebook/hubert-base-ls960"),
    _recipe("hubert-xlarge", "HuBERT X-large, fine-tuned", "facebook/hubert-xlarge-ls960-ft"),
    _recipe("unispeech-large", "UniSpeech large, fine-tuned", "microsoft/unispeech-large-1500h-cv"),
    _recipe(
        "unispeech-multilingual",
        "UniSpeech multilingual, fine-tuned",
        "microsoft/unispeech-large-multi-lingual-1500h-cv",
    ),
)
