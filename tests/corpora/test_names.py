"""Names that people changed a little are known again; what may be another clip is not taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sertk.corpora import READERS, load
from sertk.corpora.readers.names import parse

# A clip of each corpus: its path, the emotion and the speaker, as its makers named it.
CLIPS = {
    "crema_d": ("1001_DFA_ANG_XX", "angry", "1001"),
    "tess": ("OAF_back_angry", "angry", "OAF"),
    "savee": ("DC_a01", "angry", "DC"),
    "emovo": ("rab-f1-b2", "angry", "f1"),
    "emo_db": ("03a01Wa", "angry", "03"),
    "demos": ("PR_f_01_rab07b", "angry", "01"),
    "ravdess": ("03-01-05-01-01-01-01", "angry", "01"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize(
    "change",
    [
        "{}.wav",
        "{}.WAV",
        "{}.flac",
        "{}.mp3",
        "a/b/c/{}.wav",
        "{} (1).wav",
        "{} - Copy.wav",
        "{}_16k.wav",
        "{}_16000Hz.wav",
        "{}_mono_16k.wav",
        " {} .wav",
        "{}.wav.wav",
    ],
)
def test_a_small_change_does_not_hide_a_clip(plant, name, change):
    stem, emotion, speaker = CLIPS[name]
    for written in (stem, stem.lower(), stem.upper(), stem.replace("_", " ").replace("-", "_")):
        folder = plant(change.format(written), folder=written)
        (row,) = load(name, folder).to_dict("records")
        assert (row["emotion"], row["speaker"]) == (emotion, speaker)


@pytest.mark.parametrize("name", CLIPS)
def test_the_corpus_may_be_named_first(plant, name):
    stem, emotion, _ = CLIPS[name]
    assert load(name, plant(f"{name}_{stem}.wav"))["emotion"].tolist() == [emotion]


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize(
    "change", ["{}_noise", "{}_pitch+2", "aug_{}", "{}{}", "{}_{}", "{}x", "x{}", "{}_1", "0001_{}", "{}_angry"]
)
def test_what_may_be_something_else_is_listed_and_not_read(plant, name, change):
    stem = CLIPS[name][0]
    folder = plant(f"{stem}.wav", f"{change.format(stem, stem)}.wav")
    with pytest.warns(UserWarning, match=r"left out 1 file: "):
        manifest = load(name, folder)
    assert manifest["path"].tolist() == [str(folder / f"{stem}.wav")]
    (entry,) = manifest.attrs["skipped"]
    assert entry["kind"] == "unknown"


@pytest.mark.parametrize("name", CLIPS)
def test_a_copy_beside_the_clip_is_a_duplicate(plant, name):
    stem = CLIPS[name][0]
    folder = plant(f"{stem} (1).wav", f"{stem}.wav", f"deep/{stem}_16k.flac")
    with pytest.warns(UserWarning, match=r"left out 2 files"):
        manifest = load(name, folder)
    assert manifest["path"].tolist() == [str(folder / f"{stem}.wav")]
    assert {entry["reason"] for entry in manifest.attrs["skipped"]} == {f"duplicate of {stem}.wav"}
    assert all(entry["kind"] == "aside" for entry in manifest.attrs["skipped"])


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize(
    "hostile",
    [
        "; rm -rf ~.wav",
        "a\nb.wav",
        "%s%n.wav",
        "..wav",
        "ａｎｇ.wav",
        "١٠٠١_DFA_ANG_XX.wav",
        "x" * 200 + ".wav",
        "-1.wav",
    ],
)
def test_hostile_names_are_listed(plant, name, hostile):
    stem = CLIPS[name][0]
    folder = plant(f"{stem}.wav")
    (folder / hostile).write_bytes((folder / f"{stem}.wav").read_bytes())
    if hostile.startswith("."):  # hidden on every system but Windows
        assert len(load(name, folder)) == 1
        return
    with pytest.warns(UserWarning, match=r"left out 1 file"):
        manifest = load(name, folder)
    assert manifest.attrs["skipped"][0]["path"] == str(folder / hostile)


def test_a_linked_folder_is_listed_and_not_followed(plant, tmp_path):
    folder = plant("f1/rab-f1-b2.wav")
    plant("rab-m1-b2.wav", folder="elsewhere")
    (folder / "m1").symlink_to(tmp_path / "elsewhere")
    with pytest.warns(UserWarning, match=r"m1 \(a link to a folder, which is not followed; name the folder itself\)"):
        assert len(load("emovo", folder)) == 1


@given(stem=st.text(max_size=30))
def test_no_text_breaks_the_parser(stem):
    match = parse("(?P<actor>10[0-9]{2})_(?P<sentence>[a-z]{3})", stem)
    assert match is None or match["actor"] in stem


@pytest.mark.parametrize("name", sorted(set(READERS) - {"csv", "folders", "iemocap", "synthetic"}))
def test_no_reader_takes_the_clips_of_another_corpus(plant, name):
    others = [f"{stem}.wav" for other, (stem, *_) in CLIPS.items() if other != name.removesuffix("_song")]
    with pytest.raises(ValueError, match=r"none was found; left out \d files"):
        load(name, plant(*others))
