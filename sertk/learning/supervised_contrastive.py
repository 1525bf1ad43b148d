"""The supervised contrastive loss: clips of one class are alike, those of two classes are not."""

import keras
from keras import ops

from sertk.learning.cosine_logits import check_clips, check_temperature, cosine_logits, single
from sertk.learning.nt_xent import in_views
from sertk.learning.replicas import gathered


def supervised_contrastive(embeddings, labels, temperature=0.1, views=2, across_replicas=False):
    """The contrastive loss in which all clips of an anchor's class are its positives, L_out of Khosla et al.

    For each vector, the anchor, it is the mean, over all other vectors of its class, of the cross-entropy of telling
    that one from all others of the batch; then the mean over the anchors. Views of one clip are of one class, whatever
    its label says: where each clip is a class of its own the loss is `nt_xent`. An anchor without another of its class
    is left out of the mean, and where all are left out the loss is 0; with two views each has at least its own other
    view.

    Args:
        embeddings: `(views * clips, channels)`: one view of all clips, then the next of all clips in the same order.
        labels: `(clips, classes)`, one-hot. A row of zeros is a clip of unknown class, a class of its own.
        temperature: float, above 0. Defaults to 0.1.
        views: int, the vectors of each clip. Defaults to 2.
        across_replicas: bool, as in `nt_xent`. Defaults to False.

    Returns:
        Scalar, float32.

    Raises:
        ValueError: if the shapes do not fit, the temperature is out of range, or there is one clip only.

    Source: Khosla et al. (2020), Supervised contrastive learning, eq. (2), arXiv:2004.11362; paper 000, section 3.1.2,
        which pre-trains with labels too and gives no loss for it.
    """
    if not isinstance(views, int) or isinstance(views, bool) or views < 1:
        raise ValueError(f"`views` must be a positive integer. Received: views={views!r}")
    stacked = in_views(embeddings, views)
    check_clips(stacked, across_replicas)
    losses, counted = _by_anchor(stacked, labels, temperature, across_replicas)
    return ops.sum(losses) / ops.maximum(ops.sum(counted), 1.0)


@keras.saving.register_keras_serializable(package="sertk")
class SupervisedContrastive(keras.losses.Loss):
    """`supervised_contrastive` of two views as a Keras loss; a batch of one has the loss 0.

    `y_true`: `(clips, classes)`, one-hot. `y_pred`: `(2 * clips, channels)`, the first views of all clips, then their
    second views.

    Args:
        temperature, across_replicas: as in `supervised_contrastive`.
        name: str. Defaults to "supervised_contrastive".

    Raises:
        ValueError: as `supervised_contrastive`.
    """

    def __init__(self, temperature=0.1, across_replicas=False, name="supervised_contrastive", **kwargs):
        super().__init__(name=name, **kwargs)
        check_temperature(temperature)
        self.temperature = temperature
        self.across_replicas = across_replicas

    def call(self, y_true, y_pred):
        # With two views no anchor is left out, and Keras's mean is the loss's own.
        return _by_anchor(in_views(y_pred, 2), y_true, self.temperature, self.across_replicas)[0]

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature, "across_replicas": self.across_replicas}


def _by_anchor(stacked, labels, temperature, across_replicas):
    """The loss of each anchor, 0 where it has no positive, and whether it has one, both `(views * clips,)`."""
    views = stacked.shape[0]
    labels = _checked(labels, stacked)
    logits, own, clips = cosine_logits(stacked, temperature, across_replicas)
    everyones = gathered(labels)[0] if across_replicas else labels
    columns = ops.arange(views * clips)
    # Half of one: labels are 0 or 1, whatever their precision.
    of_class = ops.tile(ops.matmul(labels, ops.transpose(everyones)) > 0.5, (views, views))
    of_clip = (own % clips)[:, None] == (columns % clips)[None]
    positive = ops.cast((of_class | of_clip) & (own[:, None] != columns[None]), logits.dtype)
    told = logits - ops.logsumexp(logits, axis=1, keepdims=True)
    count = ops.sum(positive, axis=1)
    return -ops.sum(positive * told, axis=1) / ops.maximum(count, 1.0), ops.cast(count > 0, logits.dtype)


def _checked(labels, stacked):
    labels, clips = single(labels), stacked.shape[1]
    rank = len(labels.shape)
    if rank != 2 or (None not in (labels.shape[0], clips) and labels.shape[0] != clips):
        raise ValueError(
            "`labels` must be one-hot, (clips, classes), with a row for each clip. "
            f"Received: shape {tuple(labels.shape)} for {clips} clips"
        )
    return labels
