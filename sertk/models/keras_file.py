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
DAMAGED = (zipfile.BadZipFile, EOFError, zlib.error, UnicodeDecodeError, json.JSONDecodeError)


def check_keras_file(path):
    """Refuses a `.keras` file that holds more than a description of layers and their weights.

    Refused are archives with other members or with one twice, with sizes that no packing of weights explains, layers
    that hold code, objects that neither Keras nor sertk nor the caller's own program has registered, weights that are
    kept in other files or claim more than is stored, and descriptions of more weights than there are, which would
    fill the memory as soon as the layers were built.

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
            with archive.open(WEIGHTS) as member, h5py.File(member, "r") as file:
                stored = _values(path, file)
        network = without_values(lambda: keras.saving.deserialize_keras_object(description, safe_mode=True))
        described = sum(math.prod(weight.shape) for weight in network.weights)
    except (MemoryError, OverflowError, RecursionError) as error:
        raise _refused(path, "describes more than memory holds", repr(error)[:200]) from error
    except (OSError, RuntimeError, NotImplementedError, KeyError, TypeError, AttributeError, *DAMAGED) as error:
        raise _refused(path, "is damaged, or describes no model", " ".join(str(error).split())[:300]) from error
    if described > stored:
        raise _refused(
            path,
            "describes a larger network than it holds weights of",
            f"{described:,} weights described, {stored:,} stored",
        )


def _refused(path, why, received):
    return ValueError(f"{path}: {why}; get it again from whom you trust, or leave it. Received: {received}")


def _check_members(path, archive):
    members = archive.infolist()
    names = [member.orig_filename for member in members]
    if len(set(names)) < len(names) or not {CONFIG, WEIGHTS} <= set(names) <= MEMBERS:
        others = [name for name in names if name not in MEMBERS or names.count(name) > 1]
        raise _refused(
            path,
            f"must hold {', '.join(sorted(MEMBERS))}, each once, and nothing else",
            f"{others[0]!r} of {len(names):,} members" if others else f"only {', '.join(names)}",
        )
    for member in members:
        most = MOST_DESCRIPTION if member.filename != WEIGHTS else math.inf
        if member.file_size > min(RATIO * member.compress_size + 1024, most):
            raise _refused(
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
            raise _refused(path, f"holds a {kind} layer, which would allow arbitrary code execution", told)
        if not _known(kind, module, name):
            raise _refused(
                path,
                "names what neither Keras nor sertk has; if it is yours, import the module that registers it first",
                told,
            )


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
                raise _refused(path, "holds weights that are a link to another place", f"{group.name}/{name}")
            inner = group[name]
            if isinstance(inner, h5py.Group):
                left.append(inner)
            elif isinstance(inner, h5py.Dataset):
                _check_stored(path, inner)
                count += inner.size or 0
    return count


def _check_stored(path, dataset):
    if dataset.external or dataset.is_virtual:
        raise _refused(path, "holds weights that are kept in another file", dataset.name)
    if dataset.dtype.kind == "O" or dataset.nbytes > dataset.id.get_storage_size():
        raise _refused(
            path,
            "holds weights that claim more than is stored",
            f"{dataset.name} of {dataset.nbytes:,} bytes, {dataset.id.get_storage_size():,} stored",
        )
