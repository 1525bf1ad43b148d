"""RAVDESS as its authors describe it, and as people's disks hold it."""

import itertools

import pytest

from sertk.corpora import load, split
from sertk.corpora.splits.twins import recordings

NAME = "03-01-06-01-02-01-12"


def reasons(manifest):
    return {entry["path"].rsplit("/", 1)[-1]: entry["reason"] for entry in manifest.attrs["skipped"]}


def test_official_counts(ravdess_dir):
    """Livingstone and Russo (2018): 24 actors x 60 clips; 192 of each emotion, 96 neutral; two sentences."""
    manifest = load("ravdess", ravdess_dir)
    assert len(manifest) == 1440
    assert manifest.attrs["skipped"] == []
    assert manifest["emotion"].value_counts().to_dict() == {
        "neutral": 96,
        **dict.fromkeys(("calm", "happy", "sad", "angry", "fear", "disgust", "surprise"), 192),
    }
    assert manifest.groupby("speaker").size().to_dict() == {f"{actor:02d}": 60 for actor in range(1, 25)}
    assert manifest.groupby("gender")["speaker"].nunique().to_dict() == {"female": 12, "male": 12}
    assert manifest["statement"].value_counts().tolist() == [720, 720]
    assert manifest["intensity"].value_counts().to_dict() == {"normal": 768, "strong": 672}
    # The authors' clips are about three to five seconds long.
    assert manifest["duration"].between(2.5, 5.5).all()
    assert manifest["path"].is_monotonic_increasing


def test_the_one_recording_that_is_there_twice(ravdess_dir):
    manifest = load("ravdess", ravdess_dir)
    number = recordings(manifest)
    twins = manifest["path"].groupby(number).filter(lambda paths: len(paths) > 1)
    assert sorted(path[-25:-5] for path in twins) == ["03-01-03-01-02-01-07", "03-01-03-01-02-02-07"]


def test_published_random_split(ravdess_dir):
    """80/10/10 of 1,440 clips is 1,152/144/144; a tenth of 192 and 96 is 19 or 20, 9 or 10."""
    table = split(load("ravdess", ravdess_dir), kind="random")
    assert table["part"].value_counts().to_dict() == {"train": 1152, "validation": 144, "test": 144}
    test = table[table["part"] == "test"]["emotion"].value_counts()
    assert test.drop("neutral").between(19, 20).all()
    assert test["neutral"] in (9, 10)
    number = recordings(table)
    assert (table["part"].groupby(number).nunique() == 1).all()


def test_what_a_name_says(write_clip, tmp_path):
    write_clip(f"{NAME}.wav", seconds=0.25)
    row = load("ravdess", tmp_path).iloc[0]
    assert row.to_dict() == {
        "path": str(tmp_path / f"{NAME}.wav"),
        "emotion": "fear",
        "speaker": "12",
        "gender": "female",
        "corpus": "ravdess",
        "statement": "Dogs are sitting by the door",
        "intensity": "normal",
        "language": "en",
        "duration": 0.25,
        "channel": "speech",
    }


@pytest.mark.parametrize("suffix", ["wav", "WAV", "flac", "ogg", "mp3", "aiff"])
def test_any_format_in_any_folder(write_clip, tmp_path, suffix):
    write_clip(f"deep/er/ACTOR 12/{NAME}.{suffix}", seconds=0.5)
    manifest = load("ravdess", tmp_path)
    assert manifest["speaker"].tolist() == ["12"]
    assert manifest["duration"].iloc[0] == pytest.approx(0.5, abs=0.1)  # a lossy format pads


def test_kaggle_copy_is_read_once(write_clip, tmp_path):
    names = [f"03-01-05-01-01-01-{actor:02d}.wav" for actor in (1, 2)]
    for folder, name in itertools.product(("", "audio_speech_actors_01-24/"), names):
        write_clip(f"{folder}Actor_{name[-6:-4]}/{name}")
    with pytest.warns(
        UserWarning, match=r"ravdess: left out 2 files: .*duplicate of Actor_01/03-01-05.*full list is in"
    ):
        manifest = load("ravdess", tmp_path)
    assert manifest["path"].tolist() == [str(tmp_path / f"Actor_{name[-6:-4]}" / name) for name in names]
    assert all("audio_speech_actors_01-24" in entry["path"] for entry in manifest.attrs["skipped"])


