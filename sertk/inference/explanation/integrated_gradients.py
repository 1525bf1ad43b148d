"""Integrated gradients: how much of the difference between two answers each input accounts for."""

import numpy as np


def integrated_gradients(answer, inputs, baseline, *, steps=128, batch=32):
    """Shares the difference between the answers about an input and about a baseline out among the input's values.

    The gradient of the answer is averaged along the straight line from the baseline to the input, and multiplied by
    their difference. What all values are given adds up to the difference of the answers (completeness), but for the
    error of `steps` rectangles, which the sum tells.

    Args:
        answer: function of a tensor `(batch, ...)` that gives one number a row, `(batch,)`, differentiable by
            TensorFlow.
        inputs: float array, without the batch axis.
        baseline: float array of the same shape.
        steps: int, the points at which the gradient is taken, the middles of equal parts. Defaults to 128.
        batch: int, how many points at once; 1 where rows change each other's answers. Defaults to 32.

    Returns:
        float64 array of the inputs' shape, and the answers about the input and the baseline, floats.

    Raises:
        ValueError: if the shapes differ, or `steps` is below 1.

    Source: Sundararajan, Taly and Yan (2017), Axiomatic Attribution for Deep Networks, arXiv:1703.01365.
    """
    import tensorflow as tf

    inputs, baseline = np.asarray(inputs, "float32"), np.asarray(baseline, "float32")
    if inputs.shape != baseline.shape:
        raise ValueError(f"`baseline` must have the inputs' shape, {inputs.shape}. Received: shape={baseline.shape}")
    if not isinstance(steps, int) or steps < 1:
        raise ValueError(f"`steps` must be a positive integer. Received: steps={steps!r}")
    difference = inputs - baseline
    shares = ((np.arange(steps) + 0.5) / steps).astype("float32").reshape(-1, *[1] * inputs.ndim)
    total = np.zeros(inputs.shape, "float64")
    for first in range(0, steps, batch):
        points = tf.constant(baseline + shares[first : first + batch] * difference)
        with tf.GradientTape() as tape:
            tape.watch(points)
            answers = tf.reduce_sum(answer(points))
        total += tf.reduce_sum(tape.gradient(answers, points), axis=0).numpy()
    ends = [float(answer(tf.constant(end[None]))[0]) for end in (inputs, baseline)]
    return total / steps * difference, *ends
