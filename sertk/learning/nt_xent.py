"""NT-Xent, the loss of SimCLR: two views of a clip are alike, those of two clips are not."""

import keras
from keras import ops

from sertk.learning.cosine_logits import check_clips, check_temperature, cosine_logits


def nt_xent(first, second, temperature=0.1, across_replicas=False):
    """The normalised temperature-scaled cross-entropy of a batch of pairs.

    For each vector, the anchor, it is the cross-entropy of telling the other view of the same clip from all 2N - 1
    other vectors of the batch, by the cosine of the angle to the anchor divided by the temperature; the mean over all
    2N anchors. It lies between 0 and log(2N - 1) + 2 / temperature, and is log(2N - 1) where nothing is told apart.
    Anchors of a batch of one, where its size is not known beforehand, have the loss 0 and no gradient.

    It is computed in float32 whatever comes in, and the gradient is finite for vectors of zeros too. On a GPU,
    TensorFlow multiplies matrices in TF32 unless `tf.config.experimental.enable_tensor_float_32_execution(False)`.

    Args:
        first: `(clips, channels)`, a vector for the first view of each clip.
        second: the same of the second views.
        temperature: float, above 0; the paper gives none, Speech SimCLR's published code has 0.1. Defaults to 0.1.
        across_replicas: bool, whether under a `tf.distribute` strategy vectors are told from those of the other
            replicas too, each of which returns the mean over its own anchors. Defaults to False.

    Returns:
        Scalar, float32.

    Raises:
        ValueError: if the shapes differ, the temperature is out of range, or there is one clip only.

    Example:
        >>> float(nt_xent([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], temperature=1.0))  # log(1 + 2 / e)
        0.5514446496963501

    Source: paper 000, eq. (1); Chen et al. (2020), SimCLR, arXiv:2002.05709.
    """
    views = _paired(first, second)
    check_clips(views, across_replicas)
    return ops.mean(_by_anchor(views, temperature, across_replicas))


def contrastive_accuracy(first, second, across_replicas=False):
    """The share of vectors whose nearest other vector, by cosine, is the other view of the same clip.

    Of several that are equally near, the first counts.

    Args:
        first, second, across_replicas: as in `nt_xent`.

    Returns:
        Scalar, float32: 1 for a batch of one, whose size is not known beforehand.

    Raises:
        ValueError: as `nt_xent`.
    """
    views = _paired(first, second)
    check_clips(views, across_replicas)
    return accuracy_of(views, across_replicas)


def accuracy_of(views, across_replicas=False):
    """`contrastive_accuracy` of two views in one tensor, `(2, clips, channels)`; 1 for a batch of one."""
    logits, own, clips = cosine_logits(views, 1.0, across_replicas)
    nearest = ops.cast(ops.argmax(logits, axis=1), own.dtype)
    return ops.mean(ops.cast(nearest == _partner(own, clips), "float32"))


@keras.saving.register_keras_serializable(package="sertk")
class NTXent(keras.losses.Loss):
    """`nt_xent` as a Keras loss; labels are not looked at, and a batch of one has the loss 0.

    `y_pred`: `(2 * clips, channels)`, the first views of all clips, then their second views.

    Args:
        temperature, across_replicas: as in `nt_xent`.
        name: str. Defaults to "nt_xent".

    Raises:
        ValueError: if the temperature is out of range.
    """

    def __init__(self, temperature=0.1, across_replicas=False, name="nt_xent", **kwargs):
        super().__init__(name=name, **kwargs)
        check_temperature(temperature)
        self.temperature = temperature
        self.across_replicas = across_replicas

    def call(self, y_true, y_pred):
        return _by_anchor(in_views(y_pred, 2), self.temperature, self.across_replicas)

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature, "across_replicas": self.across_replicas}


def _paired(first, second):
    """Two views of the same clips in one tensor, `(2, clips, channels)`; refuses what is no such pair."""
    first, second = ops.convert_to_tensor(first), ops.convert_to_tensor(second)
    alike = len(first.shape) == len(second.shape) == 2 and all(
        a is None or b is None or a == b for a, b in zip(first.shape, second.shape, strict=True)
    )
    if not alike:
        raise ValueError(
            "`first` and `second` must both be (clips, channels), two vectors of each clip. "
            f"Received: shapes {tuple(first.shape)} and {tuple(second.shape)}"
        )
    return ops.stack([first, second])


def in_views(embeddings, views):
    """`(views * clips, channels)`, one view of all clips after the other, as `(views, clips, channels)`."""
    embeddings = ops.convert_to_tensor(embeddings)
    if len(embeddings.shape) != 2 or (embeddings.shape[0] or 0) % views:
        raise ValueError(
            f"`embeddings` must be (views * clips, channels), with {views} views of each clip. "
            f"Received: shape {tuple(embeddings.shape)}"
        )
    rows, channels = ops.shape(embeddings)
    return ops.reshape(embeddings, (views, rows // views, channels))


def _by_anchor(views, temperature, across_replicas):
    """Equation (1) for each anchor, `(2 * clips,)`."""
    logits, own, clips = cosine_logits(views, temperature, across_replicas)
    positive = ops.take_along_axis(logits, _partner(own, clips)[:, None], axis=1)[:, 0]
    return ops.logsumexp(logits, axis=1) - positive


def _partner(own, clips):
    """The column of the other view of each row's clip."""
    return (own + clips) % (2 * clips)
