"""TESS, the Toronto Emotional Speech Set."""

from sertk.corpora.readers.names import parse
from sertk.corpora.readers.official import Official
from sertk.corpora.readers.scan import Skip, read_folder

EMOTIONS = {
    "angry": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "ps": "surprise",
    "sad": "sad",
}
SPEAKERS = ("OAF", "YAF")
FORM = rf"(?P<speaker>oaf|yaf|oa)_(?P<word>[a-z]+)_(?P<emotion>{'|'.join(EMOTIONS)})"

OFFICIAL = Official(
    title="TESS, Toronto Emotional Speech Set",
    language="en",
    licence="CC BY-NC-ND 4.0",
    source="https://doi.org/10.5683/SP2/E8H2MF",
    clips=2800,
    speakers=2,
    emotions=dict.fromkeys(EMOTIONS.values(), 400),
    by_speaker=dict.fromkeys(SPEAKERS, 1400),
)


def read_tess(directory):
    """Reads TESS: two women say 200 words, each in the sentence "Say the word ...", in seven emotions.

    2,800 clips: 200 of each woman and emotion. OAF, the older one, was 64 years old, YAF, the younger one, 26. A
    file name is speaker, word and emotion, `ps` being pleasant surprise: `OAF_back_angry.wav`. One published file
    lacks a letter and is read as what it is: `OA_bite_neutral.wav`. The copy on Kaggle holds every clip twice: the
    second one is listed as a duplicate. With two speakers, no split by speaker has three parts.

    Args:
        directory: the folder of `OAF_angry` and the others, or any folder above it.

    Returns:
        The manifest, with `statement`.

    Source: Pichora-Fuller and Dupuis (2020), https://doi.org/10.5683/SP2/E8H2MF; licence CC BY-NC-ND 4.0,
        non-commercial use only.
    """
    return read_folder(directory, _describe, "tess", language="en", gender="female")


def _describe(path):
    name = parse(FORM, path.stem)
    if not name or (name["speaker"] == "oa" and (name["word"], name["emotion"]) != ("bite", "neutral")):
        raise Skip("the name is not of the form OAF_back_angry")
    speaker = "YAF" if name["speaker"] == "yaf" else "OAF"
    return {
        "clip": (speaker, name["word"], name["emotion"]),
        "emotion": EMOTIONS[name["emotion"]],
        "speaker": speaker,
        "statement": f"Say the word {name['word']}",
    }
