"""A folder of one kind, known by the file that tells what was asked for."""

import dataclasses
from pathlib import Path
from typing import ClassVar

from sertk.plain_json import read_object


@dataclasses.dataclass(frozen=True)
class Folder:
    """What a command writes and later commands read: of a run, or of a search.

    A kind says what it is called, which file each such folder has, and which command makes one.

    Args:
        directory: the folder.
    """

    kind: ClassVar[str]
    told_by: ClassVar[str]
    made_by: ClassVar[str]

    directory: Path

    def __post_init__(self):
        object.__setattr__(self, "directory", Path(self.directory))

    @classmethod
    def open(cls, directory):
        """The run or search in a folder.

        Raises:
            FileNotFoundError: if there is no such folder.
            ValueError: if the folder holds none.
        """
        opened = cls(directory)
        if not opened.directory.is_dir():
            raise FileNotFoundError(
                f"{opened.directory}: there is no such {cls.kind} folder; `{cls.made_by}` makes one"
            )
        if not opened.path(cls.told_by).is_file():
            raise ValueError(
                f"{opened.directory}: holds no {cls.kind}, which would have a {cls.told_by}; "
                f"pass the folder of a {cls.kind}"
            )
        return opened

    def path(self, *parts):
        """A path in the folder."""
        return self.directory.joinpath(*parts)

    @property
    def settings(self):
        """dict, what was asked for, as the file that tells it holds it."""
        return read_object(self.path(self.told_by))
