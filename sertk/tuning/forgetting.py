"""What a training leaves behind in TensorFlow, taken away."""

import contextlib
import gc

import keras


@contextlib.contextmanager
def forgetting():
    """Takes away what a training in the `with` block has left: graphs, datasets, weights.

    TensorFlow keeps the gradient function of every `tf.custom_gradient` that was ever traced, under a name of its own,
    and with it the graph in which it was traced. A Keras optimiser traces one in each training, where gradients are
    summed over replicas: after 30 trainings 30 graphs are in memory that nobody can call. What was registered before is
    left alone. Models of the block can be used afterwards, but not differentiated through graphs that it traced.

    Yields:
        Nothing.
    """
    # No public name leads there. Should TensorFlow rename it, memory grows, and a test says so.
    from tensorflow.python.framework.ops import gradient_registry

    kept = getattr(gradient_registry, "_registry", {})
    before = set(kept)
    try:
        yield
    finally:
        for name in [name for name in kept if name not in before and name.startswith("CustomGradient-")]:
            del kept[name]
        keras.utils.clear_session()
        gc.collect()
