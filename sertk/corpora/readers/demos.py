"""DEMoS, the Database of Elicited Mood in Speech."""

from sertk.corpora.readers.names import parse
from sertk.corpora.readers.official import Official
from sertk.corpora.readers.scan import Skip, read_folder

EMOTIONS = {
    "col": "guilt",
    "dis": "disgust",
    "gio": "happy",
    "neu": "neutral",
    "pau": "fear",
    "rab": "angry",
    "sor": "surprise",
    "tri": "sad",
}
PROTOTYPICAL = {"pr": "prototypical", "np": "non-prototypical"}
FORM = (
    r"(?:(?P<kind>pr|np)_)?(?P<gender>[fm])_(?P<speaker>[0-9]{2})_"
    rf"(?P<emotion>{'|'.join(EMOTIONS)})(?P<item>[0-9]{{2,3}}[a-z]?)"
)

OFFICIAL = Official(
    title="DEMoS, Database of Elicited Mood in Speech",
    language="it",
    licence="for research, on request",
    source="https://zenodo.org/records/2544829",
    clips=9697,
    speakers=68,
    emotions={
        "angry": 1477,
        "disgust": 1678,
        "fear": 1156,
        "guilt": 1129,
        "happy": 1395,
        "neutral": 332,
        "sad": 1530,
        "surprise": 1000,
    },
)


def read_demos(directory):
    """Reads DEMoS: 68 Italian students in whom seven emotions were elicited.

    9,365 emotional and 332 neutral clips of 45 men and 23 women, from 1,000 of surprise to 1,678 of disgust. A
    file name is PR or NP (prototypical for its emotion or not; neutral clips have neither), gender, speaker,
    emotion (colpa, disgusto, gioia, neutro, paura, rabbia, sorpresa, tristezza), a number and a letter:
    `PR_f_01_col07b.wav`, `NP_m_12_rab03a.wav`.

    The naming is that of the corpus' legend; what number and letter count, and the clips of each speaker, are not
    published there.

    Args:
        directory: the folder of `DEMOS` and `NEU`, or any folder above it.

    Returns:
        The manifest, with the further column `typicality`: "prototypical", "non-prototypical" or NA.

    Source: Parada-Cabaleiro, Costantini, Batliner, Schmitt and Schuller (2020), Language Resources and Evaluation
        54; https://zenodo.org/records/2544829; for research, on request. Clips by emotion: table 2 of paper 003.
    """
    return read_folder(directory, _describe, "demos", language="it")


def _describe(path):
    name = parse(FORM, path.stem)
    if not name:
        raise Skip("the name is not of the form PR_f_01_col07b, or f_01_neu07b for a neutral clip")
    return {
        "clip": name.group("kind", "gender", "speaker", "emotion", "item"),
        "emotion": EMOTIONS[name["emotion"]],
        "speaker": name["speaker"],
        "gender": "female" if name["gender"] == "f" else "male",
        "typicality": PROTOTYPICAL.get(name["kind"]),
    }
