"""Answers requests as TF Serving does, in a process that has nothing but TensorFlow; run by test_contract.py.

    python serve_alone.py SAVEDMODEL FOLDER

Of FOLDER it answers `*.json`, bodies of REST requests, and `*.request`, PredictRequests, with `*.answer` beside each.
`batch.json` lists PredictRequests that arrive together: each such list is answered as one padded batch, too.
"""

import base64
import json
import sys
from pathlib import Path

ELSEWHERE = ("sertk", "keras", "keras_nlp", "keras_hub", "librosa", "soundfile", "soxr", "sklearn", "pandas", "scipy")
for package in (*ELSEWHERE, "tensorflow_serving"):
    sys.modules[package] = None  # an import of it fails

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # noqa: E402


def messages():
    """PredictRequest and PredictResponse, as far as they are sent, by the numbers of predict.proto and model.proto."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="alone.proto", package="alone", syntax="proto3")
    file.dependency.append("tensorflow/core/framework/tensor.proto")
    spec = file.message_type.add(name="ModelSpec")
    spec.field.add(name="name", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    spec.field.add(name="signature_name", number=3, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    for name, tensors, number, spec_number in (("Request", "inputs", 2, 1), ("Response", "outputs", 1, 2)):
        message = file.message_type.add(name=name)
        entry = message.nested_type.add(name=f"{tensors.capitalize()}Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
        tensor = {"type": field.TYPE_MESSAGE, "label": field.LABEL_OPTIONAL}
        entry.field.add(name="value", number=2, type_name=".tensorflow.TensorProto", **tensor)
        message.field.add(name="model_spec", number=spec_number, type_name=".alone.ModelSpec", **tensor)
        message.field.add(
            name=tensors,
            number=number,
            type=field.TYPE_MESSAGE,
            label=field.LABEL_REPEATED,
            type_name=f".alone.{name}.{entry.name}",
        )
    pool = descriptor_pool.Default()
    pool.Add(file) if hasattr(pool, "Add") else pool.AddSerializedFile(file.SerializeToString())
    return [
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"alone.{name}")) for name in ("Request", "Response")
    ]


def rest(loaded, body):
    """The answer to a body of the REST interface, in rows ("instances") or in columns ("inputs")."""
    signature = loaded.signatures[body.get("signature_name", "serving_default")]
    takes = signature.structured_input_signature[1]
    if "instances" in body:
        rows = [
            row if isinstance(row, dict) and set(row) == set(takes) else {only(takes): row} for row in body["instances"]
        ]
        given = {name: [row[name] for row in rows] for name in takes}
    else:
        columns = body["inputs"]
        given = columns if isinstance(columns, dict) and set(columns) == set(takes) else {only(takes): columns}
    tensors = {name: tf.constant(plain(given[name]), spec.dtype) for name, spec in takes.items()}
    told = {name: shown(value.numpy()) for name, value in signature(**tensors).items()}
    if "inputs" in body:
        return {"outputs": told if len(told) > 1 else told[only(told)]}
    rows = [dict(zip(told, row, strict=True)) for row in zip(*told.values(), strict=True)]
    return {"predictions": rows if len(told) > 1 else [row[only(told)] for row in rows]}


def only(names):
    (name,) = names
    return name


def plain(value):
    """Numbers as they are, and what stands as {"b64": ...} as bytes."""
    if isinstance(value, dict):
        assert set(value) == {"b64"}
        return base64.b64decode(value["b64"], validate=True)
    return [plain(one) for one in value] if isinstance(value, list) else value


def shown(array):
    return (
        [shown(one) for one in array]
        if getattr(array, "ndim", 0)
        else array.decode()
        if isinstance(array, bytes)
        else float(array)
    )


def predict(loaded, request):
    tensors = {name: tf.constant(tf.make_ndarray(proto)) for name, proto in request.inputs.items()}
    return loaded.signatures[request.model_spec.signature_name or "serving_default"](**tensors)


def batched(loaded, requests):
    """What TF Serving makes of requests that it runs as one: it pads each tensor at its end with its first element."""
    inputs = [{name: tf.make_ndarray(proto) for name, proto in request.inputs.items()} for request in requests]
    together = {}
    for name in inputs[0]:
        arrays = [one[name] for one in inputs]
        if arrays[0].ndim > 1:
            longest = max(array.shape[1] for array in arrays)
            arrays = [
                np.pad(array, ((0, 0), (0, longest - array.shape[1])), constant_values=array.flat[0])
                for array in arrays
            ]
        together[name] = tf.constant(np.concatenate(arrays))
    told = loaded.signatures[requests[0].model_spec.signature_name](**together)
    ends = np.cumsum([len(next(iter(one.values()))) for one in inputs])
    return [
        {name: value[end - size : end] for name, value in told.items()}
        for end, size in zip(ends, np.diff([0, *ends]), strict=True)
    ]


def main(directory, folder):
    loaded, folder = tf.saved_model.load(directory), Path(folder)
    request_class, response_class = messages()

    def answer(path, told):
        response = response_class()
        for name, value in told.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value.numpy()))
        path.with_suffix(".answer").write_bytes(response.SerializeToString())

    for path in sorted(folder.glob("*.json")):
        if path.name != "batch.json":
            path.with_suffix(".answer").write_text(json.dumps(rest(loaded, json.loads(path.read_text()))))
    requests = {path.stem: request_class.FromString(path.read_bytes()) for path in sorted(folder.glob("*.request"))}
    for name, request in requests.items():
        answer(folder / f"{name}.request", predict(loaded, request))
    for names in json.loads((folder / "batch.json").read_text()):
        for name, told in zip(names, batched(loaded, [requests[name] for name in names]), strict=True):
            answer(folder / f"{name}-batched.request", told)


if __name__ == "__main__":
    main(*sys.argv[1:])
