"""Self-attention over the frames of a clip."""

import keras
from keras import layers, ops

# So far below any score that its weight is 0; not infinite, as a clip without valid frames would have no weights then.
MASKED = -1e9


@keras.saving.register_keras_serializable(package="sertk")
class SelfAttention(layers.Layer):
    """Scaled dot-product attention of several heads, its softmax in float32.

    Input: `(batch, frames, channels)`; `valid`, bool, `(batch, frames)`, the frames that are attended to, or None for
        all.
    Output: `(batch, frames, channels)`.

    Args:
        heads: int; they share the channels.
        dropout: float, share dropped of the attention weights. Defaults to 0.
        initializer_range: float, standard deviation of random weights. Defaults to 0.02.
        seed: int, of the dropout, or None for another in every process. Defaults to None.

    Source: Vaswani et al. (2017).
    """

    def __init__(self, heads, dropout=0.0, initializer_range=0.02, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads
        self.initializer_range = initializer_range
        self.seed = seed
        self.dropout = layers.Dropout(dropout, seed=seed, dtype=self.dtype_policy, name="dropout")

    def build(self, frames_shape, valid_shape=None):
        channels = frames_shape[-1]

        def dense(name):
            initializer = keras.initializers.RandomNormal(stddev=self.initializer_range)
            layer = layers.Dense(channels, kernel_initializer=initializer, dtype=self.dtype_policy, name=name)
            layer.build((None, None, channels))
            return layer

        self.query, self.key, self.value, self.output_dense = map(dense, ("query", "key", "value", "output"))

    def call(self, frames, valid=None, training=None):
        shape = ops.shape(frames)
        width = frames.shape[-1] // self.heads

        def by_head(x):
            return ops.transpose(ops.reshape(x, (shape[0], shape[1], self.heads, width)), (0, 2, 1, 3))

        query = by_head(self.query(frames) * width**-0.5)
        scores = ops.matmul(query, ops.transpose(by_head(self.key(frames)), (0, 1, 3, 2)))
        scores = ops.cast(scores, "float32")
        if valid is not None:
            scores = ops.where(valid[:, None, None], scores, MASKED)
        weights = ops.softmax(scores, axis=-1)
        weights = self.dropout(ops.cast(weights, self.compute_dtype), training=training)
        attended = ops.transpose(ops.matmul(weights, by_head(self.value(frames))), (0, 2, 1, 3))
        return self.output_dense(ops.reshape(attended, shape))

    def compute_output_shape(self, frames_shape, valid_shape=None):
        return frames_shape

    def get_config(self):
        return {
            **super().get_config(),
            "heads": self.heads,
            "dropout": self.dropout.rate,
            "initializer_range": self.initializer_range,
            "seed": self.seed,
        }
