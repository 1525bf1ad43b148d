"""Hostile SavedModels: a graph that reaches out, absurd sizes, damage. Each is one sentence, before anything runs."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from sertk.export import export_saved_model
from sertk.inference import METADATA, Predictor

ABOUT = {"classes": ["happy", "sad"], "sample_rate": 16_000, "seconds": 1.0, "recipe": {}}


class Answers(tf.Module):
    """A model that answers by a function, which becomes its graph."""

    def __init__(self, function):
        super().__init__()
        self.weight = tf.Variable(tf.ones((4, 4)))
        signature = [tf.TensorSpec((None, None), tf.float32, name="waveform")]
        self.serve = tf.function(lambda waveform: {"probabilities": function(waveform)}, input_signature=signature)


@pytest.fixture
def save(tmp_path):
    """Saves a model that answers by a function, with the description of one of sertk's; returns its folder."""

    def saved(function, about=ABOUT):
        folder = tmp_path / "model"
        model = Answers(function)
        tf.saved_model.save(model, str(folder), signatures={"serving_default": model.serve})
        (folder / METADATA).parent.mkdir()
        (folder / METADATA).write_text(json.dumps(about))
        return folder

    return saved


def halves(waveform):
    return tf.fill((tf.shape(waveform)[0], 2), 0.5)


def refused(folder, *words):
    with pytest.raises(ValueError, match="Received: ") as told:
        Predictor(folder)
    message = str(told.value)
    assert message.startswith(str(folder))
    assert "\n" not in message
    for word in words:
        assert word in message


def test_what_only_computes_is_taken(save):
    np.testing.assert_array_equal(Predictor(save(halves)).probabilities(np.zeros(100)), [0.5, 0.5])


@pytest.mark.slow
def test_our_own_exports_are_taken(finished_run, tmp_path):
    folder = export_saved_model(finished_run, tmp_path / "1")
    assert Predictor(folder).probabilities(np.zeros(16_000)).sum() == pytest.approx(1, abs=1e-5)


def written(waveform):
    with tf.control_dependencies([tf.io.write_file("evil.txt", "evil")]):
        return halves(waveform)


def read(waveform):
    return halves(waveform) * tf.cast(tf.strings.length(tf.io.read_file("/etc/passwd")), tf.float32)


def listed(waveform):
    return halves(waveform) * tf.cast(tf.size(tf.io.matching_files("/etc/*")), tf.float32)


def called(waveform):
    return tf.py_function(lambda x: x, [halves(waveform)], tf.float32)


def hidden_in_a_branch(waveform):
    return tf.cond(tf.size(waveform) > 12345, lambda: written(waveform), lambda: halves(waveform))


def hidden_in_a_map(waveform):
    return tf.map_fn(lambda row: written(row[None])[0], waveform, fn_output_signature=tf.float32)


def saved_elsewhere(waveform):
    with tf.control_dependencies(
        [tf.raw_ops.SaveV2(prefix="evil", tensor_names=["a"], shape_and_slices=[""], tensors=[waveform])]
    ):
        return halves(waveform)


@pytest.mark.parametrize(
    ("function", "operation"),
    [
        (written, "WriteFile"),
        (read, "ReadFile"),
        (listed, "MatchingFiles"),
        (called, "EagerPyFunc"),
        (hidden_in_a_branch, "WriteFile"),
        (hidden_in_a_map, "WriteFile"),
        (saved_elsewhere, "SaveV2"),
    ],
)
def test_a_graph_that_reaches_out_is_refused_before_it_is_loaded(save, function, operation, monkeypatch):
    folder = save(function)
    monkeypatch.chdir(folder.parent)  # where the graphs' relative names would lead
    monkeypatch.setattr(tf.saved_model, "load", lambda *_: pytest.fail("loaded"))
    refused(folder, "does more than compute", f"Received: {operation}")
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_an_operation_that_tensorflow_does_not_have_is_refused(save):
    folder = save(halves)
    rewrite(folder, lambda graph: setattr(graph.graph_def.library.function[0].node_def[0], "op", "FromALibrary"))
    refused(folder)


def rewrite(folder, change):
    described = SavedModel()
    described.ParseFromString((folder / "saved_model.pb").read_bytes())
    change(described.meta_graphs[0])
    (folder / "saved_model.pb").write_bytes(described.SerializeToString())


