"""One layer of the transformer: attention, then a feed-forward network."""

import keras
from keras import layers

from sertk.models.ssl.attention import SelfAttention
from sertk.models.ssl.gelu import gelu


@keras.saving.register_keras_serializable(package="sertk")
class EncoderBlock(layers.Layer):
    """Attention and a feed-forward network with GELU, each added to what came in, with layer norm after or before.

    Input: `(batch, frames, channels)`; `valid` as in `SelfAttention`.
    Output: `(batch, frames, channels)`.

    Args:
        heads: int.
        units: int, of the feed-forward network.
        pre_norm: bool, whether layer norm comes before each part ("stable") and not after the sum. Defaults to False.
        dropout, attention_dropout, activation_dropout: floats, shares dropped of each part's output, of the attention
            weights and inside the feed-forward network. Default to 0.
        epsilon: float, of the layer norms. Defaults to 1e-5.
        initializer_range: float, standard deviation of random weights. Defaults to 0.02.
        seed: int, of the dropouts, or None for others in every process. Defaults to None.

    Source: Vaswani et al. (2017); Xiong et al. (2020) for layer norm before each part.
    """

    def __init__(
        self,
        heads,
        units,
        pre_norm=False,
        dropout=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        epsilon=1e-5,
        initializer_range=0.02,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = units
        self.pre_norm = pre_norm
        self.epsilon = epsilon
        self.initializer_range = initializer_range
        self.seed = seed
        policy = self.dtype_policy
        seeds = [None] * 4 if seed is None else range(seed, seed + 4)
        self.attention = SelfAttention(
            heads, attention_dropout, initializer_range, seed=seeds[0], dtype=policy, name="attention"
        )
        self.attention_norm = layers.LayerNormalization(epsilon=epsilon, dtype=policy, name="attention_norm")
        self.output_norm = layers.LayerNormalization(epsilon=epsilon, dtype=policy, name="output_norm")
        self.dropout = layers.Dropout(dropout, seed=seeds[1], dtype=policy, name="dropout")
        self.inner_dropout = layers.Dropout(activation_dropout, seed=seeds[2], dtype=policy, name="inner_dropout")
        self.output_dropout = layers.Dropout(dropout, seed=seeds[3], dtype=policy, name="output_dropout")
        # Each draws once a call, which is what recomputation relies on.
        self.dropouts = [self.attention.dropout, self.dropout, self.inner_dropout, self.output_dropout]

    def build(self, frames_shape, valid_shape=None):
        channels = frames_shape[-1]

        def dense(units, inputs, name):
            initializer = keras.initializers.RandomNormal(stddev=self.initializer_range)
            layer = layers.Dense(units, kernel_initializer=initializer, dtype=self.dtype_policy, name=name)
            layer.build((None, None, inputs))
            return layer

        self.attention.build(frames_shape)
        self.attention_norm.build(frames_shape)
        self.inner = dense(self.units, channels, "inner")
        self.outer = dense(channels, self.units, "outer")
        self.output_norm.build(frames_shape)

    def call(self, frames, valid=None, training=None):
        if self.pre_norm:
            frames = frames + self._attend(self.attention_norm(frames), valid, training)
            return frames + self._feed_forward(self.output_norm(frames), training)
        frames = self.attention_norm(frames + self._attend(frames, valid, training))
        return self.output_norm(frames + self._feed_forward(frames, training))

    def _attend(self, frames, valid, training):
        return self.dropout(self.attention(frames, valid, training=training), training=training)

    def _feed_forward(self, frames, training):
        inner = self.inner_dropout(gelu(self.inner(frames), training), training=training)
        return self.output_dropout(self.outer(inner), training=training)

    def compute_output_shape(self, frames_shape, valid_shape=None):
        return frames_shape

    def get_config(self):
        return {
            **super().get_config(),
            "heads": self.attention.heads,
            "units": self.units,
            "pre_norm": self.pre_norm,
            "dropout": self.dropout.rate,
            "attention_dropout": self.attention.dropout.rate,
            "activation_dropout": self.inner_dropout.rate,
            "epsilon": self.epsilon,
            "initializer_range": self.initializer_range,
            "seed": self.seed,
        }
