"""Where gradients of our own are faster than Keras's: in training, in float32, with TensorFlow on a CPU."""

import functools

import keras


def own_gradient_pays(inputs, training, compiled=False):
    """Whether a layer is to run its own forward and backward pass in place of Keras's.

    Never in inference, so that exported models hold none but ordinary operations. In half and double precision, on
    other backends and where there is a GPU, Keras's own code runs.

    Args:
        inputs: tensor, what the layer gets.
        training: bool or None, as the layer was called.
        compiled: bool, whether XLA compiles the passes. It does so anew for each shape, so that with clips of any
            length every batch would wait for it: they must have one length then, in a graph. Defaults to False.

    Returns:
        bool.
    """
    return bool(
        training
        and keras.backend.backend() == "tensorflow"
        and keras.backend.standardize_dtype(inputs.dtype) == "float32"
        and (not compiled or _in_a_graph_of_one_length(inputs))
        and _only_cpu()
    )


def fused(function):
    """Makes XLA compile a function to one pass forward, and to another for all its gradients.

    Only what goes in is kept for the gradient; the rest is computed anew, which costs less than to write and read it.

    Args:
        function: callable of TensorFlow's operations, that takes float32 tensors and returns one.

    Returns:
        A callable of the same arguments.
    """
    import tensorflow as tf

    @tf.function(jit_compile=True)
    def forward(*inputs):
        return function(*inputs)

    @tf.function(jit_compile=True)
    def backward(upstream, *inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = function(*inputs)
        return tape.gradient(outputs, inputs, upstream)

    @tf.custom_gradient
    def run(*inputs):
        return forward(*inputs), lambda upstream: backward(upstream, *inputs)

    return run


def _in_a_graph_of_one_length(inputs):
    import tensorflow as tf

    return tf.inside_function() and None not in inputs.shape[1:]


@functools.cache
def _only_cpu():
    import tensorflow as tf

    return all(device.device_type == "CPU" for device in tf.config.get_visible_devices())
