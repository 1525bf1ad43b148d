"""Paper 001: anger, stress and neutral from spectrogram images of 30 ms, by four networks trained on ImageNet.

Common to all, from its section 4 and table 1: 1,800 images to train, 600 to validate, 600 to test, Adadelta at 1e-4
with rho 0.95 and epsilon 1e-8, batches of 32, ten epochs. The paper cut the voiced parts of IEMOCAP with MATLAB and
made images of 900 x 1200 by a Fourier transform. What it leaves open is chosen here: a window of 128 samples every 8,
the colour map jet, images of the size that the network was trained on, the label map `three`.

It does not say that it kept the chunks of a clip together. `chunks.together=true`, the default here, does; false
scatters them over training and test, which is what an accuracy of 99.7 % looks like. Keras's Adadelta at 1e-4 hardly
moves a weight in ten epochs; `training.learning_rate=1.0` is Zeiler's own.
"""

from sertk.recipes.groups import Chunks, Features, Model, Split, Training
from sertk.recipes.recipe import Recipe

SPLIT = Split(fractions=(0.6, 0.2, 0.2))
CHUNKS = Chunks(seconds=0.03, counts=(1800, 600, 600))
TRAINING = Training(optimizer="adadelta", learning_rate=1e-4, epsilon=1e-8, epochs=10, patience=None)


def _recipe(name, title, backbone, size=224):
    return Recipe(
        name=f"001-{name}",
        title=f"{title} on images of chunks",
        source="paper 001, table II",
        labels="three",
        split=SPLIT,
        chunks=CHUNKS,
        features=Features(
            kind="stft_image",
            n_fft=128,
            hop_length=8,
            height=size,
            width=size,
            colormap="jet",
            min_db=-95.0,
            max_db=10.0,
        ),
        model=Model("transfer_head", {"backbone": backbone, "weights": "imagenet"}),
        training=TRAINING,
    )


PAPER_001 = (
    _recipe("resnet50", "ResNet50", "resnet50"),
    _recipe("squeezenet", "SqueezeNet", "squeezenet"),
    _recipe("wide-resnet50", "WideResNet-50-2", "wide_resnet50"),
    _recipe("inception-v3", "InceptionV3", "inception_v3", size=299),
)
