"""The folder of a checkpoint: one of this machine, or fetched from the Hugging Face hub."""

import fnmatch
import os
import re
from pathlib import Path

from sertk.models.ssl.checkpoint import INDEX, SAFETENSORS, TORCH, import_torch, preferred_layout
from sertk.models.ssl.preprocessing import FILES

SETTINGS = ["config.json", *FILES]
NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


def checkpoint_folder(source, revision=None):
    """Finds the folder of a checkpoint, and downloads it where `source` is a name on the hub.

    Of a repository only its settings and one form of its weights are fetched, safetensors where it has them. They
    stay in the hub's cache (`HF_HOME`), which answers without a network too.

    Args:
        source: str or path, a folder or a hub name such as "facebook/wav2vec2-base". A folder goes first.
        revision: str, branch, tag, commit or pull request ("refs/pr/1") on the hub. Defaults to None, the newest.

    Returns:
        The folder's path.

    Raises:
        ConnectionError: if the hub can't be reached; the message says which files to fetch.
        FileNotFoundError: if `source` is a path that leads to no folder.
        ImportError: if huggingface_hub is missing, or PyTorch where the repository holds no safetensors.
        ValueError: if the hub has no such repository or revision, or it holds no checkpoint of PyTorch.
    """
    if not isinstance(source, str | os.PathLike):
        raise ValueError(f"`source` must be a folder or a name on the hub. Received: source={source!r}")
    if source and Path(source).is_dir():
        if revision is not None:
            raise ValueError(f"`revision` must be None for a folder. Received: revision={revision!r}")
        return Path(source)
    if not isinstance(source, str) or not NAME.fullmatch(source):
        raise FileNotFoundError(
            f"{source}: there is no such folder; pass the folder of a checkpoint, or a name on the hub such as "
            '"facebook/wav2vec2-base"'
        )
    return _download(source, revision)


def _download(name, revision):
    try:
        import huggingface_hub
        from huggingface_hub.utils import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError
    except ImportError as error:
        raise ImportError(
            f"{name}: huggingface_hub is needed to download it; pip install 'sertk[hub]', or {_by_hand(name)}"
        ) from error
    try:
        repository = huggingface_hub.model_info(name, revision=revision)
        files = _needed(name, [file.rfilename for file in repository.siblings])
        return Path(huggingface_hub.snapshot_download(name, revision=revision, allow_patterns=files))
    except (_NoCheckpointError, ImportError):
        raise
    except (HFValidationError, RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise ValueError(
            f"{name}: there is no such folder, and the hub has no such repository, or it is private, or has no such "
            f"`revision`; see https://huggingface.co/{name}. Received: {_line(error)}"
        ) from error
    except Exception as error:  # the hub's client raises many kinds
        folder = _cached(huggingface_hub, name, revision)
        if folder is None:
            raise ConnectionError(
                f"{name}: there is no such folder, and it can't be downloaded; where there is no network, "
                f"{_by_hand(name)}. Received: {_line(error)}"
            ) from error
        return folder


class _NoCheckpointError(ValueError):
    """A repository without weights of PyTorch."""


def _needed(name, held):
    """Which files of a repository make its checkpoint."""
    layout = preferred_layout(held)
    if layout is None:
        raise _NoCheckpointError(
            f"{name}: holds no checkpoint of PyTorch; see https://huggingface.co/{name}/tree/main. "
            f"Received: a repository with {', '.join(held[:8])}"
        )
    if layout.startswith(TORCH):
        # Before hundreds of megabytes come that nothing here can read.
        import_torch(
            f"{name}: {layout} (safetensors may stand in a pull request: pass it as `revision`, for example "
            '"refs/pr/1", after a look at who opened it)'
        )
    stem, suffix = Path(layout.removesuffix(INDEX)).stem, Path(layout.removesuffix(INDEX)).suffix
    weights = [layout, *fnmatch.filter(held, f"{stem}-*{suffix}")] if layout.endswith(INDEX) else [layout]
    return [file for file in SETTINGS if file in held] + weights


def _cached(huggingface_hub, name, revision):
    """The folder of an earlier download, or None."""
    try:
        folder = huggingface_hub.snapshot_download(
            name, revision=revision, allow_patterns=SETTINGS, local_files_only=True
        )
    except Exception:  # as many kinds; the first error tells more
        return None
    return Path(folder) if preferred_layout(path.name for path in Path(folder).iterdir()) else None


def _by_hand(name):
    return (
        f"fetch config.json, {FILES[0]} and {SAFETENSORS} (or {TORCH}, for which PyTorch is needed) from "
        f"https://huggingface.co/{name} on another machine into a folder, and pass that folder in place of the "
        "name"
    )


def _line(error):
    """The first line of an error's text, or its kind."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
