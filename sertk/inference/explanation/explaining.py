"""Explaining: which times and bands a run's model hears in a clip that make it say what it says."""

import keras
import librosa
import numpy as np

from sertk.features import MFCC, SpectrogramImage
from sertk.inference.explanation.anatomy import Anatomy, feature_maps
from sertk.inference.explanation.axes import spectrogram_of
from sertk.inference.explanation.explanation import Explanation
from sertk.inference.explanation.grad_cam import grad_cam
from sertk.inference.explanation.integrated_gradients import integrated_gradients
from sertk.inference.explanation.pixels import from_pixels
from sertk.inference.predictor import Predictor

METHODS = ("auto", "grad-cam", "integrated-gradients")


def explain(model, waveform, *, emotion=None, method="auto", steps=128):
    """Says which times and bands of a clip an answer hangs on.

    - `"grad-cam"`: where the last feature maps of a convolutional network speak for the emotion, against the others.
      As coarse as these maps.
    - `"integrated-gradients"`: how much of the difference between the probability and that of silence, of the same
      length, each cell of the log-mel spectrogram accounts for; positive for the emotion, negative against it. Of any
      network on features. Of MFCC it is taken through the cosine transform, back to bands.
    - `"auto"`: Grad-CAM where all of the features go through convolutions and their second axis are bands; integrated
      gradients for networks with another way, such as a transformer beside CNNs, and for MFCC, whose coefficients are
      no bands.

    What can't be explained so is refused: networks on waveforms and embeddings, which see no spectrogram, models that
    were trained on chunks of 30 ms, of which many make an answer, and exported models, which hold no layers. Where a
    network takes an embedding beside its features, that stays as it is and its share is not shown.

    Args:
        model: `Predictor` of a run, or the folder of a run.
        waveform: float array `(samples,)`, mono, in [-1, 1], at the model's sample rate. Of a clip that is longer than
            the model hears at once, the part that its recipe crops is explained.
        emotion: str, the class to explain. Defaults to the one predicted.
        method: as above. Defaults to "auto".
        steps: int, those of `integrated_gradients`. Defaults to 128.

    Returns:
        `Explanation`.

    Raises:
        ValueError: if the model can't be explained by this method, `waveform` is none, or `emotion` is no class.

    Example:
        >>> explanation = explain("runs/first", sertk.audio.read("clip.wav"))
        >>> print(explanation.sentence())
        happy, 63 %: half of what speaks for it lies within 0.83 to 1.21 s, and within 310 to 1,240 Hz (Grad-CAM).

    Source: as `grad_cam` and `integrated_gradients`.
    """
    predictor = model if isinstance(model, Predictor) else Predictor(model)
    waveform = np.asarray(waveform, "float32")
    probabilities = predictor.probabilities(waveform)
    _check(predictor, waveform, emotion, method)
    anatomy = Anatomy(predictor.network)
    place = int(np.argmax(probabilities)) if emotion is None else predictor.classes.index(emotion)
    if method == "auto":
        mapped = all(feature_maps(member) for member in anatomy.members)
        method = "grad-cam" if mapped and not isinstance(anatomy.features, MFCC) else "integrated-gradients"
    heard = anatomy.heard(waveform)
    coefficients = method == "grad-cam" and isinstance(anatomy.features, MFCC)
    spectrogram = spectrogram_of(anatomy.features, heard, coefficients)
    silence = None
    if method == "grad-cam":
        inputs = anatomy.inputs(anatomy.features(heard), waveform)
        heat = np.mean([grad_cam(member, inputs, place) for member in anatomy.members], axis=0)
    else:
        heat, silence = _integrated(anatomy, waveform, heard, place, steps, predictor.batch)
    if isinstance(anatomy.features, SpectrogramImage):
        heat = from_pixels(heat, spectrogram.values.shape, averages=method == "grad-cam")
    begins, sounding = _cut(anatomy.cutting, waveform)
    return Explanation(
        emotion=predictor.classes[place],
        probability=float(probabilities[place]),
        silence=silence,
        method=method,
        spectrogram=spectrogram.values,
        heat=heat,
        times=spectrogram.times + begins / predictor.sample_rate,
        frequencies=spectrogram.frequencies,
        ends=(begins + sounding) / predictor.sample_rate,
    )


def _check(predictor, waveform, emotion, method):
    if predictor.network is None:
        raise ValueError(
            "`model` must be a run: what was exported (a SavedModel, a .tflite file) holds no layers to look into. "
            "Received: an exported model"
        )
    if predictor.chunks_top_db is not None and len(waveform) > predictor.samples:
        raise ValueError(
            f"`model` must hear clips: this one hears chunks of {predictor.samples / predictor.sample_rate:g} s, many "
            "of which make an answer. What a recording says from moment to moment tells `sertk predict --timeline`. "
            "Received: a run on chunks"
        )
    if method not in METHODS:
        raise ValueError(f"`method` must be one of {', '.join(METHODS)}. Received: method={method!r}")
    if emotion is not None and emotion not in predictor.classes:
        raise ValueError(f"`emotion` must be one of {', '.join(predictor.classes)}. Received: emotion={emotion!r}")


def _integrated(anatomy, waveform, heard, place, steps, batch):
    """The share of each cell of the log-mel spectrogram, or pixel, and what is said of silence."""
    layer = anatomy.features
    below, above = (layer.log_mel, layer.of_log_mel) if isinstance(layer, MFCC) else (layer, lambda features: features)

    def answer(features):
        return anatomy.network(anatomy.inputs(above(features), waveform), training=False)[:, place]

    clip, silence = (keras.ops.convert_to_numpy(below(sound))[0] for sound in (heard, keras.ops.zeros_like(heard)))
    heat, _, of_silence = integrated_gradients(answer, clip, silence, steps=steps, batch=batch)
    return (heat.sum(axis=-1) if heat.ndim == 3 else heat), of_silence


def _cut(cutting, waveform):
    """Where in the waveform begins what the network hears, and how many samples of it that is."""
    if cutting is None:
        return 0, len(waveform)
    start, end = 0, len(waveform)
    if cutting.trim_top_db is not None and waveform.any():
        start, end = librosa.effects.trim(waveform, top_db=cutting.trim_top_db)[1]
    if cutting.crop == "center":
        start += max(end - start - cutting.samples, 0) // 2
    return int(start), int(min(end - start, cutting.samples))
