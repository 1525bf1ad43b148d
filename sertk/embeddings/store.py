"""The store of embeddings: an array a clip on disk, found by the clip and by the network that made it."""

import hashlib
import json
from pathlib import Path

import keras
import numpy as np

from sertk.atomic import replacing

STEP = 1 << 24


class EmbeddingStore:
    """A folder of float32 arrays, one `.npy` a clip, of one network and one way to cut the clips.

    The folder's name is made of the network's weights, so another checkpoint, or one that was trained further, has a
    folder of its own; an array's name is that of the clip's entry in the `WaveformCache`: path, size, time of change
    and sample rate. Arrays are written under another name and then renamed: a killed run leaves no half of one, and the
    same call goes on with those that are missing.

    Args:
        directory: folder of all stores.
        model: keras.Model from waveforms to embeddings, as `embedder` builds it.
        settings: dict for JSON, what else the arrays depend on: the layer, the pooling, how long clips may be.
            Defaults to {}.

    Attributes:
        directory: `Path`, the folder of this network's arrays. A `network.json` in it says what they are.
    """

    def __init__(self, directory, model, settings=None):
        self.settings = {**(settings or {}), "weights": digest(model), "sertk": "embeddings 1"}
        name = hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode()).hexdigest()[:16]
        self.directory = Path(directory) / name

    def path(self, entry):
        """Where the array of a clip is, whether or not it is there yet.

        Args:
            entry: path of the clip's entry in the waveform cache.
        """
        name = Path(entry).stem
        return self.directory / name[:2] / f"{name}.npy"

    def write(self, entry, array):
        """Keeps the array of a clip."""
        described = self.directory / "network.json"
        if not described.is_file():
            with replacing(described) as unfinished:
                unfinished.write_text(json.dumps(self.settings, indent=2) + "\n")
        with replacing(self.path(entry)) as unfinished:
            np.save(unfinished, np.asarray(array, "float32"), allow_pickle=False)

    def read(self, entry):
        """The array of a clip; None where there is none, or only a damaged one.

        Returns:
            float32 array, `(channels,)` or `(frames, channels)`, or None.
        """
        try:
            return np.load(self.path(entry), allow_pickle=False)
        except (FileNotFoundError, ValueError, EOFError):
            return None


def digest(model):
    """What tells a model's weights from others: SHA-256 over their shapes and values, in their order.

    Args:
        model: keras.Model. Seeds of random numbers do not count.

    Returns:
        str, 64 hexadecimal digits.
    """
    sum_of = hashlib.sha256()
    for variable in model.variables:
        if variable.path.endswith("seed_generator_state"):
            continue
        values = np.ascontiguousarray(keras.ops.convert_to_numpy(variable))
        sum_of.update(f"{values.shape} {values.dtype}".encode())
        flat = memoryview(values).cast("B")
        for start in range(0, len(flat), STEP):
            sum_of.update(flat[start : start + STEP])
    return sum_of.hexdigest()
