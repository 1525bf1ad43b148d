"""TF Serving's requests, REST and gRPC, to every family of models, in a process that has only TensorFlow."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from sertk.embeddings import classifier_embedder
from sertk.export import export_saved_model
from sertk.inference import Predictor

ALONE = Path(__file__).with_name("serve_alone.py")
QUICK = ("cnn",)
SLOW = ("two_cnn", "parallel", "attentive", "ensemble", "vgg16", "transfer_head", "vgg15", "resnet9", "cnn6", "chunks")
SLOW = (*SLOW, "speech_encoder", "trimmed", "published", "fused")
# Longer than the second that most of the networks hear, as long, and shorter; all longer than a chunk.
LENGTHS = (21_000, 16_000, 9_001)


@pytest.fixture(scope="module", params=[*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def served(request, untrained_run, tmp_path_factory, by_hand):
    """A family's run, and the answers that its SavedModel gave to what was sent to it."""
    pytest.importorskip("tensorflow_serving")
    run = untrained_run(request.param)
    folder = tmp_path_factory.mktemp("served")
    export_saved_model(run, folder / "emotions" / "1")
    clips = [speech(samples, seed) for seed, samples in enumerate(LENGTHS)]
    batch = send(folder, clips, [by_hand.wav((clip * 2**15).astype("<i2").tobytes()) for clip in clips])
    (folder / "batch.json").write_text(json.dumps(batch))
    subprocess.run([sys.executable, ALONE, folder / "emotions" / "1", folder], check=True)
    return run, clips, folder


def speech(samples, seed):
    """A buzz between silent ends, in steps of 16 bits, that starts anything but silent."""
    random = np.random.default_rng(seed)
    level = np.where(np.abs(np.linspace(-1, 1, samples)) < 0.8, 0.2, 0.0005)
    tone = np.sign(np.sin(2 * np.pi * (100 + 70 * seed) * np.arange(samples) / 16_000))
    clip = level * (tone + 0.3 * random.standard_normal(samples))
    clip[0] = 0.25
    return (np.round(clip * 2**15) / 2**15).astype("float32")


def send(folder, clips, files):
    """Writes every form of request; returns the names of those that arrive together."""
    b64 = [{"b64": base64.b64encode(file).decode()} for file in files]
    longest = max(map(len, clips))
    padded = [np.pad(clip, (0, longest - len(clip))).tolist() for clip in clips]
    lengths = list(map(len, clips))
    bodies = {
        "default-row": {"instances": [clips[0].tolist()] * 2},
        "default-named-row": {"signature_name": "serving_default", "instances": [{"waveform": clips[0].tolist()}]},
        "default-column": {"inputs": {"waveform": [clips[0].tolist()]}},
        "padded-row": {
            "signature_name": "padded",
            "instances": [
                {"waveform": waveform, "lengths": count} for waveform, count in zip(padded, lengths, strict=True)
            ],
        },
        "padded-column": {"signature_name": "padded", "inputs": {"waveform": padded, "lengths": lengths}},
        "bytes-row": {"signature_name": "audio_bytes", "instances": b64},
        "bytes-named-row": {"signature_name": "audio_bytes", "instances": [{"audio_bytes": one} for one in b64]},
        "bytes-column": {"signature_name": "audio_bytes", "inputs": {"audio_bytes": b64}},
        "embedding-row": {"signature_name": "embedding", "instances": [clips[0].tolist()]},
    }
    for name, body in bodies.items():
        (folder / f"{name}.json").write_text(json.dumps(body))
    together = {"padded": [], "audio_bytes": [], "serving_default": []}
    for number, (clip, file) in enumerate(zip(clips, files, strict=True)):
        for signature, inputs in {
            "padded": {"waveform": clip[None], "lengths": np.array([len(clip)], "int32")},
            "audio_bytes": {"audio_bytes": [file]},
            "serving_default": {"waveform": clip[None]},
        }.items():
            name = f"{signature}-{number}"
            (folder / f"{name}.request").write_bytes(predict_request(signature, inputs))
            together[signature].append(name)
    (folder / "embedding-0.request").write_bytes(predict_request("embedding", {"waveform": clips[0][None]}))
    return list(together.values())


