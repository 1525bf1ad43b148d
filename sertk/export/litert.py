"""LiteRT models for phones and small computers: waveforms in, probabilities out, features inside, one file."""

import json
import warnings
import zipfile
from pathlib import Path

import keras
import tensorflow as tf
from tensorflow.lite.python.convert import ConverterError
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from sertk.atomic import replacing
from sertk.export.calibration import CLIPS, calibration_set
from sertk.export.layout import in_float
from sertk.features.stft import without_fft
from sertk.inference.litert import LABELS, METADATA_FILE
from sertk.models.ssl.hearing import shortest_clip
from sertk.quiet import quiet_loading
from sertk.recipes.run import Run

QUANTIZATIONS = ("float16", "int8")


def export_litert(run, path, *, quantize=None, calibration=None):
    """Exports a run's model as a LiteRT file, which runs where neither TensorFlow nor sertk is.

    Its signature `serving_default` takes `waveform`, float32 `(1, samples)`, mono, in [-1, 1], at the run's sample
    rate, of any length, and gives `probabilities`, float32 `(1, classes)`. Length, features and network are inside.
    There is no limit on lengths and no check of numbers: LiteRT has no sentences to refuse with.

    The file is a zip archive as well, as LiteRT's own metadata has it: `sertk.json` holds classes, sample rate and
    recipe, `labels.txt` the classes, one a line, in the order of the probabilities.

    - In float the answers are Keras's to 1e-4.
    - `quantize="float16"` keeps weights in half the bytes; it computes in float32.
    - `quantize="int8"` keeps and computes the network in 8 bits, a quarter of the bytes. Features stay in float32:
      256 steps up to the power of the loudest bin reach 24 dB (10 lg 256) below it, and log-mel spectrograms 80. What
      the ranges of the network's values are is measured on clips of the run's training and validation parts.

    Args:
        run: `sertk.recipes.Run`, finished, or its folder.
        path: the file to write, which must end in `.tflite`. An older one is replaced.
        quantize: `"float16"`, `"int8"` or None. Defaults to None, float32.
        calibration: of `"int8"`, int, how many clips the ranges are measured on, evenly drawn from the emotions of the
            run's training and validation parts; or files and folders to take instead, none of them of the test part.
            Defaults to None: 200.

    Returns:
        Path of the file.

    Raises:
        ValueError: if an argument is out of range, the run is not finished, a clip to measure on is of the test part,
            or the model has operations that LiteRT lacks.
        FileNotFoundError: if there is no such run, or a clip to measure on is gone.

    Example:
        >>> export_litert("runs/first", "emotions.tflite", quantize="float16")
        >>> from ai_edge_litert.interpreter import Interpreter
        >>> ask = Interpreter("emotions.tflite").get_signature_runner()
        >>> ask(waveform=np.zeros((1, 48_000), "float32"))["probabilities"].shape
        (1, 7)

    Source: Jacob et al. (2018), Quantization and training of neural networks for efficient integer-arithmetic-only
        inference. https://ai.google.dev/edge/litert
    """
    path = Path(path)
    _check(path, quantize, calibration)
    run = run if isinstance(run, Run) else Run.open(run)
    model = run.classifier()
    clips = calibration_set(run, CLIPS if calibration is None else calibration) if quantize == "int8" else None
    described = {
        **run.description,
        "shortest": shortest_clip(model),
        "quantize": quantize,
        "recipe": run.recipe.to_dict(),
    }
    with replacing(path) as unfinished:
        unfinished.write_bytes(convert(model, quantize, clips))
        with zipfile.ZipFile(unfinished, "a") as archive:
            archive.writestr(METADATA_FILE, json.dumps(described, indent=2) + "\n")
            archive.writestr(LABELS, "\n".join(run.classes) + "\n")
    return path


def _check(path, quantize, calibration):
    if path.suffix != ".tflite":
        raise ValueError(f"`path` must end in .tflite. Received: {path}")
    if path.is_dir():
        raise ValueError(f"`path` must be a file; there is a folder of that name. Received: {path}")
    if quantize not in (None, *QUANTIZATIONS):
        raise ValueError(f"`quantize` must be one of {', '.join(QUANTIZATIONS)}, or None. Received: {quantize!r}")
    if calibration is not None and quantize != "int8":
        raise ValueError(
            f'`calibration` is for quantize="int8" alone. Received: calibration={calibration!r}, quantize={quantize!r}'
        )


def convert(model, quantize=None, clips=None):
    """A Keras model as LiteRT's bytes.

    Args:
        model: keras.Model from waveforms to probabilities: a run's.
        quantize: `"float16"`, `"int8"` or None. Defaults to None.
        clips: of `"int8"`, list of float32 arrays `(samples,)`, all of one length. Defaults to None.

    Returns:
        bytes.

    Raises:
        ValueError: if the model has operations that LiteRT lacks.
    """
    try:
        # The converter tells its progress and what it makes of other people's systems.
        with quiet_loading(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _convert(_graph(model), model, quantize, clips)
    except tf.errors.OpError as error:
        reason = error.message
    except ConverterError as error:
        reason = str(error)
    raise ValueError(
        f"`run`: its model has operations that LiteRT lacks; export it as a SavedModel. Received: {_first_line(reason)}"
    )


def _graph(model):
    """The model as a TensorFlow graph for one clip of any length, its weights constants."""

    def answer(waveform):
        if len(model.inputs) > 1:
            lengths = tf.fill(tf.shape(waveform)[:1], tf.shape(waveform)[1])
            return model({"waveform": waveform, "lengths": lengths}, training=False)
        return model(waveform, training=False)

    takes = tf.TensorSpec((1, None), tf.float32, name="waveform")
    with without_fft():
        traced = tf.function(answer, input_signature=[takes]).get_concrete_function()
    # Left as variables, the converter would read them before anything has set them.
    constant = convert_variables_to_constants_v2(traced, lower_control_flow=False)
    return tf.function(lambda waveform: {"probabilities": constant(waveform)[0]}, input_signature=[takes])


def _convert(graph, model, quantize, clips):
    def converter():
        return tf.lite.TFLiteConverter.from_concrete_functions([graph.get_concrete_function()], tf.Module())

    if quantize is None:
        return converter().convert()
    quantizing = converter()
    quantizing.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantize == "float16":
        quantizing.target_spec.supported_types = [tf.float16]
        return quantizing.convert()
    quantizing.representative_dataset = lambda: ([clip[None]] for clip in clips)
    before = [layer.name for layer in model.layers if not isinstance(layer, keras.Model)]
    float_alone = in_float(converter().convert(), before)
    # Of the converter's doors this alone leaves chosen operations in float.
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=quantizing,
        debug_dataset=lambda: ([clip[None]] for clip in clips[:1]),
        debug_options=tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=float_alone),
    )
    return debugger.get_nondebug_quantized_model()


def _first_line(text):
    return next((line.strip() for line in text.splitlines() if line.strip()), "no reason")