def test_song_is_left_out_unless_asked_for(write_clip, tmp_path):
    write_clip("03-01-05-01-01-01-01.wav")
    write_clip("03-02-05-01-01-01-01.wav")
    with pytest.warns(UserWarning, match=r"left out 1 file: 03-02-05-01-01-01-01\.wav \(song, not speech; .*song=True"):
        speech = load("ravdess", tmp_path)
    assert speech["channel"].tolist() == ["speech"]
    both = load("ravdess", tmp_path, song=True)
    assert both["channel"].tolist() == ["speech", "song"]


def test_what_is_no_clip_is_listed_with_its_reason(write_clip, tmp_path):
    write_clip("Actor_01/03-01-05-01-01-01-01.wav")
    write_clip("notes/hello.wav")
    write_clip("02-01-05-01-01-01-01.wav")
    write_clip("03-01-01-02-01-01-01.wav")
    write_clip("03-01-05-01-01-01-25.wav")
    write_clip("03-01-05-01-01-02-03.wav", seconds=0)
    (tmp_path / "03-01-05-01-01-01-02.wav").write_bytes(b"")
    (tmp_path / "03-01-05-01-01-01-03.wav").write_bytes(b"no sound at all")
    (tmp_path / "03-01-05-01-01-01-04.mp4").write_bytes(b"a film")
    for companion in ("README", "LICENSE.txt", ".DS_Store", "._03-01-05-01-01-01-01.wav", "index.csv"):
        (tmp_path / companion).write_text("")
    with pytest.warns(UserWarning, match=r"left out 8 files: .*; \.\.\.\. The full list") as caught:
        manifest = load("ravdess", tmp_path)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert len(manifest) == 1
    found = reasons(manifest)
    assert found.pop("03-01-05-01-01-01-03.wav").startswith("can't be decoded as audio, because it is text")
    assert found == {
        "hello.wav": "the name is not of the form 03-01-06-01-02-01-12",
        "02-01-05-01-01-01-01.wav": "modality 02 is video; audio-only clips start with 03",
        "03-01-01-02-01-01-01.wav": "RAVDESS has no strong neutral clip",
        "03-01-05-01-01-01-25.wav": "the name is not of the form 03-01-06-01-02-01-12",
        "03-01-05-01-01-02-03.wav": "holds no samples; delete it or record it again. Received: 0 samples",
        "03-01-05-01-01-01-02.wav": "is empty; copy or download it again. Received: 0 bytes",
        "03-01-05-01-01-01-04.mp4": "no audio file: the name does not end in "
        ".aif, .aifc, .aiff, .au, .caf, .flac, .mp3, .ogg, .opus, .w64, .wav",
    }


def test_a_broken_copy_does_not_hide_the_good_one(write_clip, tmp_path):
    (tmp_path / f"{NAME}.wav").write_bytes(b"")
    good = write_clip(f"copy/{NAME}.wav")
    (tmp_path / "deeper" / "copy").mkdir(parents=True)
    (tmp_path / "deeper" / "copy" / f"{NAME}.wav").write_bytes(b"")
    with pytest.warns(UserWarning, match=rf"{NAME}\.wav \(a damaged copy of copy/{NAME}\.wav\)"):
        manifest = load("ravdess", tmp_path)
    assert manifest["path"].tolist() == [str(good)]
    assert [entry["kind"] for entry in manifest.attrs["skipped"]] == ["aside", "aside"]


def test_a_clip_without_a_sound_copy_is_bad_in_each_of_its_copies(write_clip, tmp_path):
    write_clip("03-01-05-01-01-01-01.wav")
    (tmp_path / "copy").mkdir()
    for folder in ("", "copy/"):
        (tmp_path / f"{folder}{NAME}.wav").write_bytes(b"")
    with pytest.warns(UserWarning, match=r"left out 2 files: .*is empty"):
        manifest = load("ravdess", tmp_path)
    assert [entry["kind"] for entry in manifest.attrs["skipped"]] == ["bad", "bad"]
