"""The SavedModel: raw waveforms in, the training model's probabilities out, in a process that has only TensorFlow."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import sertk
from sertk.audio import FixedLength
from sertk.export import export_saved_model
from sertk.models import without_fixed_length
from sertk.recipes import get, override

ALONE = """
import sys
for package in "sertk keras keras_nlp keras_hub librosa soundfile soxr sklearn pandas scipy".split():
    sys.modules[package] = None  # an import of it fails
import numpy as np
import tensorflow as tf
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
outputs = serve(waveform=tf.constant(np.load(sys.argv[2])))
np.savez(sys.argv[3], **{name: value.numpy() for name, value in outputs.items()})
"""


@pytest.fixture(scope="module")
def saved_model(finished_run, tmp_path_factory):
    return export_saved_model(finished_run, tmp_path_factory.mktemp("exports") / "emotions" / "1")


@pytest.fixture(scope="module")
def serve(saved_model):
    loaded = tf.saved_model.load(str(saved_model))

    def call(waveform):
        _ = loaded
        return loaded.signatures["serving_default"](waveform=tf.constant(waveform, tf.float32))

    return call


def waveforms(batch, samples):
    return np.random.default_rng(batch * samples).uniform(-0.5, 0.5, (batch, samples)).astype("float32")


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("samples", [1, 700, 16_000, 50_001])
def test_gives_the_training_models_probabilities(serve, finished_run, batch, samples):
    clips = waveforms(batch, samples)
    outputs = serve(clips)
    trained = without_fixed_length(finished_run.model())
    expected = trained.predict(np.asarray(FixedLength(16_000)(clips)), verbose=0)
    np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-5)
    np.testing.assert_allclose(np.sum(outputs["probabilities"], axis=1), 1, atol=1e-5)


def test_names_its_answers(serve, finished_run):
    outputs = serve(waveforms(3, 16_000))
    classes = [[name.decode() for name in row] for row in outputs["classes"].numpy()]
    assert classes == [list(finished_run.classes)] * 3
    best = outputs["probabilities"].numpy().argmax(axis=1)
    assert [label.decode() for label in outputs["label"].numpy()] == [finished_run.classes[index] for index in best]


def test_serves_where_only_tensorflow_is(saved_model, serve, tmp_path):
    clips = waveforms(2, 20_000)
    np.save(tmp_path / "clips.npy", clips)
    arguments = [saved_model, tmp_path / "clips.npy", tmp_path / "outputs.npz"]
    subprocess.run([sys.executable, "-c", ALONE, *map(str, arguments)], check=True, capture_output=True)
    alone = np.load(tmp_path / "outputs.npz")
    assert set(alone) == {"label", "classes", "probabilities"}
    np.testing.assert_allclose(alone["probabilities"], serve(clips)["probabilities"], atol=1e-6)


@pytest.mark.slow
def test_images_are_drawn_where_only_tensorflow_is(tiny_corpus, cache, small, tmp_path):
    """Speech as a picture, from waveform to SqueezeNet's probabilities, in a process without sertk and matplotlib."""
    image = {"features.kind": "mel_image", "features.height": 48, "features.width": 48, "features.normalize": False}
    network = {"model.builder": "transfer_head", "model.backbone": "squeezenet", "training.epochs": 1}
    recipe = override(get("004-vgg16-1"), {"model.weights": None, "training.retrain": False})
    changes = {**small, **image, **network}
    run = sertk.train(recipe, tiny_corpus, tmp_path / "run", changes=changes, cache=cache, verbose=0)
    saved_model = export_saved_model(run, tmp_path / "saved" / "1")
    clips = waveforms(2, 16_000)
    np.save(tmp_path / "clips.npy", clips)
    arguments = [saved_model, tmp_path / "clips.npy", tmp_path / "outputs.npz"]
    subprocess.run([sys.executable, "-c", ALONE, *map(str, arguments)], check=True, capture_output=True)
    expected = run.model().predict(clips, verbose=0)
    np.testing.assert_allclose(np.load(tmp_path / "outputs.npz")["probabilities"], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        (np.full((1, 800), np.nan), "holds NaN or infinity"),
        (np.array([[0.0, np.inf]]), "holds NaN or infinity"),
        (np.zeros((2, 0)), "must hold at least one sample"),
        (np.full((1, 800), 12_000.0), "divide 16-bit PCM by 32768"),
    ],
)
def test_what_can_not_be_audio_is_refused_in_the_graph(serve, clips, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        serve(clips)


@pytest.mark.parametrize("shape", [(800,), (1, 800, 2)])
def test_wrong_rank_is_refused(serve, shape):
    with pytest.raises((TypeError, ValueError, tf.errors.InvalidArgumentError), match="waveform"):
        serve(np.zeros(shape))


def test_says_what_it_is_beside_the_model(saved_model, finished_run):
    metadata = json.loads((saved_model / "assets.extra" / "sertk.json").read_text())
    assert metadata["classes"] == list(finished_run.classes)
    assert (metadata["sample_rate"], metadata["seconds"]) == (16_000, 1.0)
    assert (metadata["shortest"], metadata["max_seconds"]) == (1, 60.0)
    assert metadata["rates"] == [8_000, 16_000, 22_050, 24_000, 44_100, 48_000]


@pytest.mark.slow
def test_the_user_is_not_told_of_a_folder_that_will_be_gone(finished_run, tmp_path, capfd):
    """TensorFlow logs where it writes, which is under another name until the export is done."""
    export_saved_model(finished_run, tmp_path / "1", warm_up=False)
    said = capfd.readouterr()
    assert "unfinished" not in said.out + said.err
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


@pytest.mark.parametrize("max_seconds", [0, -1.0, 3_601, float("nan"), "60", True])
def test_limits_that_are_none_are_refused(finished_run, tmp_path, max_seconds):
    with pytest.raises(ValueError, match=r"`max_seconds` must be .*Received"):
        export_saved_model(finished_run, tmp_path / "1", max_seconds=max_seconds)
    assert not (tmp_path / "1").exists()


def test_nothing_is_overwritten(saved_model, finished_run):
    with pytest.raises(ValueError, match="holds something already; export to a new folder"):
        export_saved_model(finished_run, saved_model)


@pytest.mark.slow
def test_an_export_that_fails_leaves_nothing_to_serve(finished_run, tmp_path, monkeypatch):
    def full_disk(*_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr("sertk.export.saved_model.json.dumps", full_disk)
    with pytest.raises(OSError, match="No space left"):
        export_saved_model(finished_run, tmp_path / "1")
    assert not (tmp_path / "1").exists()


def test_unfinished_run_is_refused(tmp_path, finished_run):
    unfinished = tmp_path / "run"
    unfinished.mkdir()
    (unfinished / "recipe.json").write_text(finished_run.path("recipe.json").read_text())
    with pytest.raises(ValueError, match="training has not ended; the command that began it goes on with it: sertk"):
        export_saved_model(unfinished, tmp_path / "1")
