"""CSV tables from anybody: UTF-8 of a size that tables have, never unpacked, or one sentence."""

from pathlib import Path

import pandas as pd

# A million clips are some 200 MB.
MOST_BYTES = 1 << 30


def read_cells(path, **options):
    """Reads a table whose cells are kept as they are written.

    A speaker called 01 or NA keeps the name; only the empty cell is unknown. A mark that Excel puts first is dropped.
    What the name ends in means nothing: a small file, unpacked, could fill the memory.

    Args:
        path: the CSV file.
        options: further ones of `pandas.read_csv`.

    Returns:
        DataFrame of strings.

    Raises:
        ValueError: if it is no table, or over 1 GiB; the message is for one that names the file.
        OSError: if it can't be read.
    """
    return _read(path, dtype="string", keep_default_na=False, na_values=[""], **options)


def read_figures(path, columns=(), **options):
    """Reads a table of figures, such as a training's log.

    Args:
        path: the CSV file.
        columns: the names of columns that must be there, of numbers. Defaults to none.
        options: further ones of `pandas.read_csv`.

    Returns:
        DataFrame.

    Raises:
        ValueError: if it is no table, over 1 GiB, or lacks one of the columns; the message names the file.
        OSError: if it can't be read.
    """
    try:
        table = _read(path, **options)
    except ValueError as error:
        told = " ".join(str(error).split())
        raise ValueError(f"{path}: is no sound CSV table; get the file again. Received: {told}") from error
    for name in columns:
        if name not in table or not pd.api.types.is_numeric_dtype(table[name]):
            raise ValueError(
                f"{path}: must have a column `{name}` of numbers. Received: columns={list(map(str, table))!s:.200}"
            )
    return table


def _read(path, **options):
    size = Path(path).stat().st_size
    if size > MOST_BYTES:
        raise ValueError(f"a table of at most {MOST_BYTES:,} bytes is read; this one has {size:,}")
    return pd.read_csv(path, encoding="utf-8-sig", compression=None, **options)
