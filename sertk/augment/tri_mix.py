"""Tri-mix: a triangle of another clip is pasted into a spectrogram, and the labels are mixed by its area."""

import keras
from keras import ops

from sertk.augment.spectrogram import check_features_dtype, check_features_shape
from sertk.augment.triangle_layer import TriangleLayer


@keras.saving.register_keras_serializable(package="sertk")
class TriMix(TriangleLayer):
    """Pastes a triangle of another clip of the batch into each clip in training, where that one has much energy.

    Each clip has a partner: the clips stand in a random circle, and each takes from the next, so that none takes from
    itself and none gives twice. The triangle keeps its place in time and frequency. It is drawn as `TriCut` draws
    it, but with `by="energy"` the candidate with the highest mean in the partner is pasted, so that what comes in says
    something. A batch of one clip stays as it is. In inference the layer does nothing.

    Labels, where they are given, are mixed as in CutMix: a clip keeps 1 - s of its own and takes s of its partner's,
    s being the share of the cells that were pasted, counted, not drawn. Their sum stays what it was. Without labels,
    as for two views of a clip, the features alone are mixed.

    The paper names tri-mix and that it takes "high information triangular parts"; sizes, partners, the way to find the
    triangle and the mixing of labels are chosen here.

    Input: float features, `(batch, frames, bands)`; or a dict of `"features"` and `"labels"`, float, `(batch,
        classes)`, one-hot or probabilities. What else is in the dict stays as it is.
    Output: as the input, floats being of the layer's dtype.

    Args:
        area: pair of floats, smallest and largest triangle, as shares of the spectrogram, above 0 and at most 0.5, the
            most that a triangle covers of a rectangle. Defaults to (0.05, 0.2).
        by: `"energy"`, or `"random"` for the first triangle that comes. Defaults to `"energy"`.
        candidates: int, how many triangles `by="energy"` chooses from. Defaults to 8.
        probability: float, the share of clips that are changed. Defaults to 1.
        seed: int, or None for another sequence in every process. Defaults to None.
        dtype: defaults to `"float32"`. The triangles are found in float32 in any case.

    Raises:
        ValueError: if an argument is out of range, or the input is neither a batch of float features nor a dict of
            these and labels.

    Example:
        >>> view = TriMix(seed=0)(features, training=True)
        >>> mixed = TriMix(seed=0)({"features": features, "labels": one_hot}, training=True)

    Source: paper 000, sections 3.1.1 and 3.1.2, and its [38], Preethi and Jesi (2024), IEEE Access. Yun et al. (2019),
        CutMix, https://arxiv.org/abs/1905.04899.
    """

    def __init__(
        self,
        area=(0.05, 0.2),
        by="energy",
        candidates=8,
        probability=1.0,
        seed=None,
        dtype="float32",
        **kwargs,
    ):
        super().__init__(area, by, candidates, probability, seed, dtype, **kwargs)

    def build(self, input_shape):
        check_input_shape(self, input_shape)

    def call(self, inputs, training=False):
        check_input_dtype(self, inputs)
        if not training:
            return inputs
        features = features_of(inputs)
        partner = self._partners(ops.shape(features)[0])
        others = ops.take(features, partner, axis=0)
        inside = self.draw(others, loudest=True)
        mixed = ops.where(inside, others, features)
        if not isinstance(inputs, dict):
            return mixed
        share = ops.mean(ops.cast(inside, "float32"), axis=(1, 2))[:, None]
        return {**inputs, "features": mixed, "labels": _mixed_labels(inputs["labels"], partner, share)}

    def _partners(self, clips):
        """Who stands next in a random circle: int, `(clips,)`."""
        circle = ops.argsort(keras.random.uniform((clips,), seed=self.seed_generator))
        return ops.take(ops.roll(circle, -1), ops.argsort(circle))


def _mixed_labels(labels, partner, share):
    own = ops.cast(labels, "float32")
    # In this form a clip of which nothing was pasted keeps its label to the bit.
    return ops.cast(own + share * (ops.take(own, partner, axis=0) - own), labels.dtype)


def features_of(inputs):
    """The features of an input, or of its shapes, which may be a dict of them and their labels."""
    return inputs["features"] if isinstance(inputs, dict) else inputs


def check_input_shape(layer, input_shape):
    """Refuses what is neither a batch of features nor a dict of these and labels that can be mixed.

    Args:
        layer: the layer, for its name.
        input_shape: the shape it was given, or the dict of shapes.

    Raises:
        ValueError: if the features are none, or the dict lacks them or labels of shape `(batch, classes)`.
    """
    if isinstance(input_shape, dict) and not {"features", "labels"} <= set(input_shape):
        raise ValueError(
            f'{type(layer).__name__} takes features, or a dict of "features" and "labels". '
            f"Received: a dict of {sorted(input_shape)}"
        )
    check_features_shape(layer, features_of(input_shape))
    if isinstance(input_shape, dict) and len(input_shape["labels"]) != 2:
        _refuse_labels(layer, f"shape={tuple(input_shape['labels'])}")


def check_input_dtype(layer, inputs):
    """Refuses features and labels that are no floats, as `check_input_shape` does what is of no such shape."""
    check_features_dtype(layer, features_of(inputs))
    if isinstance(inputs, dict):
        dtype = keras.backend.standardize_dtype(inputs["labels"].dtype)
        if not keras.backend.is_float_dtype(dtype):
            _refuse_labels(layer, f"dtype={dtype}")


def _refuse_labels(layer, received):
    raise ValueError(
        f"{type(layer).__name__} mixes float `labels` of shape (batch, classes); turn class numbers into them with "
        f"`keras.ops.one_hot`. Received: labels of {received}"
    )
