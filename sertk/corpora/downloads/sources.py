"""Where the corpora are that may be fetched, and how to ask for the others."""

from dataclasses import dataclass

from sertk.corpora.downloads.listings import dataverse, lfs
from sertk.corpora.downloads.remote import Remote
from sertk.corpora.readers.registry import OFFICIAL

CREMA_D = "https://github.com/CheyneyComputerScience/CREMA-D"


@dataclass(frozen=True)
class Source:
    """Where a corpus is.

    Args:
        archives: tuple of `Remote`, archives that make the corpus when unpacked. Defaults to none.
        files: function that lists the corpus' files, of one that comes clip by clip. Defaults to None.
    """

    archives: tuple = ()
    files: object = None


def zenodo(record, name, md5, size):
    """A file of a Zenodo record; both numbers are those of the record's page."""
    url = f"https://zenodo.org/records/{record}/files/{name}?download=1"
    return Remote(name, (url,), f"https://zenodo.org/records/{record}", f"md5:{md5}", size)


SOURCES = {
    "children": Source(
        # Of its size only a rounded number is known, 607.5 MB.
        (zenodo(200495, "english_children.zip", "1a4fd6116554593324a0a493e44a1eea", None),)
    ),
    # The makers' page says to take the mirror where GitHub gives no more of the large files.
    "crema_d": Source(
        files=lfs(
            f"{CREMA_D}/archive/refs/tags/v1.0.zip",
            "AudioWAV",
            (
                "https://media.githubusercontent.com/media/CheyneyComputerScience/CREMA-D/v1.0/AudioWAV/",
                "https://gitlab.com/cs-cooper-lab/crema-d-mirror/-/raw/main/AudioWAV/",
            ),
        )
    ),
    # Version 1.3.0 by one of its makers: the same 535 clips as on emodb.bilderbar.info, which tells no checksum.
    "emo_db": Source((zenodo(7447302, "emodb.zip", "9d21362dbc5676ef3ab4745d83ced0db", 39_981_818),)),
    "ravdess": Source(
        (zenodo(1188976, "Audio_Speech_Actors_01-24.zip", "bc696df654c87fed845eb13823edef8a", 208_468_073),)
    ),
    "ravdess_song": Source(
        (zenodo(1188976, "Audio_Song_Actors_01-24.zip", "5411230427d67a21e18aa4d466e6d1b9", 225_505_317),)
    ),
    "tess": Source(files=dataverse("https://borealisdata.ca", "10.5683/SP2/E8H2MF")),
}

ON_REQUEST = {
    "demos": "send a request on https://zenodo.org/records/2544829 with its End User License Agreement, signed by a "
    "person with a permanent position at a university, from the institution's e-mail address",
    "emovo": f"no stable source of it is known: ask its authors, who are named in {OFFICIAL['emovo'].source}; their "
    "page was http://voice.fub.it/activities/corpora/emovo/index.html",
    "iemocap": "fill in the release form on https://sail.usc.edu/iemocap/iemocap_release.htm; USC SAIL answers by mail",
    "savee": f"register on https://cvssp.org/savee/Register.html; the database's page is {OFFICIAL['savee'].source}",
}
