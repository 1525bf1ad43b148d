"""Each clip to zero mean and unit variance, as the networks were trained on."""

import keras
from keras import ops

from sertk.models.ssl.lengths import valid_frames

# Inside the root; that of the published feature extractor.
EPSILON = 1e-7


@keras.saving.register_keras_serializable(package="sertk")
class WaveformNormalization(keras.layers.Layer):
    """Scales each clip to zero mean and unit variance over its valid samples; padding becomes 0.

    Input: waveforms, `(batch, samples)`; `lengths`, int32, `(batch,)`, valid samples of each, or None for all.
    Output: float32, `(batch, samples)`.

    Example:
        >>> WaveformNormalization()(np.array([[1.0, 3.0, 0.0]]), lengths=np.array([2]))
        [[-1.0, 1.0, 0.0]]

    Source: transformers, `Wav2Vec2FeatureExtractor` with `do_normalize`.
    """

    lengths_in = "samples"

    def __init__(self, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, **kwargs)

    def call(self, waveforms, lengths=None):
        if lengths is None:
            centred = waveforms - ops.mean(waveforms, axis=1, keepdims=True)
            return centred * ops.rsqrt(ops.mean(ops.square(centred), axis=1, keepdims=True) + EPSILON)
        valid = ops.cast(valid_frames(lengths, ops.shape(waveforms)[1]), waveforms.dtype)
        count = ops.maximum(ops.sum(valid, axis=1, keepdims=True), 1.0)
        centred = (waveforms - ops.sum(waveforms * valid, axis=1, keepdims=True) / count) * valid
        return centred * ops.rsqrt(ops.sum(ops.square(centred), axis=1, keepdims=True) / count + EPSILON)

    def compute_output_shape(self, waveforms_shape, lengths_shape=None):
        return waveforms_shape
