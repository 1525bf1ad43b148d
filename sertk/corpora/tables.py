"""Tables that people bring: CSV files whose cells are kept as they are written."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from sertk.plain_csv import read_cells


def read_table(file, name="file"):
    """Reads a comma-separated table as text.

    Blanks around a cell are dropped, and an empty cell is an unknown value; nothing else is changed: a speaker called
    01 or NA keeps the name.

    Args:
        file: the CSV file, in UTF-8.
        name: what the argument is called in errors.

    Returns:
        DataFrame of strings, column names in lower case.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no table, or has no rows.
    """
    path = Path(file)
    if not path.is_file():
        raise FileNotFoundError(f"`{name}` must name a CSV file that exists. Received: {name}={str(file)!r}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header
            table = read_cells(path, index_col=False)
    except (ValueError, pd.errors.ParserWarning) as error:
        raise ValueError(
            f"`{name}` must be a comma-separated table in UTF-8; {path.name} can't be read as one. "
            f"Received: {name}={str(file)!r} ({error})"
        ) from error
    table.columns = [str(column).strip().lower() for column in table.columns]
    if not len(table):
        raise ValueError(f"`{name}` must have at least one row below its header. Received: {path.name}, without any")
    if table.columns.has_duplicates:
        raise ValueError(f"`{name}` must have each column once. Received: columns={list(table.columns)}")
    return table.apply(lambda column: column.str.strip().replace("", pd.NA))


def require_cells(table, columns, path, name="file"):
    """Refuses a table with an empty cell in a column that must be full; the message names the line."""
    for column in columns:
        empty = np.flatnonzero(table[column].isna())
        if len(empty):
            raise ValueError(
                f"`{name}` must have a {column} in each row. Received: {Path(path).name}, line {empty[0] + 2} of which "
                "has none"
            )
