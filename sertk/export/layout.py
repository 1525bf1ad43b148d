"""Which operations of a LiteRT model belong to which layers."""

import re


def in_float(content, layers):
    """The operations that some layers became, by the names of what they give.

    The converter calls an operation after the layers that its graph ran it in.

    Args:
        content: bytes, a LiteRT model in float.
        layers: list of str, names of layers on the outermost level of a Keras model.

    Returns:
        list of str.
    """
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_content=content)
    names = {tensor["index"]: tensor["name"] for tensor in interpreter.get_tensor_details()}
    # Keras numbers a layer's scope where a name was taken before.
    scope = re.compile(rf"/({'|'.join(map(re.escape, layers))})(_\d+)?/")
    given = (names.get(index, "") for one in interpreter._get_ops_details() for index in one["outputs"])
    return [name for name in given if scope.search(name)]
