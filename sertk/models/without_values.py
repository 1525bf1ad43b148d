"""Networks whose weights have shapes and no values: to count and to check what would take gigabytes."""

from concurrent.futures import ThreadPoolExecutor

import keras


def without_values(build):
    """Builds a network without making its weights; it can be described, and not called.

    Args:
        build: function without arguments that builds a keras.Model.

    Returns:
        The model. Its weights have shapes and names.

    Raises:
        What `build` raises.

    Example:
        >>> without_values(lambda: sertk.models.ssl_encoder("facebook/hubert-xlarge-ls960-ft")).count_params()
        962497408
    """
    policy = keras.config.dtype_policy()

    def built():
        keras.config.set_dtype_policy(policy)
        with keras.StatelessScope(initialize_variables=False):
            return build()

    # Keras notes such weights in the thread's state, and makes the values of all when it next leaves a scope, at the
    # latest in `fit`. A thread of its own takes its notes with it.
    with ThreadPoolExecutor(max_workers=1) as threads:
        return threads.submit(built).result()
