"""Files that are either whole or not there."""

import contextlib
import errno
import os
import re
import uuid
from pathlib import Path

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_TEMPORARY = re.compile(r"\.[0-9a-f]{32}-.+")


@contextlib.contextmanager
def replacing(path):
    """Yields a temporary path in the folder of `path`; what was written there becomes `path` when the block ends well.

    A reader never sees half a file, and an error inside the block leaves an older `path` as it was. The temporary
    file keeps the ending of `path`, from which writers such as Matplotlib tell the format.

    Args:
        path: where the file shall be. Its folder is made if it is missing.

    Raises:
        OSError: if it can't be written, as on a full disk; the message names the file.
    """
    path = Path(path)
    temporary = path.with_name(f".{uuid.uuid4().hex}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)  # noqa: PTH105  (the atomic call itself, by its own name)
    except OSError as error:
        ours = {str(temporary), str(path), *map(str, path.parents)}
        if error.errno in NO_ROOM:
            todo = "make room on the disk and call again, nothing that was written before is lost"
        elif error.filename is not None and str(error.filename) in ours:
            todo = "choose another place, or give the right to write there"
        else:
            raise
        raise type(error)(f"{path}: can't be written; {todo}. Received: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


def sweep(directory):
    """Deletes what writers that were killed inside `replacing` left behind, at any depth.

    Args:
        directory: a folder that nobody else writes to at the moment.
    """
    for folder, _, names in os.walk(directory):
        for name in filter(_TEMPORARY.fullmatch, names):
            (Path(folder) / name).unlink(missing_ok=True)
