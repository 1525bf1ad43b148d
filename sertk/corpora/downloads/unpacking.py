"""Archives from strangers: nothing is written outside the folder, and no more than a corpus may have."""

import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath

from sertk.corpora.downloads.room import full_disk, require_room

# Speech shrinks to a half or a third, digital silence to a thousandth: a corpus has more of the former.
RATIO = 100
FILES = 200_000
BLOCK = 2**20
DRIVE = re.compile(r"[A-Za-z]:")
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError)


@dataclass(frozen=True)
class _Member:
    name: str
    size: int
    folder: bool
    plain: bool
    open: object


def unpack(archive, folder):
    """Unpacks a ZIP or TAR archive into a folder.

    Refused are names that lead out of the folder (absolute, with a drive or with ".."), links, devices and encrypted
    files, archives that claim or turn out to hold over 100 times their own size or 200,000 files, and files that are
    not as long as the archive says.

    Args:
        archive: path; ZIP and TAR are told apart by content. A TAR may be compressed by gzip, bzip2 or xz.
        folder: path of a new folder; after an error there may be files in it.

    Raises:
        OSError: if the disk has no room.
        ValueError: if it is no archive, is damaged, or holds what is refused.
    """
    most = RATIO * archive.stat().st_size
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as file:
                members = [_of_zip(file, entry) for entry in file.infolist()]
                size = sum(member.size for member in members)
                _refuse_amount(archive, len(members), size, most)
                require_room(archive.parent, size, f"what is in {archive.name}")
                _write(archive, folder, members, most)
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive) as file:
                _write(archive, folder, _of_tar(file), most)
        else:
            with archive.open("rb") as file:
                beginning = file.read(40)
            raise ValueError(f"{archive.name}: is no whole ZIP or TAR archive. Received: it begins with {beginning!r}")
    except DAMAGED as error:
        raise ValueError(f"{archive.name}: is damaged. Received: {error}") from error
    except NotImplementedError as error:
        raise ValueError(
            f"{archive.name}: is packed in a way that Python does not know; unpack it by hand. Received: {error}"
        ) from error


def _of_zip(file, entry):
    """A kind is there only where the archive was written on a Unix; `is_dir` of Python 3.11 fails on an empty name."""
    plain = stat.S_IFMT(entry.external_attr >> 16) in (0, stat.S_IFREG, stat.S_IFDIR) and not entry.flag_bits & 1
    return _Member(entry.orig_filename, entry.file_size, entry.filename.endswith("/"), plain, lambda: file.open(entry))


def _of_tar(file):
    try:
        for entry in file:
            plain = entry.isfile() or entry.isdir()
            yield _Member(entry.name, entry.size, entry.isdir(), plain, lambda entry=entry: file.extractfile(entry))
        # The checksum of what is compressed stands behind the archive's end.
        while file.fileobj.read(BLOCK):
            pass
    except OSError as error:
        raise tarfile.ReadError(str(error)) from error


def _write(archive, folder, members, most):
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for count, member in enumerate(members, 1):
        path = folder.joinpath(*_parts(archive, member))
        try:
            if member.folder:
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with member.open() as source, path.open("wb") as target:
                for block in _blocks(source):
                    written += len(block)
                    _refuse_amount(archive, count, written, most)
                    target.write(block)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise ValueError(
                f"{archive.name}: holds a file and a folder of one name. Received: {member.name!r}"
            ) from error
        except OSError as error:
            raise full_disk(path, error) from error


def _blocks(source):
    try:
        while block := source.read(BLOCK):
            yield block
    except OSError as error:  # gzip and bzip2 tell of damage by it
        raise tarfile.ReadError(str(error)) from error


def _parts(archive, member):
    """The parts of a member's path, which stays in the folder; some programs on Windows write "\\"."""
    name = member.name.replace("\\", "/")
    parts = PurePosixPath(name).parts
    if name.startswith("/") or DRIVE.match(name) or ".." in parts or "\0" in name or not (parts or member.folder):
        raise ValueError(f"{archive.name}: holds a name that leads out of its folder. Received: {member.name!r}")
    if not member.plain:
        raise ValueError(
            f"{archive.name}: may hold files and folders alone, no links, devices or encrypted files. "
            f"Received: {member.name!r}"
        )
    return parts


def _refuse_amount(archive, count, size, most):
    if count > FILES or size > most:
        raise ValueError(
            f"{archive.name}: holds more than an archive of its size may: over {FILES:,} files, or {RATIO} times its "
            f"own size. Received: {count:,} files of at least {size:,} bytes"
        )
