"""RAVDESS, the Ryerson Audio-Visual Database of Emotional Speech and Song."""

from functools import partial

from sertk.corpora.readers.names import parse
from sertk.corpora.readers.official import Official
from sertk.corpora.readers.scan import Aside, Skip, read_folder

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
AUDIO_ONLY, SPEECH, SONG = "03", "01", "02"
CHANNELS = {SPEECH: "speech", SONG: "song"}
FORM = (
    r"(?P<modality>0[1-3])_(?P<channel>0[12])_(?P<emotion>0[1-8])_(?P<intensity>0[12])"
    r"_(?P<statement>0[12])_(?P<repetition>0[12])_(?P<actor>0[1-9]|1[0-9]|2[0-4])"
)
ACTORS = tuple(f"{actor:02d}" for actor in range(1, 25))
# Actor 18 has no song.
SINGERS = tuple(actor for actor in ACTORS if actor != "18")

OFFICIAL = Official(
    title="RAVDESS, Ryerson Audio-Visual Database of Emotional Speech and Song: speech",
    language="en",
    licence="CC BY-NC-SA 4.0",
    source="https://zenodo.org/records/1188976",
    clips=1440,
    speakers=24,
    emotions={emotion: 96 if emotion == "neutral" else 192 for emotion in EMOTIONS.values()},
    by_speaker=dict.fromkeys(ACTORS, 60),
)
OFFICIAL_SONG = Official(
    title="RAVDESS: song",
    language="en",
    licence="CC BY-NC-SA 4.0",
    source="https://zenodo.org/records/1188976",
    clips=1012,
    speakers=23,
    emotions={"neutral": 92, **dict.fromkeys(("calm", "happy", "sad", "angry", "fear"), 184)},
    by_speaker=dict.fromkeys(SINGERS, 44),
)


def read_ravdess(directory, song=False):
    """Reads RAVDESS: 24 North American actors speak two sentences in eight emotions.

    The speech part holds 1,440 clips: 60 from each of 24 actors (odd numbers male, even female), 192 of each of
    seven emotions and 96 neutral ones, which have no strong version. A file name is seven numbers: modality (03
    audio only), vocal channel (01 speech, 02 song), emotion, intensity (01 normal, 02 strong), statement,
    repetition, actor; for example `03-01-06-01-02-01-12.wav`. Folders and case do not matter. The copy on Kaggle
    holds every clip twice: the second one is listed as a duplicate.

    Args:
        directory: the folder of `Actor_01` to `Actor_24`, or any folder above it.
        song: whether song clips are read too. Otherwise they are listed as skipped. Defaults to False.

    Returns:
        The manifest, with `statement`, `intensity` and the further column `channel`, "speech" or "song".

    Source: Livingstone and Russo (2018), PLoS ONE 13(5) e0196391; https://zenodo.org/records/1188976; licence
        CC BY-NC-SA 4.0, non-commercial use only.
    """
    return _read(directory, (SPEECH, SONG) if song else (SPEECH,))


def read_ravdess_song(directory):
    """Reads the song part of RAVDESS alone: 23 of the actors sing the two sentences in six emotions.

    1,012 clips: 44 from each actor but 18, who has none; 184 each of calm, happy, sad, angry and fear, 92 neutral
    ones. The names are those of `read_ravdess`, and so is the corpus' name, since the actors are the same: no
    split by speaker takes an actor who speaks for another one who sings. Speech clips in the folder are listed as
    skipped.

    Args:
        directory: the folder of `Actor_01` to `Actor_24`, or any folder above it.

    Returns:
        The manifest, with `statement`, `intensity` and the further column `channel`, "song".

    Source: as `read_ravdess`.
    """
    return _read(directory, (SONG,))


def _read(directory, channels):
    return read_folder(directory, partial(_describe, channels=channels), "ravdess", language="en")


def _describe(path, channels):
    name = parse(FORM, path.stem)
    if not name:
        raise Skip("the name is not of the form 03-01-06-01-02-01-12")
    if name["modality"] != AUDIO_ONLY:
        raise Aside(f"modality {name['modality']} is video; audio-only clips start with 03")
    if name["channel"] not in channels:
        raise Aside(
            "song, not speech; read it with song=True, or as 'ravdess_song'"
            if name["channel"] == SONG
            else "speech, not song; read it as 'ravdess'"
        )
    emotion, intensity = EMOTIONS[name["emotion"]], INTENSITIES[name["intensity"]]
    if emotion == "neutral" and intensity == "strong":
        raise Skip("RAVDESS has no strong neutral clip")
    return {
        "clip": name.groups(),
        "emotion": emotion,
        "speaker": name["actor"],
        "gender": "male" if int(name["actor"]) % 2 else "female",
        "statement": STATEMENTS[name["statement"]],
        "intensity": intensity,
        "channel": CHANNELS[name["channel"]],
    }
