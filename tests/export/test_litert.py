"""LiteRT files: Keras's probabilities where only `ai-edge-litert` is, smaller in half floats and in 8 bits."""

import json
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import soundfile

import sertk
from sertk.export import export_litert
from sertk.inference import Predictor

pytest.importorskip("ai_edge_litert")

ALONE = """
import sys
for package in "tensorflow keras keras_nlp keras_hub sertk librosa scipy pandas sklearn".split():
    sys.modules[package] = None  # an import of it fails
import json, zipfile
import numpy as np
from ai_edge_litert.interpreter import Interpreter
described = json.loads(zipfile.ZipFile(sys.argv[1]).read("sertk.json"))
ask = Interpreter(model_path=sys.argv[1]).get_signature_runner("serving_default")
answers = [ask(waveform=clip)["probabilities"] for clip in np.load(sys.argv[2]).values()]
assert {answer.dtype.name for answer in answers} == {"float32"}
print(json.dumps([described["classes"], described["sample_rate"], np.concatenate(answers).tolist()]))
"""
WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None
from sertk.cli import main
sys.argv = ["sertk", "predict", *sys.argv[1:], "--json"]
main()
"""


def clip(samples, seed=0):
    """Noise over 60 dB of levels, so that `top_db` has something to cut off."""
    random = np.random.default_rng(seed)
    return (0.3 * random.standard_normal(samples) * np.geomspace(1, 1e-3, samples)).astype("float32")


def kinds(path):
    """The operations of a file with the types of their results, as the interpreter tells them, in their order."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_path=str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    types = {tensor["index"]: tensor["dtype"].__name__ for tensor in interpreter.get_tensor_details()}
    return [(one["op_name"], types[one["outputs"][0]]) for one in interpreter._get_ops_details()]


@pytest.fixture(scope="module")
def files(finished_run, tmp_path_factory):
    """The finished run in each format, by what it was quantised to."""
    folder = tmp_path_factory.mktemp("litert")
    return {
        quantize: export_litert(finished_run, folder / f"{quantize}.tflite", quantize=quantize)
        for quantize in (None, "float16", "int8")
    }


@pytest.fixture(scope="module")
def keras_answer(finished_run):
    model = finished_run.classifier()
    return lambda waveform: np.asarray(model(waveform[None], training=False))[0]


@pytest.mark.parametrize("samples", [1, 700, 16_000, 50_001])
def test_in_float_the_answers_are_kerass(files, keras_answer, samples):
    given = clip(samples)
    np.testing.assert_allclose(Predictor(files[None]).probabilities(given), keras_answer(given), atol=1e-4)


