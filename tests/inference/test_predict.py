"""Predicting files: runs and SavedModels agree, every length and format is taken, every slip gets a sentence."""

import shutil

import numpy as np
import pytest
import soundfile

from sertk.audio import read
from sertk.export import export_saved_model
from sertk.inference import Predictor, predict


@pytest.fixture(scope="module")
def saved_model(finished_run, tmp_path_factory):
    return export_saved_model(finished_run, tmp_path_factory.mktemp("exports") / "1")


@pytest.fixture(scope="module", params=["run", "saved_model"])
def predictor(request, finished_run, saved_model):
    return Predictor(finished_run.directory if request.param == "run" else saved_model)


def columns(table):
    return table[[name for name in table if name.startswith("p_")]].to_numpy()


def test_gives_a_row_a_file_with_probabilities(predictor, tiny_corpus, finished_run):
    paths = list(tiny_corpus["path"][:3])
    table = predict(predictor, paths, progress=False)
    assert list(table["path"]) == paths
    assert [name for name in table if name.startswith("p_")] == [f"p_{name}" for name in finished_run.classes]
    np.testing.assert_allclose(columns(table).sum(axis=1), 1, atol=1e-5)
    assert list(table["predicted"]) == [finished_run.classes[index] for index in columns(table).argmax(axis=1)]
    assert table["seconds"][0] == pytest.approx(soundfile.info(paths[0]).duration, abs=1e-3)


def test_run_and_saved_model_agree(finished_run, saved_model, tiny_corpus):
    paths = list(tiny_corpus["path"][::20])
    of_run, of_saved_model = (columns(predict(model, paths)) for model in (finished_run.directory, saved_model))
    np.testing.assert_allclose(of_run, of_saved_model, atol=1e-5)


def test_folders_are_searched_at_any_depth(predictor, tiny_corpus, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    shutil.copy(tiny_corpus["path"][0], tmp_path / "a" / "one.wav")
    shutil.copy(tiny_corpus["path"][1], tmp_path / "a" / "b" / "TWO.WAV")
    (tmp_path / "a" / "notes.txt").write_text("no audio")
    table = predict(predictor, [tmp_path])
    assert sorted(path.rsplit("/", 1)[1] for path in table["path"]) == ["TWO.WAV", "one.wav"]


def test_same_speech_in_another_format_gets_the_same_answer(predictor, tiny_corpus, tmp_path):
    waveform = read(tiny_corpus["path"][0])
    soundfile.write(tmp_path / "stereo.flac", np.stack([waveform, waveform], axis=1), 16_000, subtype="PCM_24")
    answers = columns(predict(predictor, [tiny_corpus["path"][0], tmp_path / "stereo.flac"]))
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-4)


@pytest.mark.parametrize("seconds", [0.001, 0.4, 1.0, 61.0])
def test_any_length(predictor, seconds, tmp_path):
    soundfile.write(tmp_path / "clip.wav", np.random.default_rng(0).normal(0, 0.1, int(seconds * 16_000)), 16_000)
    table = predict(predictor, [tmp_path / "clip.wav"], windows=True)
    assert np.isfinite(columns(table)).all()


def test_windows_hear_the_whole_recording(predictor):
    """1 s of sound at the start of 4 s: the middle second is silent, and one window in seven hears all of the sound."""
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, 16_000).astype("float32")
    long = np.concatenate([sound, np.zeros(48_000, "float32")])
    silent = predictor.probabilities(np.zeros(16_000, "float32"))
    np.testing.assert_allclose(predictor.probabilities(long), silent, atol=1e-5)
    starts = range(0, 48_001, 8_000)
    expected = np.mean([predictor.probabilities(long[start : start + 16_000]) for start in starts], axis=0)
    np.testing.assert_allclose(predictor.probabilities(long, windows=True), expected, atol=1e-5)
    assert np.abs(expected - silent).max() > 1e-4


@pytest.mark.parametrize(
    ("waveform", "message"),
    [
        (np.zeros((2, 100)), r"shape \(samples,\)\. Received: shape=\(2, 100\)"),
        (np.zeros(0), r"Received: shape=\(0,\)"),
        (np.array([0.1, np.nan]), "holds NaN or infinity"),
    ],
)
def test_what_is_no_waveform_is_refused(predictor, waveform, message):
    with pytest.raises(ValueError, match=message):
        predictor.probabilities(waveform)


def test_slips_of_the_user_are_told(predictor, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.wav").write_text("not audio")
    with pytest.raises(FileNotFoundError, match=r"gone\.wav: there is no such file"):
        predict(predictor, [tmp_path / "gone.wav"])
    with pytest.raises(ValueError, match="holds no audio file, at any depth"):
        predict(predictor, [tmp_path / "empty"])
    with pytest.raises(ValueError, match=r"text\.wav: can't be decoded as audio"):
        predict(predictor, [tmp_path / "text.wav"])
    with pytest.raises(ValueError, match="`files` must name at least one"):
        predict(predictor, [])
    with pytest.raises(FileNotFoundError, match="no such folder; pass a run or a SavedModel"):
        Predictor(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="is neither a run"):
        Predictor(tmp_path / "empty")


def test_saved_model_of_somebody_else_is_refused(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ValueError, match="is no SavedModel of sertk"):
        Predictor(tmp_path)


def test_what_a_saved_models_graph_refuses_is_one_sentence(saved_model, tmp_path):
    """16-bit integers that somebody wrote as floats: a sound file to libsndfile."""
    loud = np.full(16_000, 20_000.0)
    soundfile.write(tmp_path / "loud.wav", loud, 16_000, subtype="FLOAT")
    sentence = r"`waveform` must lie in \[-1, 1\]; divide 16-bit PCM by 32768\. Received: a sample of 20000(\.0*)?$"
    with pytest.raises(ValueError, match=f"^{sentence}"):
        Predictor(saved_model).probabilities(loud)
    with pytest.raises(ValueError, match=rf"loud\.wav: {sentence}"):
        predict(saved_model, [tmp_path / "loud.wav"])


def test_a_saved_model_takes_a_long_clip_in_windows_alone(saved_model, finished_run):
    """Its graph refuses over 60 s, so that a server's memory is bounded; a run's network has no such limit."""
    rate = Predictor(saved_model).sample_rate
    waveform = np.random.default_rng(0).normal(0, 0.1, 61 * rate).astype("float32")
    with pytest.raises(ValueError, match=rf"at most {60 * rate} samples, 60 s; ask by windows.* {61 * rate} samples"):
        Predictor(saved_model).probabilities(waveform)
    for model, windows in ((saved_model, True), (finished_run.directory, False)):
        assert Predictor(model).probabilities(waveform, windows=windows).sum() == pytest.approx(1, abs=1e-5)
