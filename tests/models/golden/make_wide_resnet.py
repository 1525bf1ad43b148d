"""Makes wide_resnet50_2.npz: what timm's network answers with weights that NumPy draws, so that none need to be kept.

pip install torch timm && python make_wide_resnet.py
"""

import zlib
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).with_name("wide_resnet50_2.npz")


def draw(name, shape):
    """The tensor of this name in the state dict: the same in each framework, of sizes that keep activations near 1."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, "int64")
    if len(shape) == 4:
        return rng.standard_normal(shape, "float32") * np.float32(np.sqrt(2 / np.prod(shape[1:])))
    if name.endswith(("running_mean", "bias")):
        return 0.1 * rng.standard_normal(shape, "float32")
    # The last of each block is small, or the sums over the blocks would grow a thousandfold.
    return (0.2 if name.endswith("bn3.weight") else 1.0) * (0.5 + rng.random(shape, "float32"))


def picture():
    """A picture after preprocessing, `(1, 64, 96, 3)`: not square, so that no axis can be taken for another."""
    return np.random.default_rng(0).standard_normal((1, 64, 96, 3), "float32")


def main():
    import timm
    import torch

    network = timm.create_model("wide_resnet50_2", num_classes=0, global_pool="").eval()
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    network.load_state_dict({name: torch.from_numpy(draw(name, shape)) for name, shape in shapes.items()})
    with torch.inference_mode():
        features = network(torch.from_numpy(picture().transpose(0, 3, 1, 2))).numpy().transpose(0, 2, 3, 1)
    np.savez_compressed(
        GOLDEN,
        features=features,
        names=np.array(list(shapes)),
        shapes=np.array([",".join(map(str, shape)) for shape in shapes.values()]),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        versions=f"timm {timm.__version__}, torch {torch.__version__}",
    )


if __name__ == "__main__":
    main()
