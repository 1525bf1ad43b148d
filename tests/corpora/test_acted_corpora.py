"""CREMA-D, TESS, SAVEE, EMOVO and EMO-DB: trees with the official names give the published counts."""

import collections
import itertools

import pytest

from sertk.corpora import OFFICIAL, load, map_labels

CREMA_D_SENTENCES = ["IEO", "TIE", "IOM", "IWW", "TAI", "MTI", "IWL", "ITH", "DFA", "ITS", "TSI", "WSI"]


def crema_d():
    """91 actors, 82 clips each: twelve sentences in six emotions, the first in three intensities; 20 were not made."""
    names = []
    for actor, sentence in itertools.product(range(1001, 1092), CREMA_D_SENTENCES):
        levels = ("LO", "MD", "HI") if sentence == "IEO" else ("XX",)
        names += [f"{actor}_{sentence}_{e}_{level}" for e in ("ANG", "DIS", "FEA", "HAP", "SAD") for level in levels]
        names.append(f"{actor}_{sentence}_NEU_XX")
    missing = {
        f"{actor}_TIE_{emotion}_XX" for actor in (1011, 1012, 1013) for emotion in ["ANG", "DIS", "FEA", "HAP", "SAD"]
    }
    missing |= {f"{actor}_WSI_NEU_XX" for actor in range(1020, 1025)}
    names = [name for name in names if name not in missing]
    # One published name lacks a letter.
    return [f"AudioWAV/{'1040_ITH_SAD_X' if name == '1040_ITH_SAD_XX' else name}.wav" for name in names]


def tess():
    words = [f"{first}{second}t" for first in "abcdefghij" for second in "abcdefghijklmnopqrst"]
    folders = {"ps": "pleasant_surprise"}
    paths = [
        f"{speaker}_{folders.get(emotion, emotion)}/{speaker}_{word}_{emotion}.wav"
        for speaker in ("OAF", "YAF")
        for emotion in ("angry", "disgust", "fear", "happy", "neutral", "ps", "sad")
        for word in ["bite", *words[1:]]
    ]
    return [path.replace("OAF_bite_neutral", "OA_bite_neutral") for path in paths]


def savee():
    numbers = {"a": 15, "d": 15, "f": 15, "h": 15, "n": 30, "sa": 15, "su": 15}
    return [
        f"AudioData/{speaker}/{emotion}{number:02d}.wav"
        for speaker in ("DC", "JE", "JK", "KL")
        for emotion, most in numbers.items()
        for number in range(1, most + 1)
    ]


