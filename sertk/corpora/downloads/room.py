"""Is there room on the disk? Asked before gigabytes come, not after."""

import shutil

from sertk.atomic import NO_ROOM


def require_room(folder, needed, what):
    """Refuses what would not fit on the disk.

    Args:
        folder: path of an existing folder on that disk.
        needed: int, bytes.
        what: str, what would be written.

    Raises:
        OSError: if fewer bytes are free, with both numbers.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            f"{folder}: has no room for {what}; make room, or name a folder on another disk. "
            f"Received: {in_words(free)} free, {in_words(needed)} needed",
        )


def full_disk(path, error):
    """The error of a disk that is full all the same, told to the user; any other error as it is."""
    if error.errno not in NO_ROOM:
        return error
    return OSError(
        f"{path}: can't be written; make room on the disk and call again, what was downloaded is kept. "
        f"Received: {error.strerror}"
    )


def in_words(count):
    """Bytes as people read them: 208468073 is 208.5 MB."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.1f} {unit}" if unit != "bytes" else f"{count} bytes"
        count /= 1000
    return f"{count:.1f} GB"
