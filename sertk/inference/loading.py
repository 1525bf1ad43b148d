"""From a folder or a file to a model that answers: a run's, a SavedModel's, or LiteRT's."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sertk.inference.description import checked
from sertk.inference.litert import load_litert
from sertk.inference.saved_model_file import check_saved_model
from sertk.plain_json import read_object

METADATA = Path("assets.extra") / "sertk.json"


class Loaded(NamedTuple):
    """A model that is ready to be asked: `answer` takes float32 `(batch, samples)` and gives `(batch, classes)`.

    `description` is what a run says of its model (`Run.description`), with the `shortest` clip that it hears in
    samples, and `alone`, whether its answer about a clip hangs on the other clips of a batch, so that it has to be
    asked about one at a time. `network` is the `keras.Model`, None of an exported model.
    """

    answer: Any
    description: dict
    network: Any


def load(directory):
    """Loads the model in a folder or a file.

    Args:
        directory: folder of a run, or of a SavedModel that sertk exported, or a `.tflite` file that it exported.

    Returns:
        `Loaded`.

    Raises:
        FileNotFoundError: if there is no such folder or file.
        ValueError: if it is neither a finished run nor a model that sertk exported; and when it is asked, if the graph
            of a SavedModel refuses the waveforms.
        ImportError: if it is a `.tflite` file, and ai-edge-litert is not installed.
    """
    directory = Path(directory)
    if directory.suffix == ".tflite" and not directory.is_dir():
        if not directory.is_file():
            raise FileNotFoundError(
                f"{directory}: there is no such file; pass a .tflite file that `sertk export` wrote"
            )
        answer, described = load_litert(directory)
        return Loaded(answer, {**described, "alone": True}, None)
    if not directory.is_dir():
        raise FileNotFoundError(f"{directory}: there is no such folder; pass a run or a SavedModel")
    if (directory / "saved_model.pb").is_file():
        return _saved_model(directory)
    if (directory / "recipe.json").is_file():
        return _run(directory)
    raise ValueError(
        f"{directory}: is neither a run (no recipe.json) nor a SavedModel (no saved_model.pb); pass the folder "
        "that `sertk train` or `sertk export` wrote"
    )


def _saved_model(directory):
    import tensorflow as tf

    if not (directory / METADATA).is_file():
        raise ValueError(
            f"{directory}: is no SavedModel of sertk, which would have {METADATA}; export it with `sertk export`"
        )
    described = checked(read_object(directory / METADATA), directory / METADATA)
    check_saved_model(directory)
    try:
        loaded = tf.saved_model.load(str(directory))
        serve = loaded.signatures["serving_default"]
        gives = serve.structured_outputs.get("probabilities", tf.TensorSpec((0,)))
        fits = "waveform" in serve.structured_input_signature[1] and gives.shape[-1] in (
            None,
            len(described["classes"]),
        )
    except Exception as error:  # whatever TensorFlow says, or fails to say, of a graph that is damaged
        told = " ".join(repr(error).split())[:300]
        raise ValueError(f"{directory}: TensorFlow can't load it; export it again. Received: {told}") from error
    if not fits:
        raise ValueError(
            f"{directory}: must answer a `waveform` with a probability a class; export it with `sertk export`. "
            f"Received: {str(serve.structured_outputs)[:200]}"
        )

    def answer(waveforms):
        _ = loaded  # the signature alone would not keep its variables alive
        try:
            return serve(waveform=tf.constant(waveforms))["probabilities"].numpy()
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(_refusal(error.message)) from error

    return Loaded(answer, {**described, "alone": _mixes(described.get("recipe", {}))}, None)


def _run(directory):
    import keras

    from sertk.models.ssl.hearing import shortest_clip
    from sertk.recipes.run import Run

    run = Run.open(directory)
    network = run.classifier()

    def answer(waveforms):
        if len(network.inputs) > 1:
            lengths = np.full(len(waveforms), waveforms.shape[1], "int32")
            waveforms = {"waveform": waveforms, "lengths": lengths}
        return keras.ops.convert_to_numpy(network(waveforms, training=False))

    described = {**run.description, "shortest": shortest_clip(network), "alone": _mixes(run.recipe.to_dict())}
    return Loaded(answer, described, network)


def _refusal(told):
    """The sentence with which a graph refuses a waveform, out of all that TensorFlow tells of where it was."""
    found = re.search(r"assertion failed: \[(.*?)\]\s+\[\[", told, re.DOTALL)
    return found[1] if found else f"`waveform` can't be answered. Received: {' '.join(told.split())[:300]}"


def _mixes(recipe):
    """Whether a recipe's network attends over the batch, which `cnn_transformer` tells of."""
    return recipe.get("model", {}).get("options", {}).get("attend_over") == "batch"
