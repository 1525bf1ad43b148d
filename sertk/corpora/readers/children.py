"""The recordings of young children for child speech recognition in human-robot interaction."""

import re

import pandas as pd

from sertk.corpora.readers.official import Official
from sertk.corpora.readers.scan import Skip, read_folder

CHILD = re.compile(r"(?i)(?P<number>[0-9]{2})_(?P<gender>[FM])_(?P<native>native|nonNative)")
MICROPHONE = re.compile(r"(?i)(studio|port|nao)(_mic)?")
MICROPHONES = {"studio": "studio", "port": "portable", "nao": "robot"}

OFFICIAL = Official(
    title="Children speech recording (English, spontaneous speech and pre-defined sentences)",
    language="en",
    licence="CC BY 4.0",
    source="https://zenodo.org/records/200495",
    clips=672,
    speakers=11,
)


def read_children(directory):
    """Reads the Zenodo children's speech: eleven children of about five count, say sentences and retell a story.

    672 files of 5 girls and 6 boys (mean age 4.9 years), recorded in a school by a studio microphone, a portable
    one and the NAO robot's. Nobody labelled emotions: `emotion` is NA, so the clips serve for learning without
    labels and for prediction, and a split or a label map refuses them. A child is a folder, number, gender and
    whether English is its first language: `english_words_sentences/01_M_native/studio_mic/numbers/one.wav`. The
    cut sentences of the free speech (`english_free_speech/files_cut_by_sentences`) are also part of its whole
    recordings (`files_in_one_part`), and what was said into several microphones is there several times: keep the
    children apart, not the files. A file outside a child's folder is listed as skipped.

    Args:
        directory: the folder `english_children`, or any folder above or in it that holds the children's folders.

    Returns:
        The manifest, with emotion NA, `statement` where the file's name has it, and the further columns `native`
        ("yes" or "no") and `microphone` ("studio", "portable", "robot" or NA).

    Source: Kennedy, Lemaignan, Montassier, Lavalade, Irfan, Papadopoulos, Senft and Belpaeme (2017), Proc. HRI;
        https://zenodo.org/records/200495; licence CC BY 4.0.
    """
    return read_folder(directory, _describe, "children", beside=r"(?i).*\.trn", language="en")


def _describe(path):
    folders = [CHILD.fullmatch(folder) for folder in path.parts[:-1]]
    children = [child for child in folders if child]
    if len(children) != 1:
        raise Skip("not in the folder of one child, such as 01_M_native")
    (child,) = children
    heard = [MICROPHONE.fullmatch(part) for part in (*path.parts[:-1], path.stem)]
    heard = [microphone[1].lower() for microphone in heard if microphone]
    # A whole recording is called after its microphone; every other file after what is said in it.
    whole = MICROPHONE.fullmatch(path.stem) is not None
    return {
        "emotion": pd.NA,
        "speaker": child["number"],
        "gender": "female" if child["gender"].upper() == "F" else "male",
        "statement": pd.NA if whole else " ".join(path.stem.replace("_", " ").split()),
        "native": "yes" if child["native"].lower() == "native" else "no",
        "microphone": MICROPHONES[heard[-1]] if heard else pd.NA,
    }
