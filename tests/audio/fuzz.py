"""Reads thousands of damaged files, and says what came of it; run by test_fuzz.py in a process of its own.

    python fuzz.py FOLDER CASES SEED

Before each case its description is printed, and the file stays in FOLDER until the next one: a crash or a hang leaves
the culprit there. The last line is a JSON object of counts and failures.
"""

import collections
import json
import os
import random
import resource
import signal
import sys
from pathlib import Path

import numpy as np
import soundfile

from sertk.audio.decode import read

MEMORY = 64 * 2**20
SECONDS = 5
HEAD = 160
KINDS = [
    *(("WAV", subtype, channels) for subtype in ("PCM_16", "PCM_24", "FLOAT", "ULAW") for channels in (1, 2)),
    *(("WAV", subtype, 1) for subtype in ("PCM_U8", "DOUBLE", "IMA_ADPCM", "MS_ADPCM", "GSM610", "G721_32")),
    *((container, "PCM_16", channels) for container in ("WAVEX", "RF64", "W64") for channels in (1, 2)),
    *(("AIFF", subtype, channels) for subtype in ("PCM_16", "PCM_24", "FLOAT") for channels in (1, 2)),
    *(("FLAC", subtype, channels) for subtype in ("PCM_16", "PCM_24") for channels in (1, 2)),
    *(("OGG", subtype, channels) for subtype in ("VORBIS", "OPUS") for channels in (1, 2)),
    *(("MP3", "MPEG_LAYER_III", channels) for channels in (1, 2)),
    *(("CAF", subtype, 1) for subtype in ("PCM_16", "ALAC_16")),
    *(("AU", subtype, 1) for subtype in ("PCM_16", "FLOAT")),
    *(("NIST", subtype, channels) for subtype in ("PCM_16", "ULAW") for channels in (1, 2)),
]
SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".aiff", ".au", ".gsm", "")


def originals(folder):
    """The bytes of a short clip in every kind of file."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (700, 2))
    for container, subtype, channels in KINDS:
        path = folder / "original"
        soundfile.write(path, noise[:, :channels], 16_000, format=container, subtype=subtype)
        yield f"{container}/{subtype}/{channels}", path.read_bytes()


def damage(content, others, chance):
    """Changes a file in one of the ways in which files are changed, and says how."""
    content = bytearray(content)
    place = chance.randrange(min(len(content), HEAD)) if chance.random() < 0.8 else chance.randrange(len(content))
    what = chance.choice(
        ("byte", "bit", "field", "field", "field", "cut", "insert", "repeat", "remove", "swap", "join")
    )
    if what == "byte":
        content[place] = chance.randrange(256)
    elif what == "bit":
        content[place] ^= 1 << chance.randrange(8)
    elif what == "field":
        width = chance.choice((1, 2, 4, 8))
        top = 1 << 8 * width
        value = chance.choice((0, 1, 2, top - 1, top - 2, top // 2, top // 2 - 1, len(content), len(content) + 1))
        place -= place % 2
        content[place : place + width] = (value % top).to_bytes(width, chance.choice(("little", "big")))
    elif what == "cut":
        del content[chance.choice((place, chance.randrange(len(content)))) :]
    elif what == "insert":
        content[place:place] = chance.randbytes(chance.randrange(1, 40))
    elif what == "repeat":
        content[place:place] = content[place : place + chance.randrange(1, 64)] * chance.choice((1, 2, 300))
    elif what == "remove":
        del content[place : place + chance.randrange(1, 40)]
    elif what == "swap":
        other, length = chance.randrange(len(content)), chance.randrange(1, 40)
        first, second = content[place : place + length], content[other : other + length]
        content[place : place + len(second)] = second
        content[other : other + len(first)] = first
    elif what == "join":
        content[place:] = chance.choice(others)[chance.randrange(HEAD) :]
    return bytes(content or b"\0"), f"{what}@{place}"


def outcome(path):
    """What became of a file, "waveform" or "refused"; anything else is a failure, in words."""
    try:
        waveform = read(path)
    except ValueError as error:
        message = str(error)
        return "refused" if message.startswith(f"{path}: ") and "\n" not in message else f"message: {message!r}"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    if waveform.dtype != np.float32 or waveform.ndim != 1 or not len(waveform) or not np.isfinite(waveform).all():
        return f"a waveform of {waveform.dtype}, {waveform.shape}, that is not finite or no waveform"
    return "waveform"


def main(folder, cases, seed):
    folder = Path(folder)
    files = dict(originals(folder))
    counts, failures = collections.Counter(), []
    for name, content in files.items():
        path = folder / "whole.wav"
        path.write_bytes(content)
        if (found := outcome(path)) != "waveform":
            failures.append(f"{name}, undamaged: {found}")
    # A hang ends the process, for no Python code runs while a decoder does.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))
    for case in range(cases):
        chance = random.Random(f"{seed}/{case}")
        name, content = chance.choice(list(files.items()))
        done = []
        for _ in range(chance.choice((1, 1, 2, 4))):
            content, how = damage(content, list(files.values()), chance)
            done.append(how)
        description = f"case {case} of seed {seed}: {name} {' '.join(done)}"
        os.write(1, f"{description}\n".encode())
        path = folder / f"case{chance.choice(SUFFIXES)}"
        path.write_bytes(content)
        signal.alarm(SECONDS)
        found = outcome(path)
        signal.alarm(0)
        path.unlink()
        if found in ("waveform", "refused"):
            counts[found] += 1
            counts[f"{name} {found}"] += 1
        else:
            failures.append(f"{description}: {found}")
    print(json.dumps({"counts": counts, "failures": failures}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
