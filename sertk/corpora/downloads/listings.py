"""Corpora that come clip by clip: what their publishers say of each clip, as a list of files to fetch."""

import json
import re
import zipfile
from pathlib import PurePosixPath
from urllib.parse import quote

from sertk.audio import AUDIO_EXTENSIONS
from sertk.corpora.downloads.fetching import fetch
from sertk.corpora.downloads.remote import Remote

# Names that lead nowhere but into the folder.
NAME = re.compile(r"[\w-][\w .()+-]*")
POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize ([0-9]+)\n")
ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}


def dataverse(server, doi):
    """A dataset of a Dataverse, whose API tells name, size and checksum of each file.

    Args:
        server: str, the address of the Dataverse.
        doi: str, "10.5683/...".

    Returns:
        A function of the folder for the list itself, whether to show a bar, and the corpus' page, that gives the list
        of `Remote`.

    Source: https://guides.dataverse.org/en/latest/api/native-api.html
    """

    def files(folder, progress, page):
        url = f"{server}/api/datasets/:persistentId/?persistentId=doi:{doi}"
        path = _fetched_anew(Remote("files.json", (url,), page), folder, progress)
        try:
            entries = json.loads(path.read_text())["data"]["latestVersion"]["files"]
            found = [_of_dataverse(server, entry, page) for entry in entries]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{url}: is no list of a dataset's files; see {page}. Received: {error!r}") from error
        return _clips(found, url, page)

    return files


def _of_dataverse(server, entry, page):
    file = entry["dataFile"]
    checksum = f"{ALGORITHMS[file['checksum']['type']]}:{file['checksum']['value']}"
    # A name that is taken in another folder of the dataset is told apart by that folder.
    path = "/".join(part for part in (entry.get("directoryLabel"), file["filename"]) if part)
    return Remote(path, (f"{server}/api/access/datafile/{int(file['id'])}",), page, checksum, int(file["filesize"]))


def lfs(archive, folder_in_it, mirrors):
    """A folder of a repository with git-lfs, whose archive holds a pointer for each file: its SHA-256 and size.

    Args:
        archive: str, the address of the repository's ZIP.
        folder_in_it: str, the folder of the clips.
        mirrors: tuple of addresses that hold the files themselves, and end where a file's name begins.

    Returns:
        A function as `dataverse` returns.

    Source: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
    """

    def files(folder, progress, page):
        path = _fetched_anew(Remote("pointers.zip", (archive,), page), folder, progress)
        found = []
        try:
            with zipfile.ZipFile(path) as file:
                for entry in file.infolist():
                    parts = PurePosixPath(entry.filename).parts
                    if len(parts) == 3 and parts[1] == folder_in_it and not entry.is_dir():
                        with file.open(entry) as pointer:
                            found.append(_of_pointer(parts[2], pointer.read(1024), mirrors, page))
        except zipfile.BadZipFile as error:
            raise ValueError(f"{archive}: is no whole ZIP archive; call again. Received: {error}") from error
        return _clips(found, archive, page)

    return files


def _of_pointer(name, text, mirrors, page):
    pointer = POINTER.fullmatch(text)
    if not pointer:
        raise ValueError(f"{name}: its git-lfs pointer can't be read; see {page}. Received: {text[:40]!r}")
    urls = tuple(mirror + quote(name) for mirror in mirrors)
    return Remote(name, urls, page, f"sha256:{pointer[1].decode()}", int(pointer[2]))


def _fetched_anew(remote, folder, progress):
    """A list as it is now: that of an earlier call may be out of date."""
    (folder / remote.path).unlink(missing_ok=True)
    (path,) = fetch([remote], folder, "list of files", progress)
    return path


def _clips(found, url, page):
    clips = [remote for remote in found if PurePosixPath(remote.path).suffix.lower() in AUDIO_EXTENSIONS]
    for remote in clips:
        if not all(map(NAME.fullmatch, remote.path.split("/"))):
            raise ValueError(f"{url}: lists a name that leads out of its folder. Received: {remote.path!r}")
    if not clips or len({remote.path for remote in clips}) < len(clips):
        raise ValueError(f"{url}: should list clips, each once; see {page}. Received: {len(clips):,} clips")
    return clips
