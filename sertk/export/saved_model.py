"""SavedModels for TF Serving: recordings in, named probabilities out, decoding, features and limits inside."""

import contextlib
import json
import logging
import shutil
from pathlib import Path

import keras
import tensorflow as tf

from sertk.audio.decode import check_max_seconds
from sertk.export.resampling import supported_rates
from sertk.export.signatures import signatures
from sertk.export.warm_up import check_warm_up, write_warm_up
from sertk.inference import METADATA
from sertk.models.ssl.hearing import shortest_clip
from sertk.recipes.run import Run

LONGEST = 60.0


def export_saved_model(run, directory, *, max_seconds=LONGEST, warm_up=None):
    """Exports a run's model as a SavedModel that a process with nothing but TensorFlow can serve.

    Of its signatures

    - `serving_default` takes `waveform`, float32 `(batch, samples)`, mono, in [-1, 1], at the run's sample rate, any
      batch and any length;
    - `padded` takes clips of several lengths in one batch: `waveform`, with anything behind the shorter ones, and
      `lengths`, int32 `(batch,)`, in samples; each is answered as if it came alone;
    - `audio_bytes` takes `audio_bytes`, string `(batch,)`, whole WAV files of any lengths: PCM of 8 to 32 bits or
      float, mono or with their channels averaged, at 8, 16, 22.05, 24, 44.1 or 48 kHz or the run's own rate. They are
      decoded and resampled in the graph, as `sertk.audio.read` does it;
    - `embedding` takes `waveform` as `serving_default` does, and gives `embedding`, float32 `(batch, channels)`, what
      enters the network's last layer.

    The first three give, row by row,

    - `label`: string `(batch,)`, the most probable emotion,
    - `classes`: string `(batch, classes)`, the names of the emotions,
    - `probabilities`: float32 `(batch, classes)`, in the order of `classes`.

    A model of chunks hears one chunk at once: of anything longer its middle. Send it voiced chunks, and average what it
    says of them, as `sertk.predict` does.

    What is shorter than the model needs or longer than `max_seconds`, NaN, infinity, no samples at all, integers that
    were not scaled to [-1, 1] (anything beyond 100), and files that `sertk.audio.read` would refuse end in an
    `InvalidArgumentError` that says so in a sentence. Sample rate, classes, limits and recipe also lie beside the
    model, in `assets.extra/sertk.json`, and a request to each signature in `assets.extra/tf_serving_warmup_requests`:
    TF Serving sends them to the model before it takes others.

    Args:
        run: `sertk.recipes.Run`, finished, or its folder.
        directory: where to write, such as `saved_models/emotions/1`: TF Serving wants a version number as the last
            folder. It must be new or empty.
        max_seconds: float, the longest recording that the model takes, in seconds; a server's memory depends on it.
            Defaults to 60.
        warm_up: bool, whether to write requests for warming up, which needs tensorflow-serving-api. Defaults to None:
            if that is installed.

    Returns:
        Path of the directory.

    Raises:
        ValueError: if the run is not finished, the directory holds something already, `max_seconds` is out of range,
            or `warm_up` is True without tensorflow-serving-api.
        FileNotFoundError: if there is no such run.

    Example:
        >>> export_saved_model("runs/first", "saved_models/emotions/1")
        >>> model = tf.saved_model.load("saved_models/emotions/1")
        >>> model.signatures["serving_default"](waveform=tf.zeros((1, 48_000)))["probabilities"].shape
        (1, 7)
    """
    run = run if isinstance(run, Run) else Run.open(run)
    directory = Path(directory)
    _check_longest(max_seconds)
    warm_up = check_warm_up(warm_up)
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ValueError(
            f"{directory}: holds something already; export to a new folder, such as the next version number"
        )
    model, described = run.classifier(), run.description
    rate, shortest = described["sample_rate"], shortest_clip(model)
    if round(max_seconds * rate) < shortest:
        raise ValueError(
            f"`max_seconds` must be at least {shortest / rate:g}, which the network needs to hear. "
            f"Received: max_seconds={max_seconds:g}"
        )
    archive = keras.export.ExportArchive()
    archive.track(model)
    # In the published form of paper 004's network clips attend to each other; strangers' requests must not.
    alone = run.recipe.model.options.get("attend_over") == "batch"
    for name, (function, takes) in signatures(model, run.classes, rate, max_seconds, alone).items():
        archive.add_endpoint(name, function, input_signature=takes)
    place = directory.absolute()  # `1` and `.` have a name and a folder above, too
    unfinished = place.with_name(f".{place.name}-unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    with _without_log():
        archive.write_out(str(unfinished), verbose=False)
    limits = {"shortest": shortest, "max_seconds": max_seconds, "rates": supported_rates(rate)}
    (unfinished / METADATA).parent.mkdir()
    (unfinished / METADATA).write_text(
        json.dumps({**described, **limits, "recipe": run.recipe.to_dict()}, indent=2) + "\n"
    )
    if warm_up:
        seconds = min(max_seconds, described["seconds"] or 3.0)
        write_warm_up(unfinished, place.parent.name, rate, max(round(seconds * rate), shortest))
    if directory.exists():
        directory.rmdir()
    unfinished.rename(directory)
    return directory


def _check_longest(max_seconds):
    check_max_seconds(max_seconds)
    if max_seconds > 3_600:
        raise ValueError(
            "`max_seconds` must be at most an hour: the whole of a recording lies in the server's memory. "
            f"Received: max_seconds={max_seconds:g}"
        )


@contextlib.contextmanager
def _without_log():
    """Keeps TensorFlow from telling where it writes: a folder that is gone when the export is done."""
    logger = tf.get_logger()
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)
