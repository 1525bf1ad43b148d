"""Tri-cut: a triangle of a spectrogram is taken away."""

import keras

from sertk.augment.spectrogram import check_features_dtype, check_features_shape, check_fill, filled
from sertk.augment.triangle_layer import TriangleLayer


@keras.saving.register_keras_serializable(package="sertk")
class TriCut(TriangleLayer):
    """Takes a triangle away from each clip in training, where there is little energy or anywhere.

    An area is drawn evenly for each clip, then a triangle of that area that lies wholly in the spectrogram, of any
    shape and at any place (`sertk.augment.triangles`). With `by="energy"` some are drawn and the one whose cells have
    the lowest mean is taken, so that little is lost. Of a log-mel spectrogram that is a mean of dB, which rises with
    each cell's energy but is not the dB of their mean; of standardised features, one of standard deviations, so a
    band that is always quiet counts as much as others. Where a clip is padded with silence, that is where it is cut.
    In inference the layer does nothing.

    The paper names tri-cut and that it takes "a triangular region with little information"; sizes, the way to find it
    and what is left behind are chosen here.

    Input: float features, `(batch, frames, bands)`.
    Output: the same shape, of the layer's dtype.

    Args:
        area: pair of floats, smallest and largest triangle, as shares of the spectrogram, above 0 and at most 0.5, the
            most that a triangle covers of a rectangle. Defaults to (0.05, 0.2).
        by: `"energy"`, or `"random"` for the first triangle that comes. Defaults to `"energy"`.
        candidates: int, how many triangles `by="energy"` chooses from. Defaults to 8.
        probability: float, the share of clips that are changed. Defaults to 1.
        fill: `"mean"`, the mean of all of the clip's values, which is 0 where they are standardised; or a number, in
            the features' unit. Defaults to `"mean"`.
        seed: int, or None for another sequence in every process. Defaults to None.
        dtype: defaults to `"float32"`. The triangles are found in float32 in any case.

    Raises:
        ValueError: if an argument is out of range, or the input is no batch of float features.

    Example:
        >>> cut = TriCut(area=(0.1, 0.1), seed=0)(features, training=True)

    Source: paper 000, sections 3.1.1 and 3.1.2, and its [38], Preethi and Jesi (2024), IEEE Access.
    """

    def __init__(
        self,
        area=(0.05, 0.2),
        by="energy",
        candidates=8,
        probability=1.0,
        fill="mean",
        seed=None,
        dtype="float32",
        **kwargs,
    ):
        super().__init__(area, by, candidates, probability, seed, dtype, **kwargs)
        check_fill(fill)
        self.fill = fill

    def build(self, input_shape):
        check_features_shape(self, input_shape)

    def call(self, features, training=False):
        check_features_dtype(self, features)
        if not training:
            return features
        return filled(features, self.draw(features, loudest=False), self.fill)

    def get_config(self):
        return {**super().get_config(), "fill": self.fill}
