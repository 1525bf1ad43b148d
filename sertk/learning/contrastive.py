"""Contrastive learning: an encoder that makes the same of two views of a clip, and something else of other clips."""

import contextlib

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from sertk.learning.nt_xent import NTXent, accuracy_of, in_views
from sertk.learning.supervised_contrastive import SupervisedContrastive
from sertk.models.projection_head import encoder_and_head, with_projection

# How much a seed generator of the views has drawn when a validation begins: no training gets there.
VALIDATION_DRAWS = 1 << 31


class Contrastive(keras.Model):
    """An encoder and its projection head, which learn by SimCLR's loss, from clips without labels or with them.

    Of each clip of a batch two views are drawn by the augmentation; encoder and head take both in one pass, so that
    batch norm sees all views alike, and the loss is `nt_xent`, or with `labels` `supervised_contrastive`. What the loss
    tells apart is the batch: the more clips in it the better.

    It is trained by `sertk.learning.fit`; a batch is features, or what `front` takes, and one-hot labels, which are
    looked at with `labels` alone. The loss, the label smoothing and the metrics that `compile` is given are not: the
    log has `loss` and `contrastive_accuracy`, how often the nearest other vector of the batch is the other view of
    the same clip. For validation views are drawn too, the same in every epoch where the augmentation has a seed; they
    go through the encoder in inference mode. An epoch's last batch may hold one clip only: its loss is 0, no gradient
    comes from it, and it counts for nothing in the log.

    `predict` gives z, without augmentation. `save` and `export` write encoder and head as one model from features to z,
    which `sertk.models.encoder_and_head` takes apart again. `save_weights` is for checkpoints.

    Args:
        encoder: functional `keras.Model` from features to `(batch, channels)`, as `sertk.models.encoder` gives it.
        head: functional `keras.Model` on these, as `sertk.models.projection_head` builds it.
        augmentation: layer from `(batch, frames, bands)` to the same, which changes each clip at random where it is
            told `training=True`, such as `sertk.augment.SpectrogramAugmentation`.
        temperature: float, above 0. Defaults to 0.1.
        labels: bool, whether clips of one class are each other's positives. Defaults to False.
        front: `keras.Model` without weights to be learnt, from a batch's inputs to features, such as waveforms to
            log-mel spectrograms, or None. It runs as in training. If it draws, noise for example, then once for each
            view. Defaults to None.
        across_replicas: bool, whether under a `tf.distribute` strategy clips are told from those of the other replicas
            too. Defaults to False.

    Attributes:
        base_model: `keras.Model` from features to z, which shares its weights with `encoder` and `head`.

    Raises:
        ValueError: if an argument is out of range or one does not fit the other, or, in training, if batches hold one
            clip only or no one-hot labels.

    Example:
        >>> body = sertk.models.encoder(sertk.models.resnet9((94, 64)))
        >>> model = Contrastive(body, sertk.models.projection_head(512), SpectrogramAugmentation(tri_cut=1, seed=0))
        >>> sertk.learning.fit(model, train, validation, "pretraining")
        >>> model.save("pretrained.keras")

    Source: paper 000, section 3.1.2; Chen et al. (2020), SimCLR, arXiv:2002.05709; Khosla et al. (2020),
        arXiv:2004.11362.
    """

    def __init__(
        self, encoder, head, augmentation, *, temperature=0.1, labels=False, front=None, across_replicas=False
    ):
        base_model = with_projection(encoder, head)
        loss = (SupervisedContrastive if labels else NTXent)(temperature, across_replicas)
        _check_views(augmentation, front, base_model)
        # Inputs go to the front and the augmentation as they are, whatever the encoder's precision.
        super().__init__(name=encoder.name, dtype=encoder.dtype_policy, autocast=False)
        self.base_model = base_model
        self.augmentation = augmentation
        self.front = front
        self.across_replicas = across_replicas
        self.supports_jit = not across_replicas  # XLA knows no gathering
        self.contrastive_loss = loss
        self.agreement = keras.metrics.Mean(name="contrastive_accuracy")
        self.views_in_test = False
        self.build(self.input_shape)

    @property
    def encoder(self):
        """The `keras.Model` from features to a vector."""
        return encoder_and_head(self.base_model)[0]

    @property
    def head(self):
        """The `keras.Model` from that vector to z."""
        return encoder_and_head(self.base_model)[1]

    @property
    def input_shape(self):
        """That of `front`, or the encoder's."""
        return (self.front or self.base_model).input_shape

    @property
    def output_shape(self):
        """The head's."""
        return self.base_model.output_shape

    def build(self, input_shape):
        """Does nothing: the parts have their weights."""

    def compile(self, optimizer="rmsprop", loss=None, *, metrics=None, **options):
        """Prepares training: `keras.Model.compile`, with the contrastive loss in the place of `loss` and `metrics`."""
        super().compile(optimizer, loss=self.contrastive_loss, **options)

    def call(self, inputs, training=False):
        if training or self.views_in_test:
            return self.base_model(self._views(inputs), training=training)
        features = inputs if self.front is None else self.front(inputs, training=False)
        return self.base_model(features, training=False)

    def _views(self, inputs):
        """The first views of all clips, then their second views."""
        if self.front is None:
            features = [inputs]
        else:
            passes = 2 if _seed_states(self.front) else 1
            features = [self.front(inputs, training=True) for _ in range(passes)]
        views = [self.augmentation(features[number % len(features)], training=True) for number in range(2)]
        return ops.concatenate(views, axis=0)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        views = in_views(y_pred, 2)
        clips = ops.shape(views)[1]
        accuracy = accuracy_of(views, self.across_replicas)
        self.agreement.update_state(accuracy, sample_weight=ops.where(clips > 1, clips, 0))
        # One clip has been counted with a loss of 0; here it is taken out again.
        tracker = next(metric for metric in self.metrics if metric.name == "loss")
        tracker.update_state(0.0, sample_weight=ops.where(clips > 1, 0, -1))
        return self.get_metrics_result()

    def test_step(self, *args, **kwargs):
        self.views_in_test = True
        try:
            return super().test_step(*args, **kwargs)
        finally:
            self.views_in_test = False

    def evaluate(self, *args, **kwargs):
        """Loss and contrastive accuracy: `keras.Model.evaluate`, on views that are the same each time."""
        with self._same_draws():
            return super().evaluate(*args, **kwargs)

    @contextlib.contextmanager
    def _same_draws(self):
        states = _seed_states(self)
        before = [ops.convert_to_numpy(state) for state in states]
        for state, (seed, _) in zip(states, before, strict=True):
            state.assign(np.array([seed, VALIDATION_DRAWS], "uint32"))
        try:
            yield
        finally:
            for state, value in zip(states, before, strict=True):
                state.assign(value)

    def fit(self, x=None, *args, validation_data=None, **kwargs):
        """Trains: `keras.Model.fit`, which refuses batches of one before it begins."""
        for batches in (x, validation_data):
            if isinstance(batches, tf.data.Dataset):
                _check_first_batch(batches)
        return super().fit(x, *args, validation_data=validation_data, **kwargs)

    def save(self, *args, **kwargs):
        """Saves encoder and head as one model from features to z: `keras.Model.save`."""
        self.base_model.save(*args, **kwargs)

    def export(self, *args, **kwargs):
        """Exports encoder and head as one model from features to z: `keras.Model.export`."""
        return self.base_model.export(*args, **kwargs)


