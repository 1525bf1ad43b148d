"""The convolutional feature encoder: from a waveform to a frame every 20 ms."""

import keras
from keras import layers

from sertk.models.ssl.convolution import Conv1D
from sertk.models.ssl.frozen import freeze_inside
from sertk.models.ssl.gelu import gelu
from sertk.models.ssl.group_norm import GroupNormalization
from sertk.models.ssl.lengths import check_lengths, check_samples, frame_count, receptive_field

EPSILON = 1e-5


@keras.saving.register_keras_serializable(package="sertk")
class FeatureEncoder(layers.Layer):
    """Strided convolutions without padding, each with GELU, with group norm on the first or layer norm on all.

    Group norm has a group a channel: it scales each channel of a clip by its mean and variance over *all* frames, those
    of padding too, as in the published networks. A clip's features then depend on how far it is padded; those of layer
    norm do not.

    Input: waveforms, `(batch, samples)`; `lengths`, int32, `(batch,)`, valid samples of each, or None for all. They are
        checked and change nothing.
    Output: `(batch, frames, filters of the last)`.

    Args:
        filters, kernels, strides: ints, those of each convolution.
        norm: "group" or "layer". Defaults to "group".
        bias: bool, whether the convolutions have a bias. Defaults to False.

    Raises:
        ValueError: if a clip is shorter than the receptive field, or its length beyond the batch's; in a TensorFlow
            graph, that is an assertion with the same message.

    Source: Baevski et al. (2020), wav2vec 2.0, section 2.
    """

    lengths_in = "samples"

    def __init__(self, filters, kernels, strides, norm="group", bias=False, **kwargs):
        super().__init__(**kwargs)
        self.filters = tuple(filters)
        self.kernels = tuple(kernels)
        self.strides = tuple(strides)
        self.norm = norm
        self.bias = bias
        self.receptive_field = receptive_field(self.kernels, self.strides)
        self.convolutions = [
            Conv1D(
                count,
                kernel,
                stride,
                use_bias=bias,
                # Kaiming's, as in the published networks; Keras's own name for it cuts the normal distribution.
                kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal"),
                dtype=self.dtype_policy,
                name=f"conv{number}",
            )
            for number, (count, kernel, stride) in enumerate(zip(filters, kernels, strides, strict=True))
        ]
        if norm == "group":
            self.norms = [GroupNormalization(-1, epsilon=EPSILON, dtype=self.dtype_policy, name="norm0")]
        else:
            self.norms = [
                layers.LayerNormalization(epsilon=EPSILON, dtype=self.dtype_policy, name=f"norm{number}")
                for number in range(len(filters))
            ]

    def build(self, waveforms_shape, lengths_shape=None):
        channels = 1
        for convolution, filters in zip(self.convolutions, self.filters, strict=True):
            convolution.build((None, None, channels))
            channels = filters
        for norm, filters in zip(self.norms, self.filters, strict=False):
            norm.build((None, None, filters))
        freeze_inside(self)

    def call(self, waveforms, lengths=None, training=None):
        check_lengths(waveforms, lengths, self.receptive_field)
        x = waveforms[:, :, None]
        for number, convolution in enumerate(self.convolutions):
            x = convolution(x, training=training)
            if number < len(self.norms):
                x = self.norms[number](x, training=training)
            x = gelu(x, training)
        return x

    def compute_output_shape(self, waveforms_shape, lengths_shape=None):
        batch, samples = waveforms_shape
        check_samples(samples, self.receptive_field)
        frames = None if samples is None else frame_count(samples, self.kernels, self.strides)
        return (batch, frames, self.filters[-1])

    def get_config(self):
        return {
            **super().get_config(),
            "filters": list(self.filters),
            "kernels": list(self.kernels),
            "strides": list(self.strides),
            "norm": self.norm,
            "bias": self.bias,
        }
