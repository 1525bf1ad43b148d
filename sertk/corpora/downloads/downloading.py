"""A corpus from its publisher into a folder: whole, or not there."""

import shutil
from pathlib import Path

from sertk.corpora.downloads.fetching import fetch
from sertk.corpora.downloads.sources import ON_REQUEST, SOURCES
from sertk.corpora.downloads.unpacking import unpack
from sertk.corpora.readers.registry import OFFICIAL, READERS
from sertk.lock import only_writer

# An archive and what is in it: RAVDESS takes 2.5 times its archive once unpacked.
UNPACKED = 3


def download(name, directory, progress=True, keep_archive=False):
    """Downloads a corpus that may be downloaded freely, verifies it and unpacks it.

    All is done in a hidden folder beside `directory`, which takes its place in one step at the end: a corpus that is
    there is whole. What broke off or was killed goes on with the same call. Archives are verified by the checksum
    that their publisher tells, and clips that come one by one are too.

    Args:
        name: the corpus' reader: "children", "crema_d", "emo_db", "ravdess", "ravdess_song" or "tess".
        directory: a new folder, or an empty one. Where the whole corpus is already, nothing happens.
        progress: whether to show a bar, on a terminal. Defaults to True.
        keep_archive: whether to keep the archive, beside `directory` and with its name before its own. Corpora that
            come clip by clip have none. Defaults to False.

    Returns:
        The folder's path, for `load`.

    Raises:
        ConnectionError: if the server can't be reached or breaks off; what has come is kept.
        OSError: if the disk has no room.
        ValueError: if the name is unknown, or that of a corpus that has to be asked for (the message says where), if
            the folder holds something else, or what came is not what was published.

    Example:
        >>> load("ravdess", download("ravdess", "corpora/ravdess"))
    """
    name = _known(name)
    directory = _place(directory)
    stage = directory.with_name(f".{directory.name}.download")
    if not _is_there(name, directory):
        with only_writer(stage):
            # Another process may have ended this a moment ago.
            if not _is_there(name, directory):
                _publish(_fetched(name, stage, progress), directory)
    if keep_archive:
        for archive in SOURCES[name].archives:
            kept = stage / archive.path
            if kept.exists():
                kept.replace(directory.with_name(f"{directory.name}-{archive.path}"))
    shutil.rmtree(stage, ignore_errors=True)
    return directory


def _known(name):
    known = name.lower().replace("-", "_") if isinstance(name, str) else None
    if known in ON_REQUEST:
        raise ValueError(
            f"{known}: can't be downloaded freely ({OFFICIAL[known].licence}): {ON_REQUEST[known]}. Once it is there, "
            f"look into it by `sertk corpora check {known} DIR`"
        )
    if known not in SOURCES:
        raise ValueError(
            f"`name` must be one of {', '.join(map(repr, sorted(SOURCES)))}, which may be downloaded, or "
            f"{', '.join(map(repr, sorted(ON_REQUEST)))}, to be told how to ask for them. Received: name={name!r}"
        )
    return known


def _place(directory):
    place = Path(directory).expanduser().resolve()
    if place == Path.cwd() or not place.name:
        raise ValueError(
            "`directory` must be a folder for this corpus alone, such as data/ravdess. "
            f"Received: directory={str(directory)!r}"
        )
    return place


def _is_there(name, directory):
    """Whether the whole corpus is there; refuses a folder that holds anything else."""
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return False
    clips = 0
    if directory.is_dir():
        try:
            clips = len(READERS[name](directory))
        except ValueError:
            clips = 0
    if clips >= OFFICIAL[name].clips:
        return True
    raise ValueError(
        f"`directory` must be a new folder or an empty one. Received: directory={str(directory)!r}, which "
        f"holds {clips:,} of the {OFFICIAL[name].clips:,} clips of {name}"
    )


def _fetched(name, stage, progress):
    """The corpus in a folder below `stage`."""
    source, page = SOURCES[name], OFFICIAL[name].source
    corpus = stage / "corpus"
    if source.archives:
        archives = fetch(source.archives, stage, name, progress, room=1 + UNPACKED)
        # What a killed call unpacked may end in the middle of a file.
        shutil.rmtree(corpus, ignore_errors=True)
        for archive in archives:
            try:
                unpack(archive, corpus)
            except ValueError as error:
                archive.unlink()
                raise ValueError(f"{error}; it was deleted, call again or see {page}") from error
    else:
        corpus.mkdir(exist_ok=True)
        remotes = source.files(stage, progress, page)
        wanted = {corpus / remote.path for remote in remotes}
        fetch(remotes, corpus, name, progress)
        for path in [path for path in corpus.rglob("*") if path.is_file() and path not in wanted]:
            path.unlink()
    try:
        READERS[name](corpus)
    except ValueError as error:
        raise ValueError(
            f"{name}: what came is not the corpus; see {page}. Received: nothing that its reader takes for a clip"
        ) from error
    return corpus


def _publish(corpus, directory):
    try:
        if directory.exists():
            directory.rmdir()
        corpus.replace(directory)
    except OSError as error:
        raise OSError(
            f"{directory}: the corpus can't be put there; name a new folder, in it or elsewhere, and call again. "
            f"Received: {error.strerror}"
        ) from error
