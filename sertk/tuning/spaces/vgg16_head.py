"""Paper 004's experiment 0: the two dense layers on VGG16, and the learning rate.

The first layer has 64 to 512 units by 64, the second 32 to 256 by 32, the learning rate is 1e-3, 1e-4 or 1e-5. The
paper found 512, 192 and 1e-5.
"""

from sertk.tuning.space import SearchSpace


def choose(hp):
    """The units of both layers, and one of three learning rates."""
    first = hp.Int("units 1", 64, 512, step=64)
    second = hp.Int("units 2", 32, 256, step=32)
    rate = hp.Choice("training.learning_rate", [1e-3, 1e-4, 1e-5])
    return {"model.units": [first, second], "training.learning_rate": rate}


VGG16_HEAD = SearchSpace(
    name="vgg16-head",
    title="dense layers on VGG16, learning rate",
    source="paper 004, experiment 0",
    recipes=tuple(f"004-vgg16-{number}" for number in (1, 2, 3, 4, 5)),
    choose=choose,
)
