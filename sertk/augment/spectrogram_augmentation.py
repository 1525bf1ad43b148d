"""Tri-mix, tri-cut, frequency and time masks one after the other, as one layer."""

import keras

from sertk.augment.masks import FrequencyMask, TimeMask
from sertk.augment.spectrogram import check_count, check_share
from sertk.augment.tri_cut import TriCut
from sertk.augment.tri_mix import TriMix, check_input_dtype, check_input_shape, features_of


@keras.saving.register_keras_serializable(package="sertk")
class SpectrogramAugmentation(keras.layers.Layer):
    """Changes spectrograms in training: tri-mix, then tri-cut, frequency masks and time masks, each clip its own way.

    Tri-mix comes first, so that partners are whole clips and labels follow what was pasted; what is cut or masked
    after it may hide some of that. Each part can be left out. The paper masks time and frequency, cuts and mixes "one
    after the other" and says neither how often nor how much; that is chosen here. In inference the layer does nothing.

    Input: float features, `(batch, frames, bands)`; or a dict of `"features"` and `"labels"`, float, `(batch,
        classes)`, which tri-mix mixes. What else is in the dict stays as it is.
    Output: as the input, floats being of the layer's dtype.

    Args:
        time_masks: int, masks over frames; 0 or None for none. Defaults to 1.
        frequency_masks: int, masks over bands; 0 or None for none. Defaults to 1.
        tri_cut: float, the share of clips that lose a triangle; 0 or None for none. Defaults to 0.5.
        tri_mix: float, the share of clips that get a triangle of another clip; 0 or None for none. Defaults to 0.5.
        max_time_width: float, the widest time mask as a share of the frames. Defaults to 0.1.
        max_frequency_width: float, the widest frequency mask as a share of the bands. Defaults to 0.1.
        area: pair of floats, smallest and largest triangle, as shares of the spectrogram. Defaults to (0.05, 0.2).
        by: `"energy"`, to cut where there is little energy and paste what has much; or `"random"`. Defaults to
            `"energy"`.
        candidates: int, how many triangles `by="energy"` chooses from. Defaults to 8.
        fill: `"mean"`, the mean of the clip as it comes to the part that needs it, which is 0 where features are
            standardised; or a number, in the features' unit. Defaults to `"mean"`.
        seed: int, or None for another sequence in every process. Defaults to None.
        dtype: defaults to `"float32"`.

    Raises:
        ValueError: if an argument is out of range, or the input is neither a batch of float features nor a dict of
            these and labels.

    Example:
        >>> view = SpectrogramAugmentation(seed=0)(features, training=True)
        >>> masked = SpectrogramAugmentation(tri_cut=None, tri_mix=None)(features, training=True)

    Source: paper 000, sections 3.1.1 and 3.1.2; Park et al. (2019), SpecAugment; Yun et al. (2019), CutMix.
    """

    def __init__(
        self,
        time_masks=1,
        frequency_masks=1,
        tri_cut=0.5,
        tri_mix=0.5,
        max_time_width=0.1,
        max_frequency_width=0.1,
        area=(0.05, 0.2),
        by="energy",
        candidates=8,
        fill="mean",
        seed=None,
        dtype="float32",
        **kwargs,
    ):
        super().__init__(dtype=dtype, **kwargs)
        self.time_masks, self.frequency_masks = time_masks or 0, frequency_masks or 0
        self.tri_cut, self.tri_mix = tri_cut or 0, tri_mix or 0
        for name in ("time_masks", "frequency_masks"):
            check_count(name, getattr(self, name), least=0)
        for name in ("tri_cut", "tri_mix"):
            check_share(name, getattr(self, name), zero=True)
        check_share("max_time_width", max_time_width)
        check_share("max_frequency_width", max_frequency_width)
        self.max_time_width = max_time_width
        self.max_frequency_width = max_frequency_width
        self.fill = fill
        self.seed = seed
        seeds = (None,) * 4 if seed is None else (seed, seed + 1, seed + 2, seed + 3)
        triangles = {"area": area, "by": by, "candidates": candidates, "dtype": dtype}
        # All are made, whether they are used or not, so that a bad argument is told either way.
        self._tri_mix = TriMix(probability=self.tri_mix, seed=seeds[0], name="tri_mix", **triangles)
        self._tri_cut = TriCut(probability=self.tri_cut, fill=fill, seed=seeds[1], name="tri_cut", **triangles)
        self.area, self.by, self.candidates = self._tri_cut.area, by, candidates
        masks = [
            (FrequencyMask, self.frequency_masks, max_frequency_width, seeds[2], "frequency_mask"),
            (TimeMask, self.time_masks, max_time_width, seeds[3], "time_mask"),
        ]
        self._parts = [self._tri_cut] if self.tri_cut else []
        for mask, count, width, own_seed, name in masks:
            if count:
                self._parts.append(mask(width, count, fill, seed=own_seed, dtype=dtype, name=name))

    def build(self, input_shape):
        check_input_shape(self, input_shape)
        self._tri_mix.build(input_shape)
        for part in (self._tri_cut, *self._parts):
            part.build(features_of(input_shape))

    def call(self, inputs, training=False):
        check_input_dtype(self, inputs)
        if not training:
            return inputs
        if self.tri_mix:
            inputs = self._tri_mix(inputs, training=True)
        features = features_of(inputs)
        for part in self._parts:
            features = part(features, training=True)
        return {**inputs, "features": features} if isinstance(inputs, dict) else features

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "time_masks": self.time_masks,
            "frequency_masks": self.frequency_masks,
            "tri_cut": self.tri_cut,
            "tri_mix": self.tri_mix,
            "max_time_width": self.max_time_width,
            "max_frequency_width": self.max_frequency_width,
            "area": list(self.area),
            "by": self.by,
            "candidates": self.candidates,
            "fill": self.fill,
            "seed": self.seed,
        }
