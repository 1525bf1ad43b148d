"""Requests for warming up: one to each signature, where TF Serving looks for them, and each is answered."""

import importlib.util

import pytest
import tensorflow as tf

from sertk.export import export_saved_model

WARM_UP = "assets.extra/tf_serving_warmup_requests"


def test_every_signature_has_a_request_that_it_answers(run, tmp_path, monkeypatch):
    prediction_log_pb2 = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    (tmp_path / "emotions").mkdir()
    monkeypatch.chdir(tmp_path / "emotions")
    directory = export_saved_model(run, "3")
    loaded = tf.saved_model.load(str(directory))
    asked = []
    for record in tf.data.TFRecordDataset(str(directory / WARM_UP)).as_numpy_iterator():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        assert log.WhichOneof("log_type") == "predict_log"
        request = log.predict_log.request
        assert request.model_spec.name == "emotions"
        asked.append(request.model_spec.signature_name)
        inputs = {name: tf.constant(tf.make_ndarray(proto)) for name, proto in request.inputs.items()}
        told = loaded.signatures[asked[-1]](**inputs)
        assert {len(value) for value in told.values()} == {1}
    assert set(asked) == set(loaded.signatures) == {"serving_default", "padded", "audio_bytes", "embedding"}
    # Files at the model's own rate and at another one go different ways.
    assert asked.count("audio_bytes") == 2


@pytest.fixture(scope="module")
def run(untrained_run):
    return untrained_run("cnn")


@pytest.fixture
def without_serving_api(monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        "sertk.export.warm_up.importlib.util.find_spec",
        lambda name: None if name == "tensorflow_serving" else find_spec(name),
    )


@pytest.mark.slow
def test_without_the_extra_there_are_none(run, tmp_path, without_serving_api):
    assert not (export_saved_model(run, tmp_path / "1") / WARM_UP).exists()


def test_what_can_not_be_written_is_told_before_anything_is(run, tmp_path, without_serving_api):
    with pytest.raises(ValueError, match=r"`warm_up` needs tensorflow-serving-api.*pip install 'sertk\[serving\]'"):
        export_saved_model(run, tmp_path / "1", warm_up=True)
    assert not list(tmp_path.iterdir())
