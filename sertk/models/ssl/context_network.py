"""The transformer: frames in the light of all frames of their clip."""

import keras
from keras import layers, ops

from sertk.models.arguments import check_counts
from sertk.models.ssl.encoder_block import EncoderBlock
from sertk.models.ssl.frozen import freeze_inside
from sertk.models.ssl.lengths import valid_frames
from sertk.models.ssl.positional import PositionalConvolution
from sertk.models.ssl.recomputation import recomputed

# The largest published encoders have 48. They are made one by one, before anybody can count their weights.
MOST_LAYERS = 256


@keras.saving.register_keras_serializable(package="sertk")
class ContextNetwork(layers.Layer):
    """Positional convolution and a stack of transformer layers, with layer norm after or before their parts.

    Frames of padding are set to 0 before the positional convolution and attended to by none; what comes out in their
    place means nothing.

    Input: `(batch, frames, channels)`; `lengths`, int32, `(batch,)`, valid frames of each clip, or None for all.
    Output: the hidden states, a list, `(batch, frames, channels)` each: what goes into the first layer, then what
        comes out of each. The last is the network's output, after the final layer norm that `pre_norm` has.

    Args:
        depth: int, transformer layers.
        heads, units: ints, attention heads of each, units of its feed-forward network.
        pre_norm: bool, whether layer norm comes before each part of a layer ("stable"), with one more at the end.
            Defaults to False.
        kernel, groups: ints, of the positional convolution. Default to 128 and 16.
        dropout, attention_dropout, activation_dropout: floats, as in `EncoderBlock`. Default to 0.
        layer_drop: float, the probability that a layer is left out of a training step. Defaults to 0.
        epsilon: float, of the layer norms. Defaults to 1e-5.
        initializer_range: float, standard deviation of random weights. Defaults to 0.02.
        gradient_checkpointing: bool, whether a training step keeps only each layer's input, and computes the layer anew
            for the gradient: less memory for more time, the same numbers. Defaults to False.
        seed: int, of the dropouts and the layer drop, or None for others in every process. Defaults to None.

    Source: Baevski et al. (2020), wav2vec 2.0; Fan et al. (2020) for layer drop.
    """

    lengths_in = "frames"

    def __init__(
        self,
        depth,
        heads,
        units,
        pre_norm=False,
        kernel=128,
        groups=16,
        dropout=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        layer_drop=0.0,
        epsilon=1e-5,
        initializer_range=0.02,
        gradient_checkpointing=False,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_counts(MOST_LAYERS, depth=depth)
        self.pre_norm = pre_norm
        self.layer_drop = layer_drop
        self.gradient_checkpointing = gradient_checkpointing
        self.seed = seed
        policy = self.dtype_policy
        self.blocks = [
            EncoderBlock(
                heads,
                units,
                pre_norm,
                dropout,
                attention_dropout,
                activation_dropout,
                epsilon,
                initializer_range,
                seed=None if seed is None else seed + 2 + 4 * number,
                dtype=policy,
                name=f"block{number}",
            )
            for number in range(depth)
        ]
        self.positional = PositionalConvolution(kernel, groups, dtype=policy, name="positional")
        self.norm = layers.LayerNormalization(epsilon=epsilon, dtype=policy, name="norm")
        self.dropout = layers.Dropout(dropout, seed=seed, dtype=policy, name="dropout")
        self.seed_generator = keras.random.SeedGenerator(None if seed is None else seed + 1)

    def build(self, frames_shape, lengths_shape=None):
        for layer in (self.positional, self.norm, *self.blocks):
            layer.build(frames_shape)
        freeze_inside(self)

    def call(self, frames, lengths=None, training=None):
        valid = None
        if lengths is not None:
            valid = valid_frames(lengths, ops.shape(frames)[1])
            frames = ops.where(valid[:, :, None], frames, ops.zeros_like(frames))
        frames = frames + self.positional(frames, training=training)
        if not self.pre_norm:
            frames = self.norm(frames)
        frames = self.dropout(frames, training=training)
        states = [frames]
        for block in self.blocks:
            frames = self._step(block, frames, valid, training)
            states.append(frames)
        if self.pre_norm:
            states[-1] = self.norm(frames)
        return states

    def _step(self, block, frames, valid, training):
        if training and self.gradient_checkpointing:
            outputs = recomputed(block, block.dropouts, frames, valid)
        else:
            outputs = block(frames, valid, training=training)
        if training and self.layer_drop:
            # One draw a layer and batch. The layer is computed all the same: no gradient comes from what is not used.
            stays = keras.random.uniform((), seed=self.seed_generator) >= self.layer_drop
            outputs = ops.where(stays, outputs, frames)
        return outputs

    def compute_output_spec(self, frames, lengths=None, training=None):
        return [keras.KerasTensor(frames.shape, dtype=self.compute_dtype) for _ in range(len(self.blocks) + 1)]

    def get_config(self):
        block = self.blocks[0].get_config()
        shared = (
            "heads",
            "units",
            "dropout",
            "attention_dropout",
            "activation_dropout",
            "epsilon",
            "initializer_range",
        )
        return {
            **super().get_config(),
            "depth": len(self.blocks),
            **{name: block[name] for name in shared},
            "pre_norm": self.pre_norm,
            "kernel": self.positional.kernel,
            "groups": self.positional.groups,
            "layer_drop": self.layer_drop,
            "gradient_checkpointing": self.gradient_checkpointing,
            "seed": self.seed,
        }
