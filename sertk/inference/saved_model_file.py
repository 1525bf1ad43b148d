"""What a SavedModel from a stranger may hold; looked at before TensorFlow loads anything of it."""

import math

# What networks do beside arithmetic: variables, calls, refusals, chance. All other operations with an effect, such as
# writing files, reading tables or calling Python, have no place in an answer about a waveform.
EFFECTS = {
    "AssignAddVariableOp",
    "AssignSubVariableOp",
    "AssignVariableOp",
    "Assert",
    "Case",
    "DestroyResourceOp",
    "DisableCopyOnRead",
    "For",
    "If",
    "Multinomial",
    "RandomStandardNormal",
    "RandomUniform",
    "RandomUniformInt",
    "ReadVariableOp",
    "ResourceGather",
    "ResourceGatherNd",
    "StatefulPartitionedCall",
    "TruncatedNormal",
    "VarHandleOp",
    "VarIsInitializedOp",
    "VariableShape",
    "While",
}
# These read files or write them, or call Python, though TensorFlow does not list them as having an effect.
HIDDEN = {
    "DebugIdentity",
    "DebugNanCount",
    "DebugNumericSummary",
    "GenerateVocabRemapping",
    "ImmutableConst",
    "MatchingFiles",
    "PyFuncStateless",
    "ReadFile",
    "RegisterDataset",
    "RegisterDatasetV2",
}
# Bytes of all constants; those of the resampling filters and mel bands are some megabytes.
MOST_CONSTANTS = 1 << 30


def check_saved_model(directory):
    """Refuses a SavedModel whose graph does more than compute, or claims more memory than its files hold.

    A SavedModel is a program. Of everything that can be called in it, and what that calls, each operation must be
    arithmetic or one of `EFFECTS`. What writes a checkpoint is left alone: it can't be called from what is loaded.

    Args:
        directory: folder with a `saved_model.pb`.

    Raises:
        ValueError: if it holds what is refused, or is damaged; the message names the file.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    path = directory / "saved_model.pb"
    described = SavedModel()
    try:
        described.ParseFromString(path.read_bytes())
    except (DecodeError, RuntimeError) as error:
        raise _refused(path, "is damaged", " ".join(str(error).split())[:300]) from error
    graphs = described.meta_graphs
    if len(graphs) != 1 or not graphs[0].HasField("object_graph_def"):
        raise _refused(
            path,
            "is not of the form in which TensorFlow 2 saves models, whose graph nobody runs while it is loaded",
            f"{len(graphs)} graphs",
        )
    functions = {function.signature.name: function for function in graphs[0].graph_def.library.function}
    _check_operations(path, functions, list(graphs[0].object_graph_def.concrete_functions))
    _check_variables(directory / "variables")


def _refused(path, why, received):
    return ValueError(f"{path}: {why}; get it again from whom you trust, or leave it. Received: {received}")


def _check_operations(path, functions, left):
    """Walks from what can be called to all that it calls."""
    from tensorflow.python.framework import op_def_registry

    seen, constants = set(), 0
    while left:
        name = left.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        for node in functions[name].node_def:
            known = op_def_registry.get(node.op)
            called = node.op in functions
            if not called and (known is None or node.op in HIDDEN or (known.is_stateful and node.op not in EFFECTS)):
                raise _refused(
                    path, "does more than compute: its graph may reach files, other machines or Python", node.op
                )
            if called:
                left.append(node.op)
            for attribute in node.attr.values():
                left += [attribute.func.name, *(function.name for function in attribute.list.func)]
            if node.op == "Const":
                value = node.attr["value"].tensor
                constants += _size(path, value.dtype) * _values(path, value.tensor_shape.dim)
    if constants > MOST_CONSTANTS:
        raise _refused(path, "has constants that no model needs", f"{constants:,} bytes of constants")


def _size(path, number):
    """Bytes of a value of a type that is known by its number."""
    from tensorflow.python.framework import dtypes

    try:
        return dtypes.as_dtype(number).size or 1
    except (TypeError, KeyError) as error:
        raise _refused(path, "is damaged", " ".join(str(error).split())[:300]) from error


def _values(path, dimensions):
    sizes = [dimension.size for dimension in dimensions]
    # A negative one would make up for the others.
    if min(sizes, default=0) < 0:
        raise _refused(path, "is damaged", f"a constant of shape {sizes}"[:100])
    return math.prod(sizes)


def _check_variables(folder):
    """Refuses an index that gives variables more bytes than there are."""
    import tensorflow as tf

    held = sum(path.stat().st_size for path in folder.glob("variables.data-*"))
    try:
        reader = tf.train.load_checkpoint(str(folder / "variables"))
        types = reader.get_variable_to_dtype_map()
        shapes = reader.get_variable_to_shape_map().items()
        claimed = sum(types[name].size * math.prod(shape) for name, shape in shapes)
    except (tf.errors.OpError, ValueError, RuntimeError, TypeError, KeyError) as error:
        raise _refused(folder, "holds no sound variables", " ".join(str(error).split())[:300]) from error
    if claimed > held:
        raise _refused(folder, "claims more variables than there are", f"{claimed:,} bytes of {held:,}")