def emovo():
    sentences = ["b1", "b2", "b3", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5", "d1", "d2"]
    emotions = ["dis", "gio", "neu", "pau", "rab", "sor", "tri"]
    return [
        f"EMOVO/{speaker}/{emotion}-{speaker}-{sentence}.wav"
        for speaker in ("f1", "f2", "f3", "m1", "m2", "m3")
        for emotion in emotions
        for sentence in sentences
    ]


FOUND = {"crema_d": crema_d, "tess": tess, "savee": savee, "emovo": emovo}
# Cao et al. (2014); Pichora-Fuller and Dupuis (2020); Haq and Jackson (2009); Costantini et al. (2014).
SEVEN = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
PUBLISHED = {
    "crema_d": (7442, {**dict.fromkeys(("angry", "disgust", "fear", "happy", "sad"), 1271), "neutral": 1087}, 43, 48),
    "tess": (2800, dict.fromkeys(SEVEN, 400), 2, 0),
    "savee": (480, {**dict.fromkeys(SEVEN, 60), "neutral": 120}, 0, 4),
    "emovo": (588, dict.fromkeys(SEVEN, 84), 3, 3),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", FOUND)
def test_a_tree_of_official_names_gives_the_published_counts(plant, name):
    manifest = load(name, plant(*FOUND[name]()))
    clips, emotions, women, men = PUBLISHED[name]
    assert manifest.attrs["skipped"] == []
    assert len(manifest) == clips
    assert manifest["emotion"].value_counts().to_dict() == emotions
    speakers = manifest.groupby("gender")["speaker"].nunique()
    assert (speakers.get("female", 0), speakers.get("male", 0)) == (women, men)
    assert set(manifest["corpus"]) == {name}
    assert manifest["duration"].eq(0.01).all()
    # What the reader states as official is the same, and so is what a check is measured by.
    official = OFFICIAL[name]
    assert (official.clips, official.emotions, official.speakers) == (clips, emotions, women + men)
    assert set(official.by_speaker) == set(manifest["speaker"])
    known = {speaker: number for speaker, number in official.by_speaker.items() if number is not None}
    assert known == {
        speaker: number for speaker, number in manifest["speaker"].value_counts().items() if speaker in known
    }


# Burkhardt et al. (2005) and the list of the database: letters of the German words, and clips; speakers and clips.
EMO_DB_EMOTIONS = {"W": 127, "L": 81, "E": 46, "A": 69, "F": 71, "T": 62, "N": 79}
EMO_DB_SPEAKERS = {"03": 49, "08": 58, "09": 43, "10": 38, "11": 55, "12": 35, "13": 61, "14": 69, "15": 56, "16": 71}


def emo_db():
    """535 names that have as many clips of each speaker and of each emotion as the database."""
    sentences = ["a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10"]
    versions = list(itertools.product("abcdefghijklm", sentences))
    letters = [letter for letter, clips in EMO_DB_EMOTIONS.items() for _ in range(clips)]
    speakers = [speaker for speaker, clips in EMO_DB_SPEAKERS.items() for _ in range(clips)]
    used = collections.Counter()
    names = []
    for speaker, letter in zip(speakers, letters, strict=True):
        version, sentence = versions[used[speaker, letter]]
        used[speaker, letter] += 1
        names.append(f"wav/{speaker}{sentence}{letter}{version}.wav")
    return names


@pytest.mark.filterwarnings("error")
def test_emo_db_has_the_published_counts(plant):
    folder = plant(*emo_db(), "lablaut/03a01Fa.lablaut", "erkennung.txt")
    manifest = load("emo_db", folder)
    assert len(manifest) == OFFICIAL["emo_db"].clips == 535
    assert manifest.attrs["skipped"] == []
    by_emotion = dict(
        zip(["angry", "boredom", "disgust", "fear", "happy", "sad", "neutral"], EMO_DB_EMOTIONS.values(), strict=True)
    )
    assert manifest["emotion"].value_counts().to_dict() == OFFICIAL["emo_db"].emotions == by_emotion
    assert manifest["speaker"].value_counts().to_dict() == OFFICIAL["emo_db"].by_speaker == EMO_DB_SPEAKERS
    assert manifest.groupby("gender")["speaker"].nunique().to_dict() == {"female": 5, "male": 5}


@pytest.mark.parametrize("name", sorted(OFFICIAL))
def test_official_counts_agree_with_each_other(name):
    official = OFFICIAL[name]
    if official.emotions:
        assert sum(official.emotions.values()) == official.clips
    if official.by_speaker:
        assert len(official.by_speaker) == official.speakers
        if None not in official.by_speaker.values():
            assert sum(official.by_speaker.values()) == official.clips


def test_what_a_crema_d_name_says(plant):
    folder = plant("1001_IEO_HAP_MD.wav", "1091_MTI_SAD_XX.wav")
    happy, sad = load("crema_d", folder).to_dict("records")
    assert happy == {
        "path": str(folder / "1001_IEO_HAP_MD.wav"),
        "emotion": "happy",
        "speaker": "1001",
        "gender": "male",
        "corpus": "crema_d",
        "statement": "It's eleven o'clock",
        "intensity": "medium",
        "language": "en",
        "duration": 0.01,
    }
    assert (sad["gender"], sad["statement"]) == ("female", "Maybe tomorrow it will be cold")
    assert load("crema_d", folder)["intensity"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("actor", "gender"),
    [(1001, "male"), (1002, "female"), (1037, "female"), (1048, "male"), (1076, "female"), (1090, "male")],
)
def test_genders_of_crema_d_are_those_of_its_demographics(plant, actor, gender):
    assert load("crema_d", plant(f"{actor}_DFA_ANG_XX.wav"))["gender"].tolist() == [gender]


@pytest.mark.parametrize(
    ("name", "path", "emotion", "speaker", "gender", "statement"),
    [
        ("tess", "YAF_pleasant_surprised/YAF_door_ps.wav", "surprise", "YAF", "female", "Say the word door"),
        ("tess", "OA_bite_neutral.wav", "neutral", "OAF", "female", "Say the word bite"),
        ("emovo", "m2/tri-m2-d1.wav", "sad", "m2", "male", "Sabato sera cosa farà?"),
        (
            "emo_db",
            "wav/16b10Lb.wav",
            "boredom",
            "16",
            "female",
            "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
        ),
        ("emo_db", "wav/11a02Ac.wav", "fear", "11", "male", "Das will sie am Mittwoch abgeben."),
    ],
)
def test_what_other_names_say(plant, name, path, emotion, speaker, gender, statement):
    (row,) = load(name, plant(path)).to_dict("records")
    assert (row["emotion"], row["speaker"], row["gender"], row["statement"]) == (emotion, speaker, gender, statement)


@pytest.mark.parametrize(
    ("letter", "emotion"),
    list(zip("WLEAFTN", ("angry", "boredom", "disgust", "fear", "happy", "sad", "neutral"), strict=True)),
)
def test_letters_of_emo_db_are_german_words(plant, letter, emotion):
    assert load("emo_db", plant(f"03a01{letter}a.wav"))["emotion"].tolist() == [emotion]


@pytest.mark.parametrize(
    "path", ["JK/sa03.wav", "JK_sa03.wav", "ALL/jk_sa03.WAV", "JK/JK_sa03.flac", "x/jk/deep/sa03.mp3"]
)
def test_savee_as_published_and_as_on_kaggle(plant, path):
    (row,) = load("savee", plant(path)).to_dict("records")
    assert (row["speaker"], row["emotion"], row["gender"]) == ("JK", "sad", "male")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("sa03.wav", r"folder and name tell no speaker; it should be one of DC, JE, JK, KL"),
        ("DC/JK_sa03.wav", r"folder and name tell two speakers, DC and JK"),
        ("DC/sa16.wav", r"the name is not of the form sa05"),
        ("DC/x01.wav", r"the name is not of the form sa05"),
    ],
)
def test_savee_does_not_guess(plant, path, reason):
    with pytest.warns(UserWarning, match=reason):
        manifest = load("savee", plant("KL/n30.wav", path))
    assert manifest["speaker"].tolist() == ["KL"]


