"""How many frames a stack of convolutions makes of how many samples, and which lengths it can't take."""

import keras
from keras import ops


def frame_count(samples, kernels, strides):
    """How many frames the convolutions make of a clip.

    Args:
        samples: int, array or tensor of ints.
        kernels, strides: ints, those of each convolution, which have no padding.

    Returns:
        The same kind; 0 where a clip is shorter than the receptive field.

    Example:
        >>> frame_count(48_000, (10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2))
        149
    """
    for kernel, stride in zip(kernels, strides, strict=True):
        samples = (samples - kernel) // stride + 1
    return max(samples, 0) if isinstance(samples, int) else ops.maximum(samples, 0)


def receptive_field(kernels, strides):
    """How many samples one frame hears, which is the length of the shortest clip that makes a frame.

    Args:
        kernels, strides: ints, those of each convolution.

    Example:
        >>> receptive_field((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2))
        400
    """
    samples = 1
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
        samples = (samples - 1) * stride + kernel
    return samples


def valid_frames(lengths, frames):
    """Which frames of a padded batch belong to their clip.

    Args:
        lengths: int tensor, `(batch,)`, valid frames of each clip.
        frames: int or scalar tensor, frames of the batch.

    Returns:
        A bool tensor, `(batch, frames)`.
    """
    return ops.arange(frames, dtype="int32")[None] < ops.cast(lengths, "int32")[:, None]


def check_samples(samples, shortest):
    """Refuses a length of waveforms that is known, and below the receptive field."""
    if isinstance(samples, int) and samples < shortest:
        raise ValueError(f"Clips must have at least {shortest} samples, the receptive field. Received: {samples}")


def check_lengths(waveforms, lengths, shortest):
    """Refuses clips shorter than the receptive field, and lengths beyond the batch's.

    What is known when this is called is refused with a ValueError. In a TensorFlow graph the same sentence is an
    assertion, which XLA leaves out; JAX's traced programs have none. What runs unchecked there takes such a clip for
    one without frames.

    Args:
        waveforms: `(batch, samples)`.
        lengths: int tensor, `(batch,)`, valid samples of each clip, or None.
        shortest: int, the receptive field in samples.

    Raises:
        ValueError: as said.
    """
    check_samples(waveforms.shape[1], shortest)
    in_graph = _is_symbolic(waveforms) or _is_symbolic(lengths)
    if not in_graph and lengths is not None:
        known, samples = ops.convert_to_numpy(lengths), waveforms.shape[1]
        if len(known) and (known.min() < shortest or known.max() > samples):
            raise ValueError(f"{_sentence(shortest)} {samples}. Received: lengths={known.tolist()}")
    elif in_graph and keras.backend.backend() == "tensorflow":
        _assert_in_graph(waveforms, lengths, shortest)


def _sentence(shortest):
    return f"`lengths` must be at least {shortest} samples, the receptive field, and at most the batch's"


def _assert_in_graph(waveforms, lengths, shortest):
    import tensorflow as tf

    samples = tf.shape(waveforms)[1]
    if waveforms.shape[1] is None:
        message = f"Clips must have at least {shortest} samples, the receptive field. Received:"
        tf.debugging.Assert(samples >= shortest, [message, samples])
    if lengths is not None:
        fits = tf.reduce_all((lengths >= shortest) & (lengths <= samples))
        tf.debugging.Assert(fits, [f"{_sentence(shortest)} length. Received: lengths=", lengths], summarize=16)


def _is_symbolic(tensor):
    """Whether a tensor's values are not known yet."""
    if keras.backend.backend() == "jax":
        import jax

        return isinstance(tensor, jax.core.Tracer)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.is_symbolic_tensor(tensor)
    return False


@keras.saving.register_keras_serializable(package="sertk")
class FrameCounts(keras.layers.Layer):
    """Gives the number of valid frames for the number of valid samples.

    Input: int32, `(batch,)`.
    Output: int32, `(batch,)`.

    Args:
        kernels, strides: ints, those of each convolution.
    """

    def __init__(self, kernels, strides, **kwargs):
        super().__init__(**kwargs)
        self.kernels = tuple(kernels)
        self.strides = tuple(strides)

    def call(self, lengths):
        return frame_count(ops.cast(lengths, "int32"), self.kernels, self.strides)

    def compute_output_spec(self, lengths):
        return keras.KerasTensor(lengths.shape, dtype="int32")

    def get_config(self):
        return {**super().get_config(), "kernels": list(self.kernels), "strides": list(self.strides)}
