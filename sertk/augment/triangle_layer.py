"""What tri-cut and tri-mix share: one triangle a clip, of a drawn area, at random or chosen by its energy."""

import keras
from keras import ops

from sertk.augment.spectrogram import check_count, check_share
from sertk.augment.triangles import cells_inside, draw_triangles, mean_inside

BY = ("energy", "random")


class TriangleLayer(keras.layers.Layer):
    """A layer that changes a triangle of some clips; those built on it say of which, and what becomes of it."""

    def __init__(self, area, by, candidates, probability, seed, dtype, **kwargs):
        super().__init__(dtype=dtype, **kwargs)
        check_triangles(area, by, candidates)
        check_share("probability", probability, zero=True)
        self.area = tuple(float(bound) for bound in area)
        self.by = by
        self.candidates = candidates
        self.probability = probability
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def draw(self, features, loudest):
        """The cells of each clip's triangle; none where the clip is to stay as it is.

        Args:
            features: float, `(batch, frames, bands)`, whose energy is looked at.
            loudest: bool, whether the triangle with the most energy of the candidates is taken, or with the least.

        Returns:
            bool, `(batch, frames, bands)`.
        """
        clips, frames, bands = ops.shape(features)
        # One area for all candidates of a clip, or the smallest would win: extremes are found in small places.
        area = keras.random.uniform((clips,), *self.area, seed=self.seed_generator)
        corners = draw_triangles(area, self.candidates if self.by == "energy" else 1, self.seed_generator)
        if self.by == "energy":
            corners = _extreme(corners, features, loudest)
        inside = cells_inside(corners[:, 0], frames, bands)
        changed = keras.random.uniform((clips, 1, 1), seed=self.seed_generator) < self.probability
        return ops.logical_and(inside, changed)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "area": list(self.area),
            "by": self.by,
            "candidates": self.candidates,
            "probability": self.probability,
            "seed": self.seed,
        }


def _extreme(corners, features, loudest):
    """Of each clip's triangles `(clips, count, 3, 2)` the one with the most or the least energy: `(clips, 1, 3, 2)`."""
    energy, there = mean_inside(features, corners)
    wanted = ops.where(there, energy if loudest else -energy, -float("inf"))
    best = ops.one_hot(ops.argmax(wanted, axis=1), corners.shape[1], dtype="float32")
    return ops.sum(corners * best[:, :, None, None], axis=1, keepdims=True)


def check_triangles(area, by, candidates):
    """Refuses what describes no triangles."""
    try:
        low, high = (float(bound) for bound in area)
    except (TypeError, ValueError):
        low = high = float("nan")
    if not 0 < low <= high <= 0.5:
        raise ValueError(
            "`area` must be a pair of numbers (lowest, highest), shares of the spectrogram above 0 and at most 0.5: no "
            f"triangle covers more of a rectangle. Received: area={area!r}"
        )
    if by not in BY:
        raise ValueError(f'`by` must be "energy" or "random". Received: by={by!r}')
    check_count("candidates", candidates)
