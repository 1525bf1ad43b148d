"""The lengths of clips that nothing was padded to."""

import keras


@keras.saving.register_keras_serializable(package="sertk")
class WholeLengths(keras.layers.Layer):
    """The lengths of waveforms that are valid throughout.

    Input: `(batch, samples)`.
    Output: int32 `(batch,)`, in samples.
    """

    def call(self, waveforms):
        shape = keras.ops.shape(waveforms)
        return keras.ops.full((shape[0],), shape[1], dtype="int32")

    def compute_output_spec(self, waveforms):
        return keras.KerasTensor((waveforms.shape[0],), dtype="int32")
