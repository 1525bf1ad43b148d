"""From the feature encoder's channels to the transformer's."""

import math

import keras
from keras import layers

from sertk.models.ssl.frozen import freeze_inside


@keras.saving.register_keras_serializable(package="sertk")
class FeatureProjection(layers.Layer):
    """Layer norm, a dense layer and dropout.

    Input: `(batch, frames, channels)`.
    Output: `(batch, frames, units)`.

    Args:
        units: int, channels to give.
        norm: bool, whether the features are layer-normalised. Defaults to True.
        epsilon: float, of the layer norm. Defaults to 1e-5.
        dropout: float, share dropped of the output. Defaults to 0.
        seed: int, of the dropout, or None for another in every process. Defaults to None.

    Source: Baevski et al. (2020), wav2vec 2.0.
    """

    def __init__(self, units, norm=True, epsilon=1e-5, dropout=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.epsilon = epsilon
        self.seed = seed
        self.norm = layers.LayerNormalization(epsilon=epsilon, dtype=self.dtype_policy, name="norm") if norm else None
        self.dropout = layers.Dropout(dropout, seed=seed, dtype=self.dtype_policy, name="dropout")

    def build(self, input_shape):
        if self.norm is not None:
            self.norm.build(input_shape)
        limit = math.sqrt(1 / input_shape[-1])
        initializer = keras.initializers.RandomUniform(-limit, limit)
        self.dense = layers.Dense(
            self.units,
            kernel_initializer=initializer,
            bias_initializer=initializer.clone(),
            dtype=self.dtype_policy,
            name="dense",
        )
        self.dense.build(input_shape)
        freeze_inside(self)

    def call(self, features, training=None):
        if self.norm is not None:
            features = self.norm(features)
        return self.dropout(self.dense(features), training=training)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "norm": self.norm is not None,
            "epsilon": self.epsilon,
            "dropout": self.dropout.rate,
            "seed": self.seed,
        }
