"""A file somewhere else."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Remote:
    """A file to be fetched, and what its publisher says of it.

    Args:
        path: str, relative, where it goes.
        urls: tuple of addresses that hold the very same bytes; the first that gives them is taken.
        page: str, the page on which people find it.
        checksum: str, "md5:..." or another algorithm of `hashlib`. Defaults to None, where none is published.
        size: int, in bytes. Defaults to None, where it is not published.
    """

    path: str
    urls: tuple
    page: str
    checksum: str | None = None
    size: int | None = None
