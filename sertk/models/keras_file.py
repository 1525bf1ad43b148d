"""What a `.keras` file from a stranger may hold; looked at before Keras loads anything of it."""

import json
import math
import zipfile
import zlib

import h5py
import keras

from sertk.models.without_values import without_values

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
MEMBERS = {CONFIG, WEIGHTS, "metadata.json"}
# The description of the largest network here, a speech encoder of 48 layers, is a megabyte.
MOST_DESCRIPTION = 1 << 26
# Keras stores weights as they are, and floats that somebody packed shrink to a half at best.
RATIO = 100
# Python or TensorFlow code, kept in a configuration or a file beside it.
CODE = {"Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
# They make lists and tables of what their configuration says while they are described; sound has no words.
VOCABULARIES = {"IntegerLookup", "StringLookup", "TextVectorization"}
# A gigabyte of float32 a clip. The largest network here makes 98 million of a minute of sound.
MOST_VALUES = 1 << 28
DAMAGED = (zipfile.BadZipFile, EOFError, zlib.error, UnicodeDecodeError, json.JSONDecodeError)


def check_keras_file(path):
    """Refuses a `.keras` file that holds more than a description of layers and their weights.

    Refused are archives with other members or with one twice, with sizes that no packing of weights explains, layers
    that hold code, objects that neither Keras nor sertk nor the caller's own program has registered, weights that are
    kept in other files or claim more than is stored, and descriptions of more weights than there are, which would
    fill the memory as soon as the layers were built, or of layers that give more values than memory holds. A length
    that is not known before a clip is there counts as 1.

    Args:
        path: the file, a ZIP archive with a `config.json`. What it may name must be registered already.

    Raises:
        ValueError: if it holds what is refused, or is damaged; the message names the file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(path, archive)
            description = json.loads(archive.read(CONFIG))
            _check_names(path, description)
            _leave_out_training(description)
            with archive.open(WEIGHTS) as member, h5py.File(member, "r") as file:
                stored = _values(path, file)
    except (MemoryError, OverflowError, RecursionError) as error:
        raise refused(path, "describes more than memory holds", repr(error)[:200]) from error
    except (OSError, RuntimeError, NotImplementedError, KeyError, TypeError, AttributeError, *DAMAGED) as error:
        raise damaged(path, error) from error
    try:
        network = without_values(lambda: keras.saving.deserialize_keras_object(description, safe_mode=True))
    except MemoryError as error:
        raise refused(path, "describes more than memory holds", repr(error)[:200]) from error
    except Exception as error:  # whatever a layer says, or fails to say, of arguments that it can't take
        raise damaged(path, error) from error
    if not isinstance(network, keras.Model):
        raise damaged(path, f"a {type(network).__name__}")
    described = sum(math.prod(weight.shape) for weight in network.weights)
    if described > stored:
        raise refused(
            path,
            "describes a larger network than it holds weights of",
            f"{described:,} weights described, {stored:,} stored",
        )
    _check_shapes(path, network)


def refused(path, why, received):
    """The one sentence that refuses a `.keras` file, a ValueError."""
    return ValueError(f"{path}: {why}; get it again from whom you trust, or leave it. Received: {received}")


def damaged(path, error):
    """The one sentence for what is no model, from what Keras or the file's reader says of it."""
    # Keras says first of all where it was, and tells the whole configuration.
    reason = str(error).rsplit("Exception encountered: ", 1)[-1] or type(error).__name__
    return refused(path, "is damaged, or describes no model", " ".join(reason.split())[:300])


def _check_shapes(path, network):
    """Refuses layers, and operations between them, whose output is known to be large."""
    left, seen = [network], set()
    while left:
        operation = left.pop()
        if id(operation) in seen:
            continue
        seen.add(id(operation))
        left += getattr(operation, "operations", []) + getattr(operation, "_layers", [])
        for node in operation._inbound_nodes:
            for tensor in node.output_tensors:
                if math.prod(size for size in tensor.shape if size is not None) > MOST_VALUES:
                    told = f"{operation.name!r} of shape {tensor.shape}"[:300]
                    raise refused(path, "describes a layer of more values than memory holds", told)


def _check_members(path, archive):
    members = archive.infolist()
    names = [member.orig_filename for member in members]
    if len(set(names)) < len(names) or not {CONFIG, WEIGHTS} <= set(names) <= MEMBERS:
        others = [name for name in names if name not in MEMBERS or names.count(name) > 1]
        raise refused(
            path,
            f"must hold {', '.join(sorted(MEMBERS))}, each once, and nothing else",
            f"{others[0]!r} of {len(names):,} members" if others else f"only {', '.join(names)}",
        )
    for member in members:
        most = MOST_DESCRIPTION if member.filename != WEIGHTS else math.inf
        if member.file_size > min(RATIO * member.compress_size + 1024, most):
            raise refused(
                path,
                "holds a member that unpacks to more than a model's does",
                f"{member.filename} of {member.compress_size:,} bytes, {member.file_size:,} unpacked",
            )


def _check_names(path, description):
    """Refuses objects that are no layers, before anything is imported for them; a stack, for depth is the file's."""
    left = [description]
    while left:
        value = left.pop()
        left += value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        if not isinstance(value, dict) or "class_name" not in value:
            continue
        kind, module, registered = (value.get(key) for key in ("class_name", "module", "registered_name"))
        name = value.get("config") if kind == "function" else registered
        told = ".".join(str(part) for part in (module, name if kind == "function" else kind) if part)[:200]
        if kind in CODE:
            raise refused(path, f"holds a {kind} layer, which would allow arbitrary code execution", told)
        if kind in VOCABULARIES:
            raise refused(path, f"holds a {kind} layer, which no network on sound needs", told)
        if not _known(kind, module, name):
            raise refused(
                path,
                "names what neither Keras nor sertk has; if it is yours, import the module that registers it first",
                told,
            )


def _leave_out_training(description):
    """Takes away how networks were trained, which is not loaded: optimizers have values while they are described."""
    left = [description]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            value.pop("compile_config", None)
            left += value.values()
        elif isinstance(value, list):
            left += value


def _known(kind, module, name):
    there = keras.saving.get_registered_object(name) if isinstance(name, str) else None
    if there is not None:
        package = there.__module__.split(".")
        # Tokenizers and the like read files that a configuration names.
        return package[0] not in ("keras_hub", "keras_nlp") or "layers" in package
    if module is None:
        return isinstance(kind, str) and kind.startswith("__")
    return isinstance(module, str) and module.split(".")[0] in ("keras", "builtins")


def _values(path, file):
    """How many values an H5 file of weights holds; refuses those that are elsewhere or nowhere."""
    count, left, seen = 0, [file], set()
    while left:
        group = left.pop()
        place = h5py.h5o.get_info(group.id).addr
        if place in seen:  # a group may be its own member
            continue
        seen.add(place)
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise refused(path, "holds weights that are a link to another place", f"{group.name}/{name}")
            inner = group[name]
            if isinstance(inner, h5py.Group):
                left.append(inner)
            elif isinstance(inner, h5py.Dataset):
                _check_stored(path, inner)
                count += inner.size or 0
    return count


def _check_stored(path, dataset):
    if dataset.external or dataset.is_virtual:
        raise refused(path, "holds weights that are kept in another file", dataset.name)
    if dataset.dtype.kind == "O" or dataset.nbytes > dataset.id.get_storage_size():
        raise refused(
            path,
            "holds weights that claim more than is stored",
            f"{dataset.name} of {dataset.nbytes:,} bytes, {dataset.id.get_storage_size():,} stored",
        )
