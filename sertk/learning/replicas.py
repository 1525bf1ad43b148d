"""What the replicas of a batch have in common, where a strategy divides it among several devices."""

import keras


def gathered(tensor, axis=0):
    """Gathers what each replica holds, in the replicas' order; gradients reach every one of them.

    Args:
        tensor: of the same shape on each replica, but for `axis`.
        axis: int, along which they are joined. Defaults to 0.

    Returns:
        The joined tensor, and the place in it at which this replica's own part begins. Outside of a strategy, and on
        other backends than TensorFlow, these are `tensor` and 0.
    """
    if keras.backend.backend() != "tensorflow":
        return tensor, 0
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return tensor, 0
    sizes = context.all_gather(tf.shape(tensor)[axis : axis + 1], axis=0)
    begins = tf.cumsum(sizes, exclusive=True)[context.replica_id_in_sync_group]
    return context.all_gather(tensor, axis=axis), begins