def _seed_states(model):
    """The variables from which the layers of a model draw."""
    return [variable for variable in model.variables if variable.path.endswith("seed_generator_state")]


def _check_views(augmentation, front, base_model):
    """Refuses what gives the encoder no features; builds the augmentation."""
    if not isinstance(augmentation, keras.layers.Layer):
        raise ValueError(
            "`augmentation` must be a Keras layer, such as `sertk.augment.SpectrogramAugmentation`. "
            f"Received: a {type(augmentation).__name__}"
        )
    if front is not None and (not isinstance(front, keras.Model) or front.trainable_variables):
        raise ValueError(
            "`front` must be a `keras.Model` without weights to be learnt, from a batch's inputs to features; freeze "
            f"it with `front.trainable = False`. Received: a {type(front).__name__}"
        )
    given = base_model.inputs[0].shape if front is None else front.outputs[0].shape
    views = augmentation(keras.Input(batch_shape=given)).shape
    for argument, shape in (("front", given), ("augmentation", views)):
        wanted = base_model.inputs[0].shape
        if len(shape) != len(wanted) or any(b not in (None, a) for a, b in zip(shape, wanted, strict=True)):
            raise ValueError(
                f"`{argument}` must give what the encoder takes, {tuple(wanted[1:])} a clip. Received: "
                f"{tuple(shape[1:])}"
            )


def _check_first_batch(batches):
    # Of clips only the last batch is smaller than the first.
    first = next(iter(batches.take(1)), None)
    if first is not None and keras.tree.flatten(first)[0].shape[0] == 1:
        raise ValueError(
            "A batch must hold two clips or more: one alone has no other to differ from; pass a larger `batch_size`, "
            "or more clips. Received: batches of one"
        )
