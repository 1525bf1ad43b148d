"""One writer a folder: a second run into the same folder is refused while the first one lives."""

import contextlib
from pathlib import Path

import filelock

NAME = ".lock"


@contextlib.contextmanager
def only_writer(directory):
    """Holds a folder for this process; the operating system lets go of it when the process ends, however it ends.

    Args:
        directory: the folder; made if it is missing. A file `.lock` stays in it, and says nothing by being there.

    Raises:
        ValueError: if another process, or another call in this one, holds the folder, or it can't be written to.
    """
    directory = Path(directory)
    lock = filelock.FileLock(directory / NAME, timeout=0)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout:
        raise ValueError(
            f"{directory}: another process is writing to this folder; wait for it to end, or choose another folder. "
            f"Received: a folder whose {NAME} is held"
        ) from None
    except OSError as error:
        raise ValueError(
            f"{directory}: can't be written to; choose another folder, or give the right to write there. "
            f"Received: {error.strerror or error}"
        ) from error
    try:
        yield
    finally:
        lock.release()
