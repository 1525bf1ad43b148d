"""Which audio files are meant: those named, and all in the folders named; and which one an error is about."""

import contextlib
from pathlib import Path

from sertk.audio import AUDIO_EXTENSIONS


def audio_files(files):
    """The audio files among files and folders.

    Args:
        files: paths of files, which are taken as they are, and of folders, which are searched for audio files at any
            depth.

    Returns:
        list of Path; those of a folder by name.

    Raises:
        FileNotFoundError: if one does not exist.
        ValueError: if there is none, or none in a folder.
    """
    paths = []
    for path in map(Path, files):
        if path.is_dir():
            found = sorted(inner for inner in path.rglob("*") if inner.suffix.lower() in AUDIO_EXTENSIONS)
            if not found:
                raise ValueError(f"{path}: holds no audio file, at any depth")
            paths += found
        elif path.exists():
            paths.append(path)
        else:
            raise FileNotFoundError(f"{path}: there is no such file")
    if not paths:
        raise ValueError("`files` must name at least one audio file or folder. Received: none")
    return paths


@contextlib.contextmanager
def naming(path):
    """Lets what a model says of a waveform that it refuses begin with the name of the file that it came from.

    Args:
        path: the file.

    Raises:
        ValueError: what the block raises, as `sertk.audio.read` would tell it.
    """
    try:
        yield
    except ValueError as error:
        if str(error).startswith(f"{path}: "):
            raise
        raise ValueError(f"{path}: {error}") from error