def predict_request(signature, inputs):
    from tensorflow_serving.apis.predict_pb2 import PredictRequest

    request = PredictRequest()
    request.model_spec.name = "emotions"
    request.model_spec.version.value = 1
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request.SerializeToString()


def grpc(folder, name):
    from tensorflow_serving.apis.predict_pb2 import PredictResponse

    response = PredictResponse.FromString((folder / f"{name}.answer").read_bytes())
    return {key: tf.make_ndarray(value) for key, value in response.outputs.items()}


def answer(folder, name):
    return json.loads((folder / f"{name}.answer").read_text())


def alone(run, clips):
    """What the run's model says of each clip by itself."""
    model = run.classifier()
    said = []
    for clip in clips:
        given = {"waveform": clip[None], "lengths": np.array([len(clip)], "int32")}
        said.append(keras.ops.convert_to_numpy(model(given if len(model.inputs) > 1 else clip[None], training=False)))
    return np.concatenate(said)


def test_rest_in_rows_and_columns_gets_the_models_answers(served):
    run, clips, folder = served
    expected = alone(run, clips)
    rows = answer(folder, "default-row")["predictions"]
    assert len(rows) == 2
    for row in [*rows, *answer(folder, "default-named-row")["predictions"]]:
        assert row["classes"] == list(run.classes)
        assert row["label"] == run.classes[int(np.argmax(row["probabilities"]))]
        np.testing.assert_allclose(row["probabilities"], expected[0], atol=1e-5)
    outputs = answer(folder, "default-column")["outputs"]
    np.testing.assert_allclose(outputs["probabilities"], expected[:1], atol=1e-5)
    for name in ("padded-row", "bytes-row", "bytes-named-row"):
        said = [row["probabilities"] for row in answer(folder, name)["predictions"]]
        np.testing.assert_allclose(said, expected, atol=1e-5)
    for name in ("padded-column", "bytes-column"):
        np.testing.assert_allclose(answer(folder, name)["outputs"]["probabilities"], expected, atol=1e-5)


def test_grpc_gets_the_models_answers(served):
    run, clips, folder = served
    for number, expected in enumerate(alone(run, clips)):
        for signature in ("serving_default", "padded", "audio_bytes"):
            told = grpc(folder, f"{signature}-{number}")
            assert set(told) == {"label", "classes", "probabilities"}
            np.testing.assert_allclose(told["probabilities"], [expected], atol=1e-5)
            assert told["label"].tolist() == [run.classes[int(np.argmax(told["probabilities"]))].encode()]


def test_what_the_server_batches_is_answered_as_single_requests(served):
    """Of unequal lengths, which it pads with each request's first sample: through `padded`, and as files."""
    _, clips, folder = served
    for signature in ("padded", "audio_bytes"):
        for number in range(len(clips)):
            single, batched = (grpc(folder, f"{signature}-{number}{how}") for how in ("", "-batched"))
            np.testing.assert_allclose(batched["probabilities"], single["probabilities"], atol=1e-5)


def test_without_lengths_a_padded_clip_is_another_one(served):
    """So that the test above can fail, and the reason why `serving_default` must not be batched with padding."""
    _, _, folder = served
    single, batched = (grpc(folder, f"serving_default-2{how}")["probabilities"] for how in ("", "-batched"))
    assert np.abs(single - batched).max() > 3e-5


def test_the_embedding_is_what_enters_the_last_layer(served):
    run, clips, folder = served
    embedder = classifier_embedder(run.classifier())
    expected = embedder([clips[0][None], np.array([len(clips[0])], "int32")], training=False)
    told = grpc(folder, "embedding-0")
    assert set(told) == {"embedding"}
    np.testing.assert_allclose(told["embedding"], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(answer(folder, "embedding-row")["predictions"], told["embedding"], rtol=1e-6)


def test_the_predictor_takes_it_too(served):
    run, clips, folder = served
    said = Predictor(folder / "emotions" / "1").probabilities(clips[2])
    np.testing.assert_allclose(said, Predictor(run.directory).probabilities(clips[2]), atol=1e-5)
