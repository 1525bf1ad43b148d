"""What the commands share: options, and what becomes of them."""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

Corpora = Annotated[
    list[str],
    typer.Option(
        "--corpus", "-c", metavar="NAME=DIR", help="A corpus: the reader's name and its folder. Several are joined."
    ),
]
Settings = Annotated[
    list[str],
    typer.Option(
        "--set", "-s", metavar="KEY=VALUE", help="Changes a setting of the recipe, such as training.learning_rate=1e-3."
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="A JSON file of settings, such as the best.json of `sertk tune`; --set and --split come after it.",
    ),
]
Cache = Annotated[
    Path | None, typer.Option(help="Folder for decoded waveforms; by default $SERTK_CACHE or the user's cache folder.")
]

SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out audio files that can't be decoded, and list them.")
]


def package():
    """The package, with the rooms loaded that need TensorFlow."""
    import sertk

    load_tensorflow()
    return sertk


def load_tensorflow(model=None):
    """Loads TensorFlow and lets it look for GPUs, without the lines that both print.

    Args:
        model: pathlib.Path of the model to ask; for a `.tflite` file, which LiteRT asks, nothing is loaded.
    """
    if model is not None and model.suffix == ".tflite":
        return
    from sertk.quiet import quiet_loading

    with quiet_loading():
        import tensorflow as tf

        tf.config.list_physical_devices("GPU")


def manifest_of(corpora, option="--corpus"):
    from sertk.corpora import join, load

    manifests = []
    for spec in corpora:
        name, separator, directory = spec.partition("=")
        if not separator or not directory:
            raise ValueError(f"`{option}` must be NAME=DIR, such as ravdess=data/ravdess. Received: {spec}")
        manifests.append(load(name, Path(directory).expanduser()))
    return join(manifests)


def changes_of(pairs):
    changes = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator:
            raise ValueError(f"`--set` must be KEY=VALUE, such as training.epochs=20. Received: {pair}")
        try:
            changes[key] = json.loads(value)
        except json.JSONDecodeError:
            # A Python programmer's null. In lower case it is a word: model.trainable=none freezes the backbone.
            changes[key] = None if value == "None" else value
    return changes


def config_of(path, split=None):
    """The settings in a JSON file; without those that a `--split` stands for where there is one too."""
    if path is None:
        return {}
    best = (path if path.is_dir() else path.parent) / "best.json"
    if best.is_file() and (path.is_dir() or path.name == "search.json"):
        raise ValueError(
            f"{path}: is a search, and no file of settings; pass --config {best}. Received: --config {path}"
        )
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file; `--config` takes a JSON file of settings")
    try:
        changes = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path}: is no JSON; write an object of settings and their values. Received: {error}"
        ) from None
    if not isinstance(changes, dict):
        raise ValueError(
            f'{path}: must hold an object of settings, such as {{"training.learning_rate": 1e-3}}. '
            f"Received: a {type(changes).__name__}"
        )
    return {name: value for name, value in changes.items() if split is None or name not in ("split.kind", "split.file")}


def split_of(kind):
    """The settings that `--split` stands for."""
    if kind is None:
        return {}
    if kind.lower().endswith(".csv"):
        return {"split.kind": "fold-file", "split.file": str(Path(kind).expanduser().absolute())}
    return {"split.kind": kind}


def layer_of(text):
    """A layer as an embedding model takes it: a number for one of a transformer's, or a name."""
    return int(text) if text is not None and text.lstrip("-").isdigit() else text


def command_line():
    return shlex.join(["sertk", *sys.argv[1:]])


def table(header, rows, left=1):
    """A table for the terminal, its first columns flush left, the rest flush right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = []
    for row in [header, *rows]:
        cells = zip(row, widths, strict=True)
        lines.append(
            "  ".join(f"{cell:<{w}}" if place < left else f"{cell:>{w}}" for place, (cell, w) in enumerate(cells))
        )
    return "\n".join(line.rstrip() for line in lines)
