"""DEMoS and the children's speech."""

import pytest

from sertk.corpora import OFFICIAL, load, load_manifest, map_labels, save_manifest, split

# Table 2 of paper 003, and the 332 neutral clips of Parada-Cabaleiro et al. (2020).
DEMOS = {"rab": 1477, "dis": 1678, "pau": 1156, "col": 1129, "gio": 1395, "tri": 1530, "sor": 1000, "neu": 332}


def demos():
    """68 speakers, 23 of them women, who share each emotion's clips."""
    paths = []
    for emotion, clips in DEMOS.items():
        for clip in range(clips):
            speaker, item = clip % 68 + 1, clip // 68
            name = f"{'f' if speaker <= 23 else 'm'}_{speaker:02d}_{emotion}{item // 2:02d}{'ab'[item % 2]}"
            paths.append(f"NEU/{name}.wav" if emotion == "neu" else f"DEMOS/{('PR', 'NP')[clip % 2]}_{name}.wav")
    return paths


@pytest.mark.filterwarnings("error")
def test_demos_has_the_published_counts(plant):
    manifest = load("demos", plant(*demos()))
    assert len(manifest) == 9365 + 332
    assert manifest["emotion"].value_counts().to_dict() == OFFICIAL["demos"].emotions
    assert manifest.groupby("gender")["speaker"].nunique().to_dict() == {"female": 23, "male": 45}
    assert manifest["typicality"].isna().sum() == 332
    seven = map_labels(manifest, "demos-seven")
    assert len(seven) == 9365
    assert seven.attrs["dropped"] == {"neutral": 332}
    assert seven["emotion"].value_counts().to_dict() == {
        "angry": 1477,
        "disgust": 1678,
        "fear": 1156,
        "guilt": 1129,
        "happy": 1395,
        "sad": 1530,
        "surprise": 1000,
    }


@pytest.mark.parametrize(
    ("stem", "emotion", "typicality"),
    [("NP_f_01_col07b", "guilt", "non-prototypical"), ("PR_m_69_gio12a", "happy", "prototypical")],
)
def test_what_a_demos_name_says(plant, stem, emotion, typicality):
    (row,) = load("demos", plant(f"{stem}.wav")).to_dict("records")
    assert (row["emotion"], row["typicality"], row["language"]) == (emotion, typicality, "it")
    assert (row["gender"], row["speaker"]) == (("female", "01") if "_f_" in stem else ("male", "69"))


CHILDREN = {
    "english_children/english_words_sentences/01_M_native/studio_mic/numbers/one.wav": ("01", "male", "studio", "one"),
    "english_words_sentences/03_F_nonNative/nao_mic/sentences/the_fish_is_in_the_pond.wav": (
        "03",
        "female",
        "robot",
        "the fish is in the pond",
    ),
    "english_free_speech/files_cut_by_sentences/11_M_native/a boy looking at the frog.wav": (
        "11",
        "male",
        None,
        "a boy looking at the frog",
    ),
    "english_free_speech/files_in_one_part/03_F_native/port.wav": ("03", "female", "portable", None),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("path", CHILDREN)
def test_what_the_folders_of_the_children_say(plant, path):
    table = load("children", plant(path))
    row = table.astype(object).where(table.notna(), None).iloc[0].to_dict()
    speaker, gender, microphone, statement = CHILDREN[path]
    assert (row["speaker"], row["gender"], row["microphone"], row.get("statement")) == (
        speaker,
        gender,
        microphone,
        statement,
    )
    assert row["emotion"] is None
    assert row["native"] == ("no" if "nonNative" in path else "yes")


def test_what_is_in_no_childs_folder_is_listed(plant):
    folder = plant(*CHILDREN, "hello.wav", "01_M_native/02_F_native/one.wav")
    with pytest.warns(UserWarning, match=r"left out 2 files: .*not in the folder of one child"):
        assert len(load("children", folder)) == 4


def test_unlabelled_clips_are_refused_where_labels_are_needed(plant):
    manifest = load("children", plant(*CHILDREN))
    with pytest.raises(ValueError, match=r"does not know the emotion \(no emotion\) \(4 clips\)"):
        map_labels(manifest, "eight")
    with pytest.raises(ValueError, match=r"`emotion` must be known for each clip.* Received: 4 clips"):
        split(manifest)


def test_unlabelled_clips_come_back_from_a_table_if_asked_for(plant, tmp_path):
    manifest = load("children", plant(*CHILDREN))
    save_manifest(manifest, tmp_path / "children.csv")
    assert load_manifest(tmp_path / "children.csv")["emotion"].isna().all()
    with pytest.raises(ValueError, match=r"none was found; left out 4 files: .*the row has no emotion"):
        load("csv", tmp_path / "children.csv")
    again = load("csv", tmp_path / "children.csv", unlabelled=True)
    assert again["path"].tolist() == manifest["path"].tolist()
    assert again["speaker"].tolist() == manifest["speaker"].tolist()
    assert again["emotion"].isna().all()
