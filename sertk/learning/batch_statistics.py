"""Batch norm by the clips alone, whatever goes through the network beside them or after them."""

import contextlib

import keras
from keras import ops


def check_batch_norm(model):
    """Refuses what the functions below don't know.

    Args:
        model: keras.Model.

    Raises:
        ValueError: if a batch norm layer uses batch renormalisation.
    """
    for layer in _layers(model):
        if getattr(layer, "renorm", False):
            raise ValueError(
                "Batch norm must be without `renorm` in a model that learns with neighbours. "
                f"Received: renorm=True in the layer {layer.name}"
            )


@contextlib.contextmanager
def statistics_of_first(model, count):
    """In training, the first rows of a batch are normalised as if they were all, and the others with their statistics.

    The batch norm layers do with these rows what they always do; neither the moments nor the moving averages know the
    other rows. Outside of the `with` block the model is as it was.

    Args:
        model: keras.Model; batch norm is found in it at any depth.
        count: int or scalar tensor, how many rows.

    Yields:
        Nothing.
    """

    def normalise(layer, usual, inputs, mask):
        first, others = inputs[:count], inputs[count:]
        mask = None if mask is None else mask[:count]
        return ops.concatenate([usual(first, mask), _normalised(layer, others, *_moments(layer, first, mask))], axis=0)

    with _normalising(model, normalise):
        yield


@contextlib.contextmanager
def kept_statistics(model):
    """Keeps what each batch norm layer normalises with in a training step, for batches that come after.

    Args:
        model: keras.Model; batch norm is found in it at any depth.

    Yields:
        A list to pass to `normalised_with`, filled by one call of the model in the `with` block.
    """
    kept = []

    def normalise(layer, usual, inputs, mask):
        kept.append(_moments(layer, inputs, mask))
        return usual(inputs, mask)

    with _normalising(model, normalise):
        yield kept


@contextlib.contextmanager
def normalised_with(model, kept):
    """In training, batch norm uses statistics of another batch and changes no moving average.

    Args:
        model: keras.Model, the one whose statistics were kept.
        kept: list, what `kept_statistics` filled. The model may be called once in the `with` block.

    Yields:
        Nothing.
    """
    left = iter(kept)

    def normalise(layer, usual, inputs, mask):
        return _normalised(layer, inputs, *next(left))

    with _normalising(model, normalise):
        yield


@contextlib.contextmanager
def _normalising(model, normalise):
    """Has `normalise(layer, usual, inputs, mask)` do the work of each batch norm layer that learns."""

    def instead_of(layer, call):
        def instead(inputs, training=None, mask=None):
            if not training or not layer.trainable:
                return call(inputs, training=training, mask=mask)
            return normalise(layer, lambda rows, mask: call(rows, training=True, mask=mask), inputs, mask)

        return instead

    with contextlib.ExitStack() as restored:
        for layer in _layers(model):
            # Past the layer's own bookkeeping of attributes, which would take this for a part of it.
            vars(layer)["call"] = instead_of(layer, layer.call)
            restored.callback(vars(layer).pop, "call")
        yield


def _layers(model):
    """The batch norm layers of a model."""
    # Keras has no public way to the layers in a layer that is no model.
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]


def _moments(layer, inputs, mask):
    """Mean and variance for each place on the layer's axis, float32, with gradients."""
    inputs = _single(inputs)
    axes = [axis for axis in range(len(inputs.shape)) if axis != layer.axis % len(inputs.shape)]
    if mask is None:
        return ops.moments(inputs, axes, synchronized=layer.synchronized)
    weights = ops.broadcast_to(_single(mask)[..., None], ops.shape(inputs))
    count = ops.sum(weights, axes, keepdims=True)
    mean = ops.sum(inputs * weights, axes, keepdims=True) / count
    variance = ops.sum(ops.square(inputs - mean) * weights, axes, keepdims=True) / count
    return ops.squeeze(mean, axes), ops.squeeze(variance, axes)


def _normalised(layer, inputs, mean, variance):
    gamma, beta = (None if weight is None else ops.cast(weight, mean.dtype) for weight in (layer.gamma, layer.beta))
    outputs = ops.batch_normalization(
        _single(inputs), mean, variance, layer.axis, offset=beta, scale=gamma, epsilon=layer.epsilon
    )
    return ops.cast(outputs, layer.compute_dtype)


def _single(tensor):
    """In float32 at least: in half precision the square of a value above 255 is infinite."""
    return ops.cast(tensor, keras.backend.result_type(tensor.dtype, "float32"))