def test_runs_where_only_ai_edge_litert_is(files, finished_run, keras_answer, tmp_path):
    clips = [clip(9_000), clip(30_000, seed=1)]
    np.savez(tmp_path / "clips.npz", *[one[None] for one in clips])
    command = [sys.executable, "-c", ALONE, files[None], tmp_path / "clips.npz"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    classes, sample_rate, answers = json.loads(result.stdout.splitlines()[-1])
    assert (tuple(classes), sample_rate) == (finished_run.classes, 16_000)
    np.testing.assert_allclose(answers, [keras_answer(one) for one in clips], atol=1e-4)


def test_predict_needs_no_tensorflow_for_it(files, finished_run, tiny_corpus):
    path = tiny_corpus["path"][0]
    command = [sys.executable, "-c", WITHOUT_TENSORFLOW, files[None], path]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    (answer,) = json.loads(result.stdout)
    expected = sertk.predict(finished_run.directory, [path]).iloc[0]
    assert answer["predicted"] == expected["predicted"]
    for name, probability in answer["probabilities"].items():
        assert probability == pytest.approx(expected[f"p_{name}"], abs=1e-4)


def test_a_long_recording_is_heard_in_windows(files, finished_run):
    """Half-overlapping windows of a second in 2.5 s: four, whose mean Keras gives too."""
    given = clip(40_000)
    expected = Predictor(finished_run.directory).probabilities(given, windows=True)
    np.testing.assert_allclose(Predictor(files[None]).probabilities(given, windows=True), expected, atol=1e-4)


def test_half_floats_and_8_bits_are_smaller_and_nearly_agree(files, keras_answer):
    size = {quantize: path.stat().st_size for quantize, path in files.items()}
    assert size["int8"] < size["float16"] < size[None]
    given = clip(16_000)
    assert np.abs(Predictor(files["float16"]).probabilities(given) - keras_answer(given)).max() < 2e-3
    assert np.abs(Predictor(files["int8"]).probabilities(given) - keras_answer(given)).max() < 0.05


def test_in_8_bits_features_stay_in_float_and_the_network_does_not(files):
    found = kinds(files["int8"])
    quantised = found.index(("QUANTIZE", "int8"))
    assert {kind for name, kind in found if name in ("RFFT2D", "REAL", "IMAG", "LOG", "SQUARE")} == {
        "complex64",
        "float32",
    }
    assert {kind for _, kind in found[:quantised]} <= {"float32", "complex64", "int32", "bool"}
    assert {kind for name, kind in found[quantised:] if name in ("CONV_2D", "FULLY_CONNECTED")} == {"int8"}
    assert sum(name == "QUANTIZE" for name, _ in found) == 1


def test_the_ranges_are_measured_on_training_and_validation_clips_alone(finished_run, monkeypatch):
    from sertk.export import calibration

    heard = []
    monkeypatch.setattr(calibration, "read", lambda path, *_, **__: heard.append(str(path)) or clip(16_000))
    clips = calibration.calibration_set(finished_run, 1_000)
    split = finished_run.split
    assert sorted(heard) == sorted(split.loc[split["part"] != "test", "path"])
    assert {one.shape for one in clips} == {(16_000,)}


def test_few_clips_are_drawn_evenly_from_the_emotions(finished_run, monkeypatch):
    from sertk.export import calibration

    heard = []
    monkeypatch.setattr(calibration, "read", lambda path, *_, **__: heard.append(str(path)) or clip(16_000))
    calibration.calibration_set(finished_run, 14)
    emotions = finished_run.split.set_index("path").loc[heard, "emotion"]
    assert emotions.value_counts().tolist() == [2] * 7


def test_the_ranges_are_measured_on_what_the_recipe_crops(finished_run, tmp_path):
    from sertk.export.calibration import calibration_set
    from sertk.recipes import Run

    shutil.copy(finished_run.path("split.csv"), tmp_path)
    settings = json.loads(finished_run.path("recipe.json").read_text())
    settings["recipe"]["audio"]["crop"] = "start"
    (tmp_path / "recipe.json").write_text(json.dumps(settings))
    soundfile.write(tmp_path / "clip.wav", np.repeat([0.25, -0.25], 16_000), 16_000)
    (heard,) = calibration_set(Run(tmp_path), [tmp_path / "clip.wav"])
    np.testing.assert_array_equal(heard, np.full(16_000, 0.25, "float32"))


def test_clips_of_the_test_part_are_refused(finished_run, tmp_path):
    test = finished_run.split.query("part == 'test'")["path"].iloc[0]
    with pytest.raises(ValueError, match=r"`calibration` must have no clips of the run's test part.*Received: "):
        export_litert(finished_run, tmp_path / "a.tflite", quantize="int8", calibration=[test])
    assert not list(tmp_path.iterdir())


def test_the_file_tells_its_classes_and_can_be_unzipped(files, finished_run):
    for quantize, path in files.items():
        with zipfile.ZipFile(path) as archive:
            described = json.loads(archive.read("sertk.json"))
            assert archive.read("labels.txt").decode().split() == list(finished_run.classes)
        assert described["quantize"] == quantize
        assert described["recipe"]["name"] == "004-cnn-mfcc"


@pytest.mark.parametrize("n_fft", [400, 512])
def test_any_length_of_the_fourier_transform_gives_librosas_numbers(n_fft):
    """LiteRT transforms powers of two alone; 400 samples, 25 ms, are what many take."""
    import keras
    import librosa
    from ai_edge_litert.interpreter import Interpreter

    from sertk.audio import FixedLength
    from sertk.export.litert import convert
    from sertk.features import LogMelSpectrogram

    waveforms = keras.Input((None,))
    mel = LogMelSpectrogram(n_fft=n_fft, hop_length=160, n_mels=40)
    model = keras.Model(waveforms, mel(FixedLength(16_000)(waveforms)))
    given = clip(16_000)
    ask = Interpreter(model_content=convert(model)).get_signature_runner()
    power = librosa.feature.melspectrogram(
        y=given, sr=16_000, n_fft=n_fft, hop_length=160, n_mels=40, pad_mode="constant"
    )
    expected = librosa.power_to_db(power).T
    np.testing.assert_allclose(ask(waveform=given[None])["probabilities"][0], expected, atol=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["two_cnn", "parallel", "attentive", "ensemble", "chunks", "trimmed"])
def test_families_agree_with_keras(untrained_run, tmp_path, family):
    run = untrained_run(family)
    model = Predictor(export_litert(run, tmp_path / "model.tflite"))
    for samples in (3_000, 21_000):
        given = clip(samples)
        expected = Predictor(run.directory).probabilities(given)
        np.testing.assert_allclose(model.probabilities(given), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"path": "model.onnx"}, r"`path` must end in .tflite. Received: .*model.onnx"),
        ({"quantize": "int4"}, r"`quantize` must be one of float16, int8, or None. Received: 'int4'"),
        ({"calibration": 3}, r"`calibration` is for quantize=\"int8\" alone. Received: calibration=3"),
        ({"quantize": "int8", "calibration": 0}, r"`calibration` must be a number of clips above 0.*Received: 0"),
    ],
)
def test_arguments_out_of_range_are_refused(finished_run, tmp_path, arguments, words):
    path = tmp_path / arguments.pop("path", "model.tflite")
    with pytest.raises(ValueError, match=words):
        export_litert(finished_run, path, **arguments)
    assert not path.exists()
