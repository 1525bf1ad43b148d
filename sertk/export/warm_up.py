"""Requests that TF Serving sends to a model before clients do, since the first ones take far longer than others."""

import importlib.util
import io
from pathlib import Path

import numpy as np
import soundfile
import tensorflow as tf

WARM_UP = Path("assets.extra") / "tf_serving_warmup_requests"
# Hz. A recording at another rate than the model's is sent too: its way through the graph is another one.
COMMON = 48_000


def check_warm_up(warm_up):
    """Whether requests for warming up are to be written, of what was asked for and what is installed.

    Args:
        warm_up: bool, or None: if tensorflow-serving-api is installed.

    Returns:
        bool.

    Raises:
        ValueError: if they are asked for and can't be written.
    """
    there = importlib.util.find_spec("tensorflow_serving") is not None
    if warm_up and not there:
        raise ValueError(
            "`warm_up` needs tensorflow-serving-api, which is not installed: pip install 'sertk[serving]'. "
            "Received: warm_up=True"
        )
    return there if warm_up is None else warm_up


def write_warm_up(directory, name, sample_rate, samples):
    """Writes a request to each signature of a SavedModel.

    The clips are quiet noise: what they say is of no matter, but silence would take other branches than speech.

    Args:
        directory: pathlib.Path of the SavedModel.
        name: str, the model's name.
        sample_rate: int, Hz.
        samples: int, the length of a clip.
    """
    # Imported here: the package is an extra.
    from tensorflow_serving.apis.predict_pb2 import PredictRequest
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog, PredictLog

    noise = np.random.default_rng(0).normal(0, 0.01, (1, samples)).astype("float32")
    asked = [
        ("serving_default", {"waveform": noise}),
        ("padded", {"waveform": noise, "lengths": np.array([samples], "int32")}),
        ("embedding", {"waveform": noise}),
        *(
            ("audio_bytes", {"audio_bytes": [_wav(np.resize(noise[0], samples * rate // sample_rate), rate)]})
            for rate in (sample_rate, COMMON)
        ),
    ]
    with tf.io.TFRecordWriter(str(directory / WARM_UP)) as records:
        for signature, inputs in asked:
            request = PredictRequest()
            request.model_spec.name = name
            request.model_spec.signature_name = signature
            for argument, value in inputs.items():
                request.inputs[argument].CopyFrom(tf.make_tensor_proto(value))
            log = PredictionLog(predict_log=PredictLog(request=request))
            records.write(log.SerializeToString())


def _wav(waveform, sample_rate):
    file = io.BytesIO()
    soundfile.write(file, waveform, sample_rate, format="WAV", subtype="PCM_16")
    return file.getvalue()