def test_the_form_of_tensorflow_1_whose_graph_is_run_on_loading_is_refused(save):
    folder = save(halves)
    rewrite(folder, lambda graph: graph.ClearField("object_graph_def"))
    refused(folder, "form in which TensorFlow 2 saves models")


def test_a_constant_of_a_terabyte_is_refused(save):
    """A few bytes say it: one value, repeated."""
    folder = save(lambda waveform: halves(waveform) + tf.constant([1.0, 2.0]))

    def grow(graph):
        for function in graph.graph_def.library.function:
            for node in function.node_def:
                shape = node.attr["value"].tensor.tensor_shape if node.op == "Const" else None
                if shape is not None and len(shape.dim) == 1:
                    shape.dim[0].size = 1 << 38

    rewrite(folder, grow)
    refused(folder, "constants that no model needs")


def test_a_negative_size_does_not_hide_a_terabyte(save):
    """One constant of 2^40 bytes and one of -2^40 are none together."""
    folder = save(lambda waveform: halves(waveform) + tf.constant([1.0, 2.0]) + tf.constant([[3.0, 4.0]]))

    def grow(graph):
        for function in graph.graph_def.library.function:
            for node in function.node_def:
                shape = node.attr["value"].tensor.tensor_shape if node.op == "Const" else None
                if shape is not None and len(shape.dim) in (1, 2):
                    shape.dim[0].size = (1 << 38) * (3 - 2 * len(shape.dim))

    rewrite(folder, grow)
    refused(folder)


def test_a_constant_of_a_type_that_there_is_not_is_refused(save):
    folder = save(lambda waveform: halves(waveform) + tf.constant([1.0, 2.0]))

    def change(graph):
        for function in graph.graph_def.library.function:
            for node in function.node_def:
                if node.op == "Const":
                    node.attr["value"].tensor.dtype = 99

    rewrite(folder, change)
    refused(folder, "is damaged")


@pytest.mark.parametrize("name", ["other", "serving_default"])
def test_a_model_without_the_signature_of_an_answer_is_refused(save, name):
    folder = save(halves)
    model = Answers(halves)
    signature = [tf.TensorSpec((None, None), tf.float32, name="sound")]
    model.serve = tf.function(lambda sound: {"said": halves(sound)}, input_signature=signature)
    tf.saved_model.save(model, str(folder), signatures={name: model.serve})
    refused(folder)


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff" * 1000])
def test_a_damaged_graph_is_refused(save, content):
    folder = save(halves)
    (folder / "saved_model.pb").write_bytes(content)
    refused(folder)


def test_variables_that_are_not_there_are_refused(save):
    folder = save(halves)
    (data,) = (folder / "variables").glob("variables.data-*")
    data.write_bytes(b"")
    refused(folder, "claims more variables than there are")
    shutil.rmtree(folder / "variables")
    refused(folder, "holds no sound variables")


@pytest.mark.parametrize(
    "changes",
    [
        {"classes": None},
        {"classes": []},
        {"classes": ["a", "a"]},
        {"classes": [1, 2]},
        {"sample_rate": 10**12},
        {"sample_rate": 0},
        {"sample_rate": True},
        {"sample_rate": "16000"},
        {"seconds": -1},
        {"seconds": 1e300},
        {"seconds": float("inf")},
        {"chunks_top_db": "x"},
        {"chunks_top_db": 30.0, "seconds": None},
        {"shortest": -5},
        {"max_seconds": float("nan")},
        {"recipe": []},
        {"recipe": {"model": {"options": 3}}},
    ],
)
def test_an_absurd_description_is_refused(save, changes):
    refused(save(halves, ABOUT | changes), f"`{next(iter(changes))}` is missing or absurd")


def test_classes_that_the_answers_do_not_have_are_refused(save):
    def thirds(waveform):
        return tf.ones((tf.shape(waveform)[0], 3)) / 3

    refused(save(thirds), "must answer a `waveform` with a probability a class")


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "3"])
def test_a_description_that_is_none_is_refused(save, text):
    folder = save(halves)
    (folder / METADATA).write_text(text)
    refused(folder)
