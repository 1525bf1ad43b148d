"""The book of search spaces: every one that `sertk tune` knows by name."""

from sertk.tuning.spaces.nsl import NSL
from sertk.tuning.spaces.parallel_cnn import PARALLEL_CNN
from sertk.tuning.spaces.simclr import SIMCLR
from sertk.tuning.spaces.transfer_head import TRANSFER_HEAD
from sertk.tuning.spaces.vgg16_head import VGG16_HEAD

SPACES = {space.name: space for space in (PARALLEL_CNN, VGG16_HEAD, TRANSFER_HEAD, NSL, SIMCLR)}


def get_space(name):
    """The search space of that name.

    Args:
        name: str, one of `SPACES`.

    Returns:
        `SearchSpace`.

    Raises:
        ValueError: if there is none; the message lists those there are.
    """
    if name not in SPACES:
        raise ValueError(f"There is no search space {name!r}; choose one of {', '.join(SPACES)}. Received: {name!r}")
    return SPACES[name]
