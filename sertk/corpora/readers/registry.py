"""The door to all corpora: one reader each, by name."""

import inspect
import warnings

from sertk.corpora.readers import children, crema_d, demos, emo_db, emovo, iemocap, ravdess, savee, tess
from sertk.corpora.readers.generic import read_csv, read_folders, read_synthetic
from sertk.corpora.readers.scan import summary

# Name -> function of a folder (and options) that returns a manifest. A new corpus is a file and a line here.
READERS = {
    "children": children.read_children,
    "crema_d": crema_d.read_crema_d,
    "csv": read_csv,
    "demos": demos.read_demos,
    "emo_db": emo_db.read_emo_db,
    "emovo": emovo.read_emovo,
    "folders": read_folders,
    "iemocap": iemocap.read_iemocap,
    "ravdess": ravdess.read_ravdess,
    "ravdess_song": ravdess.read_ravdess_song,
    "savee": savee.read_savee,
    "synthetic": read_synthetic,
    "tess": tess.read_tess,
}
# Name -> what its makers say that it holds; one's own corpora have no such facts.
OFFICIAL = {
    "children": children.OFFICIAL,
    "crema_d": crema_d.OFFICIAL,
    "demos": demos.OFFICIAL,
    "emo_db": emo_db.OFFICIAL,
    "emovo": emovo.OFFICIAL,
    "iemocap": iemocap.OFFICIAL,
    "ravdess": ravdess.OFFICIAL,
    "ravdess_song": ravdess.OFFICIAL_SONG,
    "savee": savee.OFFICIAL,
    "tess": tess.OFFICIAL,
}


def load(name, directory, **options):
    """Reads a corpus into a manifest: a pandas DataFrame with one row a clip.

    Columns: `path` (absolute), `emotion` (the canonical word), `speaker`, `gender`, `corpus`, and where known
    `statement`, `intensity`, `session`, `language` and `duration` in seconds; all text but the last. What is
    unknown is NA. Rows are ordered by relative path, whatever the machine.

    A file that is no clip of the corpus is not left out in silence: one UserWarning sums them up, and
    `manifest.attrs["skipped"]` lists each with its `path`, its `reason` and its `kind`: "bad" where the sound of a
    clip can't be had, "aside" where there is nothing wrong, as with a second copy, else "unknown". Passed over is
    only what nobody takes for a clip: hidden files and folders (.x, __MACOSX), texts, tables, images, code, what is
    called README, LICENSE and the like and is no audio file, and a corpus' own transcripts, videos and whole dialogues.

    Args:
        name: the corpus' reader, one of `READERS`: "ravdess", "crema_d" and so on, "csv" (a table of your own
            clips), "folders" (a folder for each emotion) or "synthetic". Case and "-" for "_" do not matter.
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
    name = reader_name(name)
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


def reader_name(name):
    """A reader's name as `READERS` has it; refuses what is none."""
    known = name.lower().replace("-", "_") if isinstance(name, str) else None
    if known not in READERS:
        raise ValueError(f"`name` must be one of {', '.join(map(repr, sorted(READERS)))}. Received: name={name!r}")
    return known
