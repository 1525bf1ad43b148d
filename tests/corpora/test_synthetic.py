"""The synthetic corpus: complete, the same each time, and neither trivial nor hopeless to learn."""

import librosa
import numpy as np
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sertk.corpora import load, split, write_synthetic

EMOTIONS = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic")
    return write_synthetic(folder, speakers=8, clips=4)


def test_manifest_is_complete(corpus):
    manifest = load("synthetic", corpus)
    assert len(manifest) == 8 * 7 * 4
    assert manifest.groupby(["speaker", "emotion"]).size().eq(4).all()
    assert sorted(manifest["emotion"].unique()) == EMOTIONS
    assert manifest.groupby("gender")["speaker"].nunique().to_dict() == {"female": 4, "male": 4}
    assert set(manifest["corpus"]) == {"synthetic"}
    assert manifest["duration"].between(1.8, 2.6).all()
    assert manifest.attrs["skipped"] == []
    split(manifest)


def test_files_are_what_they_say(corpus):
    manifest = load("synthetic", corpus)
    for path in manifest["path"][::9]:
        info = soundfile.info(path)
        assert (info.format, info.subtype, info.samplerate, info.channels) == ("WAV", "PCM_16", 16_000, 1)
        samples, _ = soundfile.read(path, dtype="int16")
        assert 1_000 < np.abs(samples.astype(int)).max() < 2**15 - 1


def test_readme_says_that_it_is_no_speech(corpus):
    words = (corpus / "README.txt").read_text()
    assert words.startswith("A synthetic corpus: not speech of people, and no benchmark.")


def test_corpus_can_be_moved(tmp_path):
    write_synthetic(tmp_path / "here", speakers=1, clips=1, seconds=(0.5, 0.5))
    (tmp_path / "here").rename(tmp_path / "there")
    assert load("synthetic", tmp_path / "there")["path"].str.startswith(str(tmp_path / "there")).all()


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_same_arguments_same_bytes(tmp_path):
    small = {"clips": 1, "seconds": (0.5, 0.8)}
    first = files_of(write_synthetic(tmp_path / "a", speakers=1, seed=5, **small))
    assert files_of(write_synthetic(tmp_path / "b", speakers=1, seed=5, **small)) == first
    other = files_of(write_synthetic(tmp_path / "c", speakers=1, seed=6, **small))
    larger = files_of(write_synthetic(tmp_path / "d", speakers=2, seed=5, **small))
    clips = [name for name in first if name.endswith(".wav")]
    assert len(clips) == 7
    assert all(first[name] != other[name] for name in clips)
    assert all(first[name] == larger[name] for name in clips)


def test_women_speak_higher_than_men(corpus):
    manifest = load("synthetic", corpus)
    pitch = {
        gender: np.median(
            [
                np.median(librosa.yin(soundfile.read(path)[0], fmin=60, fmax=600, sr=16_000))
                for path in rows["path"][rows["emotion"] == "neutral"]
            ]
        )
        for gender, rows in manifest.groupby("gender")
    }
    assert 90 < pitch["male"] < 150 < 170 < pitch["female"] < 260


def test_new_voices_can_be_learned_but_not_by_loudness_alone(corpus):
    """Accuracy of a linear classifier on unknown speakers; chance is 1/7."""
    manifest = load("synthetic", corpus)
    waveforms = [soundfile.read(path, dtype="float32")[0] for path in manifest["path"]]
    options = {"sr": 16_000, "n_fft": 512, "hop_length": 160, "n_mels": 40}
    bands = [10 * np.log10(librosa.feature.melspectrogram(y=waveform, **options) + 1e-10) for waveform in waveforms]
    statistics = np.array([np.concatenate([band.mean(axis=1), band.std(axis=1)]) for band in bands])
    loudness = np.array([[10 * np.log10(np.mean(waveform**2))] for waveform in waveforms])

    def accuracy(features):
        classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=2000))
        emotions, speakers = (manifest[column].to_numpy(dtype=object) for column in ("emotion", "speaker"))
        return cross_val_score(classifier, features, emotions, groups=speakers, cv=GroupKFold(4)).mean()

    assert 0.5 < accuracy(statistics) < 0.95
    assert accuracy(loudness) < 0.4


def test_own_folder_is_written_over_and_no_other(tmp_path):
    small = {"speakers": 1, "clips": 1, "seconds": (0.5, 0.5)}
    write_synthetic(tmp_path / "mine", seed=1, **small)
    write_synthetic(tmp_path / "mine", seed=2, **small)
    (tmp_path / "yours").mkdir()
    (tmp_path / "yours" / "manifest.csv").write_text("path,emotion\n")
    with pytest.raises(
        ValueError, match=r"`directory` must be new, empty, or hold an earlier.* which holds other files"
    ):
        write_synthetic(tmp_path / "yours", **small)
    with pytest.raises(ValueError, match=r"`directory` must be a folder.* which is a file"):
        write_synthetic(tmp_path / "yours" / "manifest.csv", **small)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"speakers": 0}, r"`speakers` must be a whole number of 1 or more\. Received: speakers=0"),
        ({"clips": 1.5}, r"`clips` must be a whole number of 1 or more\. Received: clips=1\.5"),
        ({"sample_rate": 4000}, r"`sample_rate` must be a whole number of 8000 or more"),
        ({"seed": -1}, r"`seed` must be a whole number from 0 to 2\*\*32 - 1\. Received: seed=-1"),
        ({"seconds": 2}, r"`seconds` must be two numbers.* Received: seconds=2"),
        ({"seconds": (2.0, 1.0)}, r"`seconds` must be two numbers, the shortest and the longest"),
        ({"seconds": (0.1, 1.0)}, r"`seconds` must be two numbers.* of 0\.5 or more"),
    ],
)
def test_impossible_arguments_are_refused_before_anything_is_written(tmp_path, arguments, words):
    with pytest.raises(ValueError, match=words):
        write_synthetic(tmp_path / "new", **arguments)
    assert not (tmp_path / "new").exists()
