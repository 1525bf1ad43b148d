"""The door to all corpora: one reader each, by name."""

import inspect
import warnings

from sertk.corpora.generic import read_csv, read_folders, read_synthetic
from sertk.corpora.ravdess import read_ravdess
from sertk.corpora.scan import summary

# Name -> function of a folder (and options) that returns a manifest. A new corpus is a file and a line here.
READERS = {
    "csv": read_csv,
    "folders": read_folders,
    "ravdess": read_ravdess,
    "synthetic": read_synthetic,
}


def load(name, directory, **options):
    """Reads a corpus into a manifest: a pandas DataFrame with one row a clip.

    Columns: `path` (absolute), `emotion` (the canonical word), `speaker`, `gender`, `corpus`, and where known
    `statement`, `intensity`, `session`, `language` and `duration` in seconds; all text but the last. What is unknown is
    NA. Rows are ordered by relative path, whatever the machine. A file that is no clip of the corpus is never passed
    over in silence: one UserWarning sums them up, and `manifest.attrs["skipped"]` lists each with its path and reason.

    Args:
        name: the corpus' reader: "ravdess", "csv" (a table of your own clips), "folders" (a folder for each emotion)
            or "synthetic".
        directory: the folder of the corpus; for "csv" also the CSV file itself.
        **options: the reader's own, such as `song=True` of "ravdess"; see `help(READERS[name])`.

    Returns:
        The manifest.

    Raises:
        FileNotFoundError: if `directory` does not exist.
        ValueError: if the name or an option is unknown, or the folder holds no clip of the corpus.

    Example:
        >>> load("ravdess", "corpora/ravdess-16k").groupby("gender").size()
        gender
        female    720
        male      720
    """
    if not isinstance(name, str) or name not in READERS:
        raise ValueError(f"`name` must be one of {', '.join(map(repr, sorted(READERS)))}. Received: name={name!r}")
    reader = READERS[name]
    known = [option for option in inspect.signature(reader).parameters if option != "directory"]
    unknown = {option: value for option, value in options.items() if option not in known}
    if unknown:
        allowed = f"the options {', '.join(known)}" if known else "no options"
        raise ValueError(f"`options`: the reader {name!r} takes {allowed}. Received: {unknown}")
    manifest = reader(directory, **options)
    if skipped := manifest.attrs["skipped"]:
        message = f'{name}: left out {summary(skipped)}. The full list is in manifest.attrs["skipped"].'
        warnings.warn(message, UserWarning, stacklevel=2)
    return manifest
