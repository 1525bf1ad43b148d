"""EMO-DB, the Berlin Database of Emotional Speech."""

from sertk.corpora.readers.names import parse
from sertk.corpora.readers.official import Official
from sertk.corpora.readers.scan import Skip, read_folder

# The letter of the German word: Ärger (Wut), Langeweile, Ekel, Angst, Freude, Trauer, neutral.
EMOTIONS = {
    "w": "angry",
    "l": "boredom",
    "e": "disgust",
    "a": "fear",
    "f": "happy",
    "t": "sad",
    "n": "neutral",
}
SENTENCES = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute Abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}
SPEAKERS = {"03": 49, "08": 58, "09": 43, "10": 38, "11": 55, "12": 35, "13": 61, "14": 69, "15": 56, "16": 71}
WOMEN = frozenset({"08", "09", "13", "14", "16"})
FORM = (
    rf"(?P<speaker>{'|'.join(SPEAKERS)})(?P<sentence>{'|'.join(SENTENCES)})(?P<emotion>[{''.join(EMOTIONS)}])"
    r"(?P<version>[a-z])"
)

OFFICIAL = Official(
    title="EMO-DB, Berlin Database of Emotional Speech",
    language="de",
    licence="free to use; no formal licence is stated",
    source="http://emodb.bilderbar.info/",
    clips=535,
    speakers=10,
    emotions={"angry": 127, "boredom": 81, "disgust": 46, "fear": 69, "happy": 71, "neutral": 79, "sad": 62},
    by_speaker=SPEAKERS,
)


def read_emo_db(directory):
    """Reads EMO-DB: ten German actors speak ten sentences in seven emotions.

    535 clips of five women and five men, 35 to 71 an actor; only what listeners recognised and found natural was
    published: 127 angry, 81 of boredom, 46 of disgust, 69 of fear, 71 happy, 79 neutral, 62 sad. A file name is
    speaker, sentence, emotion and version: `03a01Fa.wav`.

    Args:
        directory: the folder `wav`, or any folder above it.

    Returns:
        The manifest, with `statement`.

    Source: Burkhardt, Paeschke, Rolfes, Sendlmeier and Weiss (2005), Proc. Interspeech; http://emodb.bilderbar.info/.
    """
    return read_folder(directory, _describe, "emo_db", beside=r"(?i).*\.(lablaut|labsilb)", language="de")


def _describe(path):
    name = parse(FORM, path.stem)
    if not name:
        raise Skip("the name is not of the form 03a01Fa")
    return {
        "clip": name.group("speaker", "sentence", "emotion", "version"),
        "emotion": EMOTIONS[name["emotion"]],
        "speaker": name["speaker"],
        "gender": "female" if name["speaker"] in WOMEN else "male",
        "statement": SENTENCES[name["sentence"]],
    }
