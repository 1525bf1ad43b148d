"""IEMOCAP, the Interactive Emotional Dyadic Motion Capture database."""

import re
from dataclasses import dataclass
from functools import partial

from sertk.corpora.readers.names import parse
from sertk.corpora.readers.official import Official
from sertk.corpora.readers.scan import Skip, existing_folder, files_of, left_out, read_folder

EMOTIONS = {
    "ang": "angry",
    "dis": "disgust",
    "exc": "excited",
    "fea": "fear",
    "fru": "frustrated",
    "hap": "happy",
    "neu": "neutral",
    "oth": "other",
    "sad": "sad",
    "sur": "surprise",
    "xxx": "undecided",
}
SPEAKERS = tuple(f"Ses0{session}{gender}" for session in range(1, 6) for gender in "FM")
# The letter after Ses01 says who of the two wore the markers; the one before the number says who speaks.
FORM = r"(?P<turn>ses0(?P<session>[1-5])[fm]_(?P<style>impro|script)[0-9a-z_]*?_(?P<gender>[fm])[0-9]{3})"
LABEL_FILE = re.compile(r"(?i)Ses0[1-5][FM]_(impro|script)[0-9]{2}(_[0-9])?[a-z]?\.txt")
# [6.2901 - 8.2357]	Ses01F_impro01_F000	neu	[2.5000, 2.5000, 2.5000]
NUMBER = r"\s*(-?[0-9.]+)\s*"
LABEL = re.compile(rf"\[[^\]]*\]\s+(\S+)\s+(\S+)\s+\[{NUMBER},{NUMBER},{NUMBER}\]\s*")
# Whole dialogues, videos, motion capture, alignments.
BESIDE = r"(?i)(.*/)?(dialog|ForcedAlignment|MOCAP_[^/]+|Documentation)/.*"

OFFICIAL = Official(
    title="IEMOCAP, Interactive Emotional Dyadic Motion Capture",
    language="en",
    licence="for research, on request",
    source="https://sail.usc.edu/iemocap/",
    clips=10_039,
    speakers=10,
    emotions={
        "angry": 1103,
        "disgust": 2,
        "excited": 1041,
        "fear": 40,
        "frustrated": 1849,
        "happy": 595,
        "neutral": 1708,
        "other": 3,
        "sad": 1084,
        "surprise": 107,
        "undecided": 2507,
    },
    by_speaker=dict.fromkeys(SPEAKERS),
)


@dataclass(frozen=True)
class Label:
    """What a label file says of a turn, and which file that is."""

    emotion: str
    dimensions: tuple
    file: str


def read_iemocap(directory):
    """Reads IEMOCAP: ten actors in five sessions of two, scripted and improvised dialogues, labelled turn by turn.

    10,039 turns, each with the label that most of its annotators gave: 1,849 frustrated, 1,708 neutral, 1,103
    angry, 1,084 sad, 1,041 excited, 595 happy, 107 surprise, 40 fear, 3 other, 2 disgust; on 2,507 there was no
    majority (`xxx`): their emotion is "undecided". The label map "iemocap-four" makes of it the usual four classes
    of 5,531 turns, and drops the rest.

    The labels stand in `SessionN/dialog/EmoEvaluation/Ses*.txt`, wherever below `directory` these files are, the
    sound in files named after the turn: `Ses01F_impro01_M003.wav`, spoken by the man of session 1. A sound file
    without a label, a label without a sound file, a line that can't be read, and a turn on which two label files
    disagree are listed as skipped.

    Args:
        directory: the folder of `Session1` to `Session5`, or any folder above it.

    Returns:
        The manifest, with `session` ("1" to "5") and the further columns `style` ("improvised" or "scripted"),
        `valence`, `activation` and `dominance` (means over the annotators, 1 to 5, where given).

    Raises:
        ValueError: if there is no label file.

    Source: Busso, Bulut, Lee, Kazemzadeh, Mower, Kim, Chang, Lee and Narayanan (2008), Language Resources and
        Evaluation 42(4); https://sail.usc.edu/iemocap/; for research, on request.
    """
    folder = existing_folder(directory)
    labels, unreadable = _labels(folder)
    if not labels:
        raise ValueError(
            "`directory` must hold IEMOCAP's label files, SessionN/dialog/EmoEvaluation/Ses*.txt, beside the sound; "
            f"give the folder above both. Received: directory={str(directory)!r}"
        )
    manifest = read_folder(directory, partial(_describe, labels=labels), "iemocap", beside=BESIDE, language="en")
    skipped = manifest.attrs["skipped"]
    with_sound = {_turn(path) for path in (*manifest["path"], *(entry["path"] for entry in skipped))}
    silent = [
        left_out(folder / each[0].file, Skip(f"{turn} is labelled, and there is no sound file of that name"))
        for turn, each in sorted(labels.items())
        if turn.lower() not in with_sound
    ]
    manifest.attrs["skipped"] = sorted([*skipped, *unreadable, *silent], key=lambda entry: entry["path"])
    return manifest


def _labels(folder):
    """All labels, {turn in lower case: its labels, more than one if files disagree}; and the lines left out."""
    labels, unreadable = {}, []
    for path in sorted(path for path in files_of(folder) if LABEL_FILE.fullmatch(path.name)):
        lines = (folder / path).read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            if not line.startswith("["):  # the header, what each annotator said, blank lines
                continue
            label = LABEL.fullmatch(line)
            if not label or label[2].lower() not in EMOTIONS:
                reason = Skip(f"line {number} is no label that IEMOCAP has: {line[:80]!r}")
                unreadable.append(left_out(folder / path, reason))
                continue
            turn, emotion, *dimensions = label.groups()
            found = Label(EMOTIONS[emotion.lower()], tuple(dimensions), path.as_posix())
            known = labels.setdefault(turn.lower(), [])
            if all((found.emotion, found.dimensions) != (other.emotion, other.dimensions) for other in known):
                known.append(found)
    return labels, unreadable


def _describe(path, labels):
    name = parse(FORM, path.stem)
    if not name:
        raise Skip("the name is not of the form Ses01F_impro01_M003")
    found = labels.get(name["turn"])
    if not found:
        raise Skip("no label file has this turn")
    if len(found) > 1:
        raise Skip(f"two label files disagree: {found[0].file} and {found[1].file}")
    dimensions = dict(zip(("valence", "activation", "dominance"), map(_number, found[0].dimensions), strict=True))
    return {
        "clip": name["turn"],
        "emotion": found[0].emotion,
        "speaker": f"Ses0{name['session']}{name['gender'].upper()}",
        "gender": "female" if name["gender"] == "f" else "male",
        "session": name["session"],
        "style": {"impro": "improvised", "script": "scripted"}[name["style"]],
        **dimensions,
    }


def _turn(path):
    name = parse(FORM, re.sub(r".*[/\\]|\.[^.]*$", "", path))
    return name["turn"] if name else None


def _number(text):
    try:
        return float(text)
    except ValueError:
        return float("nan")
