"""Paper 004, sections 4.3 to 4.5: the networks trained from scratch.

Common to all: 7 emotions (calm counts as neutral), 16 kHz, 3 s, random 80/10/10 split, Adam, categorical
cross-entropy, at most 100 epochs, early stopping on the validation loss. What the report leaves open is chosen here:
batches of 32, the middle 3 s of longer clips, zeros after shorter ones, features as librosa gives them
(`features.normalize=true` fits mean and variance on the training part), the best epoch's weights kept
(`training.retrain=true` is the report's retraining for the best number of epochs).

The report does not say whether the single CNN of its section 4.3.3 saw augmented data; both forms are here. Its table
of learning rates, section 4.3.2, is `004-cnn-mfcc` with `training.learning_rate` from 1e-5 to 1e-2.
"""

from sertk.recipes.groups import Features, Model, Noise, Training
from sertk.recipes.recipe import Recipe

MFCC = Features(kind="mfcc", n_mfcc=128, hop_length=512)
LOG_MEL = Features(kind="log_mel", hop_length=256)
TWO_COPIES = Noise(copies=2, snr=(15.0, 30.0))
CLEAN = Noise()

CNN = Model("cnn", {"dropout": 0.3})
TWO_CNN = Model("two_cnn", {"dropout": 0.3})
PARALLEL = Model("cnn_transformer", {"dropout": 0.3, "encoder_dropout": 0.4})


def _recipe(name, title, source, model, features, noise, learning_rate):
    patience = 10 if noise.copies else 20
    training = Training(learning_rate=learning_rate, patience=patience)
    return Recipe(
        name=f"004-{name}",
        title=title,
        source=f"paper 004, {source}",
        features=features,
        noise=noise,
        model=model,
        training=training,
    )


PAPER_004 = (
    _recipe("cnn-mfcc", "One CNN on MFCC", "table of 4.3.3", CNN, MFCC, CLEAN, 1e-2),
    _recipe("cnn-mfcc-awgn", "One CNN on MFCC, with noise", "table of 4.3.3", CNN, MFCC, TWO_COPIES, 1e-2),
    _recipe("two-cnn-mfcc", "Two CNNs on MFCC", "section 4.4, without noise", TWO_CNN, MFCC, CLEAN, 1e-4),
    _recipe("two-cnn-mfcc-awgn", "Two CNNs on MFCC, with noise", "table of 4.4.1", TWO_CNN, MFCC, TWO_COPIES, 1e-4),
    _recipe("parallel-mfcc", "CNNs and transformer on MFCC", "1st table of 4.5.2", PARALLEL, MFCC, CLEAN, 1e-4),
    _recipe(
        "parallel-mfcc-awgn",
        "CNNs and transformer on MFCC, with noise",
        "2nd table of 4.5.2",
        PARALLEL,
        MFCC,
        TWO_COPIES,
        1e-4,
    ),
    _recipe("parallel-mel", "CNNs and transformer on log-mel", "3rd table of 4.5.2", PARALLEL, LOG_MEL, CLEAN, 1e-4),
    _recipe(
        "parallel-mel-awgn",
        "CNNs and transformer on log-mel, with noise",
        "4th table of 4.5.2",
        PARALLEL,
        LOG_MEL,
        TWO_COPIES,
        1e-4,
    ),
)
