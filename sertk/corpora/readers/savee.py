"""SAVEE, the Surrey Audio-Visual Expressed Emotion database."""

from sertk.corpora.readers.names import parse
from sertk.corpora.readers.official import Official
from sertk.corpora.readers.scan import Skip, read_folder

EMOTIONS = {
    "a": "angry",
    "d": "disgust",
    "f": "fear",
    "h": "happy",
    "n": "neutral",
    "sa": "sad",
    "su": "surprise",
}
SPEAKERS = ("DC", "JE", "JK", "KL")
FORM = r"(?:(?P<speaker>dc|je|jk|kl)_?)?(?P<emotion>sa|su|[adfhn])(?P<number>[0-9]{2})"

OFFICIAL = Official(
    title="SAVEE, Surrey Audio-Visual Expressed Emotion",
    language="en",
    licence="for research, after registration",
    source="http://kahlan.eps.surrey.ac.uk/savee/",
    clips=480,
    speakers=4,
    emotions={emotion: 120 if emotion == "neutral" else 60 for emotion in EMOTIONS.values()},
    by_speaker=dict.fromkeys(SPEAKERS, 120),
)


def read_savee(directory):
    """Reads SAVEE: four Englishmen speak TIMIT sentences in seven emotions.

    480 clips, 120 of each man: 15 of each emotion and 30 neutral ones. As published, the speaker is the folder and
    the file name is emotion (a, d, f, h, n, sa, su) and number: `DC/sa05.wav`. In the copies on Kaggle both are in
    the name: `DC_sa05.wav`. A file that does not tell its speaker, or whose folder and name tell two, is listed as
    skipped.

    Args:
        directory: the folder `AudioData`, or any folder above it.

    Returns:
        The manifest.

    Source: Haq and Jackson (2009), Proc. AVSP; Haq and Jackson (2010), in Machine Audition;
        http://kahlan.eps.surrey.ac.uk/savee/; free for research, after registration.
    """
    return read_folder(directory, _describe, "savee", beside=r"(?i).*\.avi", language="en", gender="male")


def _describe(path):
    name = parse(FORM, path.stem)
    if not name or not 1 <= int(name["number"]) <= (30 if name["emotion"] == "n" else 15):
        raise Skip("the name is not of the form sa05 or DC_sa05, with a number from 1 to 15, neutral to 30")
    folders = [folder.upper() for folder in path.parts[:-1] if folder.upper() in SPEAKERS]
    speakers = {*folders[-1:], *([name["speaker"].upper()] if name["speaker"] else [])}
    if len(speakers) != 1:
        told = f"two speakers, {' and '.join(sorted(speakers))}" if speakers else "no speaker"
        raise Skip(f"folder and name tell {told}; it should be one of {', '.join(SPEAKERS)}")
    speaker = speakers.pop()
    return {
        "clip": (speaker, name["emotion"], name["number"]),
        "emotion": EMOTIONS[name["emotion"]],
        "speaker": speaker,
    }
