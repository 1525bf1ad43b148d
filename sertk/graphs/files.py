"""Graphs as files: the table of edges that neural-structured-learning reads and writes, and arrays."""

import errno
import zipfile
import zlib
from pathlib import Path

import numpy as np

from sertk.atomic import replacing
from sertk.graphs.graph import Graph, check_keys

ARRAYS = ("keys", "sources", "targets", "weights")
# A file of a few megabytes can say that it holds terabytes.
MOST_BYTES = 1 << 32


def save_graph(graph, path):
    """Writes a graph to a file.

    A `.tsv` is what `neural_structured_learning.tools` take: `source<TAB>target<TAB>weight` in UTF-8, a line for each
    direction of an edge. Clips without a neighbour are not in it. A `.npz` holds all of the graph, as the arrays of
    `Graph`. Weights come back from both to the last bit.

    Args:
        graph: `Graph`.
        path: the file; its folder is made if it is missing.

    Returns:
        The path, as a `Path`.

    Raises:
        ValueError: if the file's ending is another.
        OSError: if it can't be written.
    """
    path = Path(path)
    table = _is_table(path)
    with replacing(path) as unfinished:
        if table:
            unfinished.write_text("".join(_lines(graph)), encoding="utf-8", newline="\n")
        else:
            arrays = {name: np.asarray(getattr(graph, name)) for name in ARRAYS}
            np.savez_compressed(unfinished, **arrays)
    return path


def load_graph(path, keys=None):
    """Reads a graph that `save_graph` wrote, or neural-structured-learning's builder.

    An edge of a `.tsv` may be there in one direction or in both; without a weight its weight is 1.

    Args:
        path: the `.tsv` or `.npz` file.
        keys: str of each clip that the graph shall have, in that order. Defaults to those in the file; of a `.tsv` the
            clips with a neighbour, sorted.

    Returns:
        `Graph`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, holds what is no edge, or names a clip that is not in `keys`; the message names
            the file, and of a `.tsv` the line.
    """
    path = Path(path)
    table = _is_table(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file; `sertk graph` writes one")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(f"{path}: is too large to be read. Received: {size:,} bytes; {MOST_BYTES:,} are read at most")
    keys = None if keys is None else check_keys(keys)
    return _read_table(path, keys) if table else _read_arrays(path, keys)


def _is_table(path):
    if path.suffix.lower() not in (".tsv", ".npz"):
        raise ValueError(f"{path}: must end in .tsv or .npz, which says how a graph is kept. Received: {path.name}")
    return path.suffix.lower() == ".tsv"


def _lines(graph):
    for source, target, weight in zip(graph.sources, graph.targets, graph.weights, strict=True):
        first, second = graph.keys[source], graph.keys[target]
        # Nine digits are what a float32 needs to come back as itself.
        yield f"{first}\t{second}\t{weight:.9g}\n{second}\t{first}\t{weight:.9g}\n"


def _read_table(path, keys):
    known, edges = set(keys or ()), {}
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                pair, weight = _edge(line.rstrip("\n"), f"{path}: line {number}")
                if edges.setdefault(pair, weight) != weight:
                    raise ValueError(
                        f"{path}: line {number} gives an edge another weight than a line before it; keep one of them. "
                        f"Received: {weight:g} and {edges[pair]:g} between {pair[0]!r} and {pair[1]!r}"
                    )
                unknown = [] if keys is None else [key for key in pair if key not in known]
                if unknown:
                    raise ValueError(
                        f"{path}: line {number} names a clip that is not in `keys`; build the graph anew from the "
                        f"clips in hand. Received: {unknown[0]!r}"
                    )
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: must be a table of text in UTF-8. Received: {error}") from error
    if keys is None:
        keys = sorted({key for pair in edges for key in pair})
    if not keys:
        raise ValueError(f"{path}: must hold at least one edge, or its clips be given as `keys`. Received: no line")
    place = {key: number for number, key in enumerate(keys)}
    sources, targets = ([place[pair[end]] for pair in edges] for end in (0, 1))
    return Graph(keys, sources, targets, list(edges.values()))


def _edge(line, where):
    """The two clips of a line, sorted, and the weight."""
    fields = line.split("\t")
    if len(fields) not in (2, 3) or not all(fields) or "\0" in line:
        raise ValueError(f"{where} must be source, target and weight with tabs between. Received: {line[:80]!r}")
    if fields[0] == fields[1]:
        raise ValueError(f"{where} must lead to another clip; take it out. Received: {fields[0]!r} twice")
    try:
        weight = float(fields[2]) if len(fields) == 3 else 1.0
    except ValueError:
        weight = None
    if weight is None or not -1 <= weight <= 1:
        raise ValueError(f"{where} must have a weight from -1 to 1. Received: {fields[2][:80]!r}")
    return tuple(sorted(fields[:2])), weight


def _read_arrays(path, keys):
    try:
        with zipfile.ZipFile(path) as archive:
            _check_size(archive)
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ARRAYS}
        graph = _from_arrays(**arrays)
    except KeyError as error:
        raise ValueError(f"{path}: must hold the arrays {', '.join(ARRAYS)}. Received: {error.args[0]}") from error
    except (ValueError, RuntimeError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise ValueError(f"{path}: is no sound graph; build it again. Received: {reason}") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # a place that no file has
            raise
        raise ValueError(f"{path}: is no sound graph; build it again. Received: {error}") from error
    if keys is None:
        return graph
    place = {key: number for number, key in enumerate(keys)}
    unknown = [key for key in graph.keys if key not in place]
    if unknown:
        raise ValueError(
            f"{path}: must be of clips in `keys`; build the graph anew from the clips in hand. "
            f"Received: {len(unknown):,} others, the first {unknown[0]!r}"
        )
    there = np.array([place[key] for key in graph.keys])
    return Graph(keys, there[graph.sources], there[graph.targets], graph.weights)


def _check_size(archive):
    size = sum(member.file_size for member in archive.infolist())
    packed = {member.compress_type for member in archive.infolist()}
    if size > MOST_BYTES or not packed <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ValueError(f"{size:,} bytes; {MOST_BYTES:,} are read at most, packed as NumPy packs them")


def _from_arrays(keys, sources, targets, weights):
    if keys.ndim != 1 or keys.dtype.kind != "U" or weights.dtype.kind != "f":
        raise ValueError(f"keys of {keys.dtype} {keys.shape}, weights of {weights.dtype}")
    return Graph(keys.tolist(), sources, targets, weights)
