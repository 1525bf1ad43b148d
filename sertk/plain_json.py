"""JSON files from anybody: an object, of a size that settings have, or one sentence."""

import json
from pathlib import Path

# The settings of a run are a few kilobytes.
MOST_BYTES = 1 << 26


def read_object(path):
    """Reads a JSON file that holds an object.

    Args:
        path: the file.

    Returns:
        dict.

    Raises:
        ValueError: if it is no JSON in UTF-8, nested too deep, over 64 MiB, or holds something else than an object.
        OSError: if it can't be read.
    """
    path = Path(path)
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(
            f"{path}: is larger than files of settings are; {MOST_BYTES:,} bytes are read at most. "
            f"Received: {size:,} bytes"
        )
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: is no sound JSON; get the file again. Received: {error}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path}: must hold an object of settings. Received: a {type(values).__name__}")
    return values
