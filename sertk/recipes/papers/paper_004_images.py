"""Paper 004, section 5: VGG16 on images of mel spectrograms, experiments 1 to 5.

Common to all: 7 emotions, 16 kHz, 3 s, random 80/10/10 split, images of 224 x 224 with fixed levels and colours, Adam
at 1e-5, stopped after five epochs without a better validation accuracy, then trained anew for the best number of
epochs.
Experiment 0 is the search for the head's sizes. What the report leaves open is chosen here: batches of 32, librosa's
colour map magma, -80 to 20 dB, a dropout of 0.5, the factors of the augmentation.
"""

from sertk.recipes.groups import Features, Model, Training
from sertk.recipes.recipe import Recipe

IMAGES = Features(kind="mel_image", hop_length=512, colormap="magma")
TRAINING = Training(learning_rate=1e-5, patience=5, monitor="accuracy", retrain=True)


def _recipe(number, title, **options):
    return Recipe(
        name=f"004-vgg16-{number}",
        title=f"VGG16, {title}",
        source=f"paper 004, 5.{'2' if number < 3 else '3'}, experiment {number}",
        features=IMAGES,
        model=Model("transfer_head", {"backbone": "vgg16", "weights": "imagenet", **options}),
        training=TRAINING,
    )


PAPER_004_IMAGES = (
    _recipe(1, "frozen", trainable="none"),
    _recipe(2, "frozen, images flipped, rotated and zoomed", trainable="none", image_augmentation=True),
    _recipe(3, "its last convolution trained too", trainable=1),
    _recipe(4, "its last 2 convolutions trained too", trainable=2),
    _recipe(5, "its last 3 convolutions trained too", trainable=3),
)
