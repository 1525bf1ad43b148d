"""SavedModels for TF Serving: raw waveforms in, named probabilities out, the features inside."""

import json
import shutil
from pathlib import Path

import keras
import tensorflow as tf

from sertk.inference import METADATA
from sertk.models.ssl.hearing import shortest_clip
from sertk.recipes.run import Run

LOUDEST = 100.0


def export_saved_model(run, directory):
    """Exports a run's model as a SavedModel that a process with nothing but TensorFlow can serve.

    The signature `serving_default` takes

    - `waveform`: float32 `(batch, samples)`, mono, in [-1, 1], at the run's sample rate, any batch and any length,

    and gives, row by row,

    - `label`: string `(batch,)`, the most probable emotion,
    - `classes`: string `(batch, classes)`, the names of the emotions,
    - `probabilities`: float32 `(batch, classes)`, in the order of `classes`.

    A model of clips of any length, whose recipe has `audio.pad="batch"`, has a second signature, `padded`, for clips of
    several lengths in one batch: beside `waveform`, with zeros behind the shorter ones, it takes `lengths`, int32
    `(batch,)`, in samples.

    A model of chunks hears one chunk at once: of anything longer its middle. Send it voiced chunks, and average what it
    says of them, as `sertk.predict` does.

    NaN, infinity, no samples at all, and integers that were not scaled to [-1, 1] (anything beyond 100) end in an
    `InvalidArgumentError` that says so. Sample rate, classes and recipe also lie beside the model, in
    `assets.extra/sertk.json`.

    Args:
        run: `sertk.recipes.Run`, finished, or its folder.
        directory: where to write, such as `saved_models/emotions/1`: TF Serving wants a version number as the last
            folder. It must be new or empty.

    Returns:
        Path of the directory.

    Raises:
        ValueError: if the run is not finished or the directory holds something already.
        FileNotFoundError: if there is no such run.

    Example:
        >>> export_saved_model("runs/first", "saved_models/emotions/1")
        >>> model = tf.saved_model.load("saved_models/emotions/1")
        >>> model.signatures["serving_default"](waveform=tf.zeros((1, 48_000)))["probabilities"].shape
        (1, 7)
    """
    run = run if isinstance(run, Run) else Run.open(run)
    directory = Path(directory)
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ValueError(
            f"{directory}: holds something already; export to a new folder, such as the next version number"
        )
    model, classes, recipe = run.classifier(), run.classes, run.recipe
    names, padded = tf.constant(classes), len(model.inputs) > 1

    def serve(waveform):
        # The signature's shape is a promise to clients; nothing but this holds them to it.
        waveform = tf.ensure_shape(waveform, (None, None))
        with tf.control_dependencies(_assert_audio(waveform)):
            waveform = tf.identity(waveform)
        if padded:
            lengths = tf.fill(tf.shape(waveform)[:1], tf.shape(waveform)[1])
            return told(model({"waveform": waveform, "lengths": lengths}, training=False))
        return told(model(waveform, training=False))

    def serve_padded(waveform, lengths):
        waveform, lengths = tf.ensure_shape(waveform, (None, None)), tf.ensure_shape(lengths, (None,))
        with tf.control_dependencies([*_assert_audio(waveform), *_assert_lengths(lengths, waveform)]):
            waveform = tf.identity(waveform)
        return told(model({"waveform": waveform, "lengths": lengths}, training=False))

    def told(probabilities):
        return {
            "label": tf.gather(names, tf.argmax(probabilities, axis=1)),
            "classes": tf.tile(names[None], (tf.shape(probabilities)[0], 1)),
            "probabilities": probabilities,
        }

    archive = keras.export.ExportArchive()
    archive.track(model)
    sound = tf.TensorSpec((None, None), tf.float32, name="waveform")
    archive.add_endpoint("serving_default", serve, input_signature=[sound])
    if padded:
        lengths = tf.TensorSpec((None,), tf.int32, name="lengths")
        archive.add_endpoint("padded", serve_padded, input_signature=[sound, lengths])
    unfinished = directory.with_name(f".{directory.name}-unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    archive.write_out(str(unfinished), verbose=False)
    (unfinished / METADATA).parent.mkdir()
    (unfinished / METADATA).write_text(
        json.dumps({**run.description, "shortest": shortest_clip(model), "recipe": recipe.to_dict()}, indent=2) + "\n"
    )
    if directory.exists():
        directory.rmdir()
    unfinished.rename(directory)
    return directory


def _assert_audio(waveform):
    """The checks that run inside the exported graph, each with the sentence that the client gets."""
    loudest = tf.reduce_max(tf.abs(waveform))
    checks = (
        (tf.shape(waveform)[1] > 0, "`waveform` must hold at least one sample."),
        (tf.reduce_all(tf.math.is_finite(waveform)), "`waveform` must be finite; it holds NaN or infinity."),
        (
            tf.logical_or(tf.size(waveform) == 0, loudest <= LOUDEST),
            "`waveform` must lie in [-1, 1]; divide 16-bit PCM by 32768.",
        ),
    )
    return [tf.debugging.Assert(holds, [sentence]) for holds, sentence in checks]


def _assert_lengths(lengths, waveform):
    total = tf.shape(waveform)[1]
    return (
        tf.debugging.Assert(
            tf.equal(tf.size(lengths), tf.shape(waveform)[0]), ["`lengths` must have one for each row."]
        ),
        tf.debugging.Assert(
            tf.reduce_all((lengths > 0) & (lengths <= total)),
            ["`lengths` must be above 0 and no more than the samples that `waveform` has."],
        ),
    )
