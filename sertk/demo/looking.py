"""Everything that the page shows of a recording, without the page."""

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import keras
from PIL import Image

from sertk.audio import read
from sertk.evaluation.plots import plot_waveform_and_features
from sertk.features import LogMelSpectrogram
from sertk.inference import explain, plot_explanation, plot_timeline, summary, timeline
from sertk.inference.part import strongest

MAX_SECONDS = 120.0
HOP_LENGTH = 160


class Look(NamedTuple):
    """What there is to see of a recording.

    `sentence` says what the model makes of it; `probabilities` is a dict from each emotion to its probability, the
    average over the windows. The pictures are PIL images: `sound`, the waveform above its spectrogram; `over_time`,
    the timeline; `reason`, the explanation of the window that says most clearly what is said of the whole, None where
    there is none. `why` says it in a sentence, or why there is none.
    """

    sentence: str
    probabilities: dict
    sound: Any
    over_time: Any
    reason: Any
    why: str


def look_at(predictor, path, max_seconds=MAX_SECONDS):
    """Asks a model about a recording, and draws what there is to see.

    Args:
        predictor: `sertk.inference.Predictor`.
        path: an audio file.
        max_seconds: float, the longest recording to take, in seconds; known from the header before anything is
            decoded. Defaults to 120.

    Returns:
        `Look`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it can't be decoded, is longer than `max_seconds`, or too short for the model; the message names
            the file without its folder, and is one sentence.
    """
    path = Path(path)
    try:
        waveform = read(path, predictor.sample_rate, max_seconds=max_seconds)
        table = timeline(predictor, [path], max_seconds=max_seconds, progress=False)
    except (ValueError, OSError) as error:
        # Where a server keeps its uploads is nobody's business.
        told = " ".join(str(error).replace(str(path), path.name).split())
        raise type(error)(told) from error
    table["path"] = path.name
    (answer,) = summary(table).to_dict("records")
    probabilities = {name: float(answer[f"p_{name}"]) for name in predictor.classes}
    sentence = f"{answer['predicted']}, {probabilities[answer['predicted']]:.0%}, over {answer['seconds']:.1f} s."
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        layer = LogMelSpectrogram(sr=predictor.sample_rate, n_mels=64, n_fft=512, hop_length=HOP_LENGTH)
        features = keras.ops.convert_to_numpy(layer(waveform[None]))[0]
        plot_waveform_and_features(
            waveform,
            predictor.sample_rate,
            features,
            folder / "sound.png",
            HOP_LENGTH,
            title=path.name,
            kind="log-mel",
        )
        plot_timeline(table, folder / "timeline.png")
        start, samples = strongest(predictor, answer, table)
        part = waveform[start : start + samples]
        reason, why = _reason(predictor, part, answer["predicted"], folder / "reason.png", start)
        sound, over_time = _picture(folder / "sound.png"), _picture(folder / "timeline.png")
    return Look(sentence, probabilities, sound, over_time, reason, why)


def _reason(predictor, waveform, emotion, path, start):
    """The picture of an explanation and its sentence; where there can be none, the reason of that."""
    try:
        explanation = explain(predictor, waveform, emotion=emotion)
    except ValueError as error:
        return None, f"Not explained: {error}"
    offset = start / predictor.sample_rate
    plot_explanation(explanation, path, offset=offset)
    return _picture(path), explanation.sentence(offset=offset)


def _picture(path):
    with Image.open(path) as picture:
        return picture.copy()