def test_only_the_one_misnamed_clip_of_tess_lacks_a_letter(plant):
    with pytest.warns(UserWarning, match=r"left out 2 files"):
        manifest = load("tess", plant("OAF_back_angry.wav", "OA_back_fear.wav", "OA_bite_sad.wav"))
    assert len(manifest) == 1


def test_wave_file_comes_before_its_mp3(plant):
    """CREMA-D's repository holds both; its MP3 files are known to have blanks."""
    folder = plant("AudioMP3/1001_DFA_ANG_XX.mp3", "AudioWAV/1001_DFA_ANG_XX.wav", "VideoFlash/1001_DFA_ANG_XX.flv")
    with pytest.warns(UserWarning, match=r"left out 1 file: .*mp3 \(duplicate of AudioWAV/1001_DFA_ANG_XX\.wav\)"):
        manifest = load("crema_d", folder)
    assert manifest["path"].tolist() == [str(folder / "AudioWAV/1001_DFA_ANG_XX.wav")]
    assert manifest.attrs["skipped"][0]["kind"] == "aside"


def test_kaggle_copy_of_tess_is_read_once(plant):
    inner = "TESS Toronto emotional speech set data/"
    with pytest.warns(UserWarning, match=r"left out 1 file: .*duplicate of OAF_Fear/OAF_back_fear\.wav"):
        manifest = load("tess", plant("OAF_Fear/OAF_back_fear.wav", f"{inner}OAF_Fear/OAF_back_fear.wav"))
    assert len(manifest) == 1


def test_seven_classes_fit_the_four_corpora_of_paper_004_and_emovo(plant):
    samples = {
        "crema_d": crema_d()[:82],
        "savee": savee()[:120],
        "tess": tess()[::40],
        "emovo": emovo()[:98],
        "ravdess": [f"03-01-{emotion:02d}-01-01-01-01.wav" for emotion in range(1, 9)],
    }
    for name, paths in samples.items():
        manifest = load(name, plant(*paths, folder=name))
        mapped = map_labels(manifest, "seven")
        assert len(mapped) == len(manifest) == len(paths)
        assert set(mapped["emotion"]) <= set(SEVEN)
        assert set(mapped["emotion"]) == set(SEVEN) - ({"surprise"} if name == "crema_d" else set())


def test_real_emovo_has_the_published_counts(corpora_dir):
    """Costantini et al. (2014): 6 actors, 14 sentences, 7 emotions."""
    if not (corpora_dir / "emovo-16k").is_dir():
        pytest.skip("no EMOVO at hand")
    manifest = load("emovo", corpora_dir / "emovo-16k")
    assert manifest.attrs["skipped"] == []
    assert manifest["emotion"].value_counts().to_dict() == dict.fromkeys(SEVEN, 84)
    assert manifest["speaker"].value_counts().to_dict() == dict.fromkeys(("f1", "f2", "f3", "m1", "m2", "m3"), 98)
    assert manifest["statement"].value_counts().tolist() == [42] * 14
    assert manifest["duration"].between(0.5, 15).all()
