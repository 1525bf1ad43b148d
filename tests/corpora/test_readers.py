"""One's own corpus, and the door to all of them."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from sertk.corpora import READERS, load


def test_csv_reads_what_it_knows_and_keeps_the_rest(write_clip, tmp_path):
    write_clip("clips/b.wav", seconds=0.5)
    write_clip("clips/a.flac", seconds=0.25)
    (tmp_path / "mine.csv").write_text(
        "path,emotion,speaker,gender,age,note\nclips/b.wav,Joy,01,F,31,\nclips/a.flac,bewildered,NA,,46,loud\n"
    )
    manifest = load("csv", tmp_path / "mine.csv")
    expected = pd.DataFrame(
        {
            "path": [str(tmp_path / "clips/a.flac"), str(tmp_path / "clips/b.wav")],
            "emotion": ["bewildered", "happy"],
            "speaker": ["NA", "01"],
            "gender": [pd.NA, "female"],
            "corpus": ["mine", "mine"],
        },
        dtype="string",
    ).assign(duration=[0.25, 0.5], age=[46, 31], note=pd.array(["loud", pd.NA], dtype="string"))
    pd.testing.assert_frame_equal(manifest, expected)


def test_csv_in_a_folder_is_called_manifest(write_clip, tmp_path):
    write_clip("a.wav")
    (tmp_path / "manifest.csv").write_text("path,emotion,corpus\na.wav,sad,mine\n")
    assert load("csv", tmp_path)["corpus"].tolist() == ["mine"]


def test_csv_called_manifest_takes_the_name_of_its_folder(write_clip, tmp_path):
    """Or else every corpus that is read from a folder would have the same name."""
    write_clip("voices/a.wav")
    (tmp_path / "voices" / "manifest.csv").write_text("path,emotion\na.wav,sad\n")
    for place in ("voices", "voices/manifest.csv"):
        assert load("csv", tmp_path / place)["corpus"].tolist() == ["voices"]


def test_csv_with_an_empty_corpus_takes_the_name_of_the_table(write_clip, tmp_path):
    write_clip("a.wav")
    write_clip("b.wav")
    (tmp_path / "mine.csv").write_text("path,emotion,corpus\na.wav,sad,\nb.wav,sad,theirs\n")
    assert load("csv", tmp_path / "mine.csv")["corpus"].tolist() == ["mine", "theirs"]


def test_csv_from_excel(write_clip, tmp_path):
    """Excel starts a UTF-8 file with a mark and ends lines as Windows does."""
    write_clip("a.wav")
    (tmp_path / "mine.csv").write_bytes("\ufeffpath,emotion\r\na.wav,sad\r\n".encode())
    assert load("csv", tmp_path / "mine.csv")["emotion"].tolist() == ["sad"]


def test_csv_lists_rows_that_can_not_be_used(write_clip, tmp_path):
    write_clip("a.wav")
    write_clip("b.wav")
    (tmp_path / "mine.csv").write_text("path,emotion\na.wav,sad\na.wav,happy\nb.wav,\ngone.wav,sad\n,sad\n")
    with pytest.warns(UserWarning, match=r"csv: left out 4 files"):
        manifest = load("csv", tmp_path / "mine.csv")
    assert manifest["emotion"].tolist() == ["sad"]
    assert sorted(entry["reason"] for entry in manifest.attrs["skipped"]) == [
        "duplicate: the table has an earlier row for this file",
        "the row has no emotion",
        "the row has no path",
        "there is no such file",
    ]
    assert {Path(entry["path"]).name for entry in manifest.attrs["skipped"] if entry["kind"] == "bad"} == {"gone.wav"}


def test_folders_name_the_emotions(write_clip, tmp_path):
    write_clip("corpus/Anger/a.wav")
    write_clip("corpus/pleasant_surprise/deep/b.wav")
    write_clip("corpus/lost.wav")
    with pytest.warns(UserWarning, match=r"lost\.wav \(not in the folder of an emotion\)"):
        manifest = load("folders", tmp_path / "corpus")
    assert manifest["emotion"].tolist() == ["angry", "surprise"]
    assert manifest["corpus"].tolist() == ["corpus"] * 2
    assert manifest[["speaker", "gender"]].isna().all(axis=None)
    assert list(manifest.columns) == ["path", "emotion", "speaker", "gender", "corpus", "duration"]


@pytest.mark.parametrize(
    "name",
    ["readme.wav", "README_angry.flac", "license1.mp3", "Checksums of joy.ogg", "changelog.AIFF", "makefile.wav"],
)
def test_sound_is_a_clip_though_it_is_called_as_companions_are(write_clip, tmp_path, name):
    write_clip(f"corpus/Anger/{name}")
    assert load("folders", tmp_path / "corpus")["emotion"].tolist() == ["angry"]


def test_companions_and_hidden_files_are_passed_over(write_clip, tmp_path):
    write_clip("corpus/Anger/a.wav")
    for name in ("README", "readme.1st", "LICENCE", "notes.docx", "plot.png", "labels.csv", "Makefile"):
        (tmp_path / "corpus" / "Anger" / name).write_text("words")
    write_clip("corpus/Anger/.hidden.wav")
    write_clip("corpus/.trash/Anger/b.wav")
    write_clip("corpus/__MACOSX/Anger/c.wav")
    manifest = load("folders", tmp_path / "corpus")
    assert len(manifest) == 1
    assert manifest.attrs["skipped"] == []


def test_a_folder_called_like_a_clip_is_listed(write_clip, tmp_path):
    write_clip("corpus/Anger/a.wav")
    (tmp_path / "corpus" / "Anger" / "dir.wav").mkdir()
    with pytest.warns(UserWarning, match=r"left out 1 file: dir\.wav \(a folder, and no audio file\)"):
        manifest = load("folders", tmp_path / "corpus")
    assert manifest["path"].tolist() == [str(tmp_path / "corpus" / "Anger" / "a.wav")]
    assert manifest.attrs["skipped"][0]["kind"] == "unknown"


def test_rows_are_in_the_same_order_everywhere(write_clip, tmp_path):
    """Ordered as text, with / between folders: upper case first, no matter how the disk lists them."""
    for name in ("sad/b.wav", "sad/B.wav", "sad/a/z.wav", "Angry/c.wav"):
        write_clip(name)
    paths = load("folders", tmp_path)["path"]
    assert [path.removeprefix(f"{tmp_path}/") for path in paths] == [
        "Angry/c.wav",
        "sad/B.wav",
        "sad/a/z.wav",
        "sad/b.wav",
    ]


@pytest.mark.parametrize("name", sorted(READERS))
def test_missing_folder_is_named(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=r"`directory` must .* Received: directory=.*nowhere"):
        load(name, tmp_path / "nowhere")


# Of a folder of clips; the others want a table or label files first, and say so.
FOLDER_READERS = sorted(set(READERS) - {"csv", "iemocap", "synthetic"})


@pytest.mark.parametrize("name", FOLDER_READERS)
def test_folder_without_clips_says_what_was_there(write_clip, tmp_path, name):
    with pytest.raises(
        ValueError, match=r"`directory` must hold clips of the corpus .*, and none was found\. Received"
    ):
        load(name, tmp_path)
    write_clip("hello.wav")
    with pytest.raises(ValueError, match=r"none was found; left out 1 file: hello\.wav \(.*\)\. Received: directory="):
        load(name, tmp_path)


@pytest.mark.parametrize("name", [*FOLDER_READERS, "iemocap"])
def test_file_for_a_folder_is_refused(write_clip, name):
    with pytest.raises(ValueError, match=r"`directory` must be a folder; .* which is a file"):
        load(name, write_clip("a.wav"))


@pytest.mark.parametrize("name", ["ravdes", None, ["ravdess"]])
def test_unknown_corpus_lists_the_known_ones(tmp_path, name):
    with pytest.raises(
        ValueError, match=r"`name` must be one of 'children', .*'savee', 'synthetic', 'tess'\. Received: "
    ):
        load(name, tmp_path)


def test_unknown_option_lists_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match=r"the reader 'ravdess' takes the options song\. Received: \{'sing': True\}"):
        load("ravdess", tmp_path, sing=True)
    with pytest.raises(ValueError, match=r"the reader 'emovo' takes no options\. Received: \{'sing': True\}"):
        load("emovo", tmp_path, sing=True)


def test_another_corpus_is_not_taken_for_the_synthetic_one(write_clip, tmp_path):
    write_clip("a.wav")
    (tmp_path / "manifest.csv").write_text("path,emotion,corpus\na.wav,sad,mine\n")
    with pytest.raises(ValueError, match=r"must hold what `write_synthetic` wrote.*\['mine'\]"):
        load("synthetic", tmp_path)


def test_room_opens_without_the_heavy_packages():
    code = (
        "import sys, sertk.corpora; sertk.corpora.load; sertk.corpora.save_manifest;"
        "print([name for name in ('tensorflow', 'keras', 'sklearn', 'scipy', 'librosa') if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"


def test_every_public_name_is_there():
    import sertk.corpora

    for name in sertk.corpora.__all__:
        assert getattr(sertk.corpora, name) is not None
