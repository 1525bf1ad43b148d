"""RAVDESS, the Ryerson Audio-Visual Database of Emotional Speech and Song."""

import re
from functools import partial

from sertk.corpora.scan import Skip, read_folder

EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
INTENSITIES = {"01": "normal", "02": "strong"}
STATEMENTS = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
AUDIO_ONLY, SONG = "03", "02"
NAME = re.compile(
    r"(?P<modality>0[1-3])-(?P<channel>0[12])-(?P<emotion>0[1-8])-(?P<intensity>0[12])"
    r"-(?P<statement>0[12])-(?P<repetition>0[12])-(?P<actor>0[1-9]|1\d|2[0-4])"
)


def read_ravdess(directory, song=False):
    """Reads RAVDESS: 24 North American actors speak two sentences in eight emotions.

    The speech part holds 1,440 clips: 60 from each of 24 actors (odd numbers male, even female), 192 of each of seven
    emotions and 96 neutral ones, which have no strong version. A file name is seven numbers: modality (03 audio only),
    vocal channel (01 speech, 02 song), emotion, intensity (01 normal, 02 strong), statement, repetition, actor; for
    example `03-01-06-01-02-01-12.wav`. Folders and case do not matter. The copy on Kaggle holds every clip twice: the
    second one is listed as a duplicate.

    Args:
        directory: the folder of `Actor_01` to `Actor_24`, or any folder above it.
        song: whether song clips are read too; the manifest then has a column `channel` of "speech" and "song".
            Otherwise they are listed as skipped. Defaults to False.

    Returns:
        The manifest, with `statement` and `intensity`.

    Source: Livingstone and Russo (2018), PLoS ONE 13(5) e0196391; https://zenodo.org/records/1188976; licence
        CC BY-NC-SA 4.0, non-commercial use only.
    """
    return read_folder(directory, partial(_describe, song=song), "ravdess", unique_names=True, language="en")


def _describe(path, song):
    name = NAME.fullmatch(path.stem)
    if not name:
        raise Skip("the name is not of the form 03-01-06-01-02-01-12")
    if name["modality"] != AUDIO_ONLY:
        raise Skip(f"modality {name['modality']} is video; audio-only clips start with 03")
    if name["channel"] == SONG and not song:
        raise Skip("song, not speech; read it with song=True")
    emotion, intensity = EMOTIONS[name["emotion"]], INTENSITIES[name["intensity"]]
    if emotion == "neutral" and intensity == "strong":
        raise Skip("RAVDESS has no strong neutral clip")
    channel = {"channel": "song" if name["channel"] == SONG else "speech"} if song else {}
    return {
        "emotion": emotion,
        "speaker": name["actor"],
        "gender": "male" if int(name["actor"]) % 2 else "female",
        "statement": STATEMENTS[name["statement"]],
        "intensity": intensity,
        **channel,
    }
