"""CREMA-D, the Crowd-sourced Emotional Multimodal Actors Dataset."""

from sertk.corpora.readers.names import parse
from sertk.corpora.readers.official import Official
from sertk.corpora.readers.scan import Skip, read_folder

EMOTIONS = {"ang": "angry", "dis": "disgust", "fea": "fear", "hap": "happy", "neu": "neutral", "sad": "sad"}
INTENSITIES = {"lo": "low", "md": "medium", "hi": "high"}
SENTENCES = {
    "ieo": "It's eleven o'clock",
    "tie": "That is exactly what happened",
    "iom": "I'm on my way to the meeting",
    "iww": "I wonder what this is about",
    "tai": "The airplane is almost full",
    "mti": "Maybe tomorrow it will be cold",
    "iwl": "I would like a new alarm clock",
    "ith": "I think I have a doctor's appointment",
    "dfa": "Don't forget a jacket",
    "its": "I think I've seen this before",
    "tsi": "The surface is slick",
    "wsi": "We'll stop in a couple of minutes",
}
ACTORS = tuple(str(actor) for actor in range(1001, 1092))
# VideoDemographics.csv of the corpus; the others are men.
_WOMEN = """
    1002 1003 1004 1006 1007 1008 1009 1010 1012 1013 1018 1020 1021 1024 1025 1028 1029 1030 1037 1043 1046 1047
    1049 1052 1053 1054 1055 1056 1058 1060 1061 1063 1072 1073 1074 1075 1076 1078 1079 1082 1084 1089 1091
"""
WOMEN = frozenset(_WOMEN.split())
# "x" is 1040_ITH_SAD_X.wav, which lacks a letter in the published corpus.
FORM = (
    rf"(?P<actor>10[0-9]{{2}})_(?P<sentence>{'|'.join(SENTENCES)})_(?P<emotion>{'|'.join(EMOTIONS)})"
    r"_(?P<intensity>lo|md|hi|xx?)"
)
# The videos and the R scripts of the corpus' own repository.
BESIDE = r"(?i)(.*/)?(VideoFlash|processedResults|finishedResponses[^/]*)/.*|.*\.(flv|rdata)"

OFFICIAL = Official(
    title="CREMA-D, Crowd-sourced Emotional Multimodal Actors Dataset",
    language="en",
    licence="ODbL 1.0, contents DbCL 1.0",
    source="https://github.com/CheyneyComputerScience/CREMA-D",
    clips=7442,
    speakers=91,
    emotions={"angry": 1271, "disgust": 1271, "fear": 1271, "happy": 1271, "neutral": 1087, "sad": 1271},
    by_speaker=dict.fromkeys(ACTORS),
)


def read_crema_d(directory):
    """Reads CREMA-D: 91 North American actors speak twelve sentences in six emotions.

    7,442 clips of 48 men and 43 women aged 20 to 74: 1,271 of each emotion and 1,087 neutral ones, at most 82 an
    actor. A file name is actor, sentence, emotion and intensity: `1001_DFA_ANG_XX.wav`. The intensity is LO, MD or
    HI for the sentence IEO and XX, unspecified, for the others. The emotion is the one that was acted; what
    listeners heard in it is not read. The corpus' repository holds each clip as MP3 too: where both are there, the
    WAV file is read.

    Args:
        directory: the folder `AudioWAV`, or any folder above it.

    Returns:
        The manifest, with `statement` and, where specified, `intensity`: "low", "medium" or "high".

    Source: Cao, Cooper, Keutmann, Gur, Nenkova and Verma (2014), IEEE Transactions on Affective Computing 5(4);
        https://github.com/CheyneyComputerScience/CREMA-D; Open Database License 1.0.
    """
    return read_folder(directory, _describe, "crema_d", beside=BESIDE, language="en")


def _describe(path):
    name = parse(FORM, path.stem)
    if not name or name["actor"] not in ACTORS:
        raise Skip("the name is not of the form 1001_DFA_ANG_XX, with an actor from 1001 to 1091")
    return {
        "clip": (name["actor"], name["sentence"], name["emotion"], name["intensity"][0]),
        "emotion": EMOTIONS[name["emotion"]],
        "speaker": name["actor"],
        "gender": "female" if name["actor"] in WOMEN else "male",
        "statement": SENTENCES[name["sentence"]],
        "intensity": INTENSITIES.get(name["intensity"]),
    }
