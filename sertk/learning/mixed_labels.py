"""Training on mixed clips: a piece of another clip in each, and as much of its label."""

import keras

from sertk.learning.regularized import RegularizedModel


class MixedLabels(RegularizedModel):
    """A classifier that learns from clips into which a piece of another one of the batch is pasted.

    In training, features and one-hot labels go through `mixing`, and from there to the classifier and its loss; the
    accuracy of training counts the class with the larger share. Everything else is as in `RegularizedModel`.

    Args:
        base_model: functional keras.Model from features to probabilities; its weights are shared.
        mixing: layer from a dict of "features" and "labels" to the same, such as `sertk.augment.TriMix`.
        front: keras.Model without weights to be learnt, from a batch's inputs to features, such as waveforms to log-mel
            spectrograms, or None. Defaults to None.

    Raises:
        ValueError: if an argument is of another kind.

    Example:
        >>> model = MixedLabels(sertk.models.from_features(network), sertk.augment.TriMix(seed=0))
        >>> sertk.learning.fit(model, train, validation, "training")

    Source: paper 000, section 3.1.1; Yun et al. (2019), CutMix, arXiv:1905.04899.
    """

    def __init__(self, base_model, mixing, front=None):
        if not isinstance(mixing, keras.layers.Layer) or isinstance(mixing, keras.Model):
            raise ValueError(
                "`mixing` must be a Keras layer that mixes labels too, such as `sertk.augment.TriMix`. "
                f"Received: a {type(mixing).__name__}"
            )
        mixing.build({"features": base_model.input_shape, "labels": base_model.output_shape})
        super().__init__(base_model, 0.0, "mixing_loss", mixing=mixing, front=front)

    @property
    def input_shape(self):
        """That of `front`, or the classifier's."""
        front = getattr(self, "front", None)
        return super().input_shape if front is None else front.input_shape

    def train_step(self, data):
        given, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        mixed = self.mixing({"features": self._features(given, True), "labels": labels}, training=True)
        return super().train_step((mixed["features"], mixed["labels"]))

    def call(self, inputs, training=False):
        # In training `train_step` has been through the front already.
        return super().call(inputs if training else self._features(inputs, False), training)

    def _features(self, given, training):
        given = self.base_inputs(given)
        return given if self.front is None else self.front(given, training=training)
