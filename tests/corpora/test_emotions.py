"""One word for each emotion, and label maps that merge and drop on purpose only."""

import pandas as pd
import pytest

from sertk.corpora import LABEL_MAPS, map_labels
from sertk.corpora.emotions import canonical_emotion


@pytest.mark.parametrize(
    ("word", "emotion"),
    [
        ("Anger", "angry"),
        ("ANGRY", "angry"),
        ("joy", "happy"),
        ("Happiness", "happy"),
        ("sadness", "sad"),
        ("fearful", "fear"),
        ("Disgusted", "disgust"),
        ("surprised", "surprise"),
        ("Pleasant_Surprise", "surprise"),
        ("pleasant-surprised", "surprise"),
        (" frustration ", "frustrated"),
        ("Contempt", "contempt"),
    ],
)
def test_words_of_many_corpora(word, emotion):
    assert canonical_emotion(word) == emotion


def manifest_of(**clips):
    emotions = [emotion for emotion, number in clips.items() for _ in range(number)]
    return pd.DataFrame({"emotion": emotions}, dtype="string").assign(path=[f"/{i}.wav" for i in range(len(emotions))])


def test_seven_classes_of_paper_004_merge_calm_into_neutral():
    mapped = map_labels(manifest_of(calm=192, neutral=96, fear=5), "seven")
    assert mapped["emotion"].value_counts().to_dict() == {"neutral": 288, "fear": 5}
    assert sorted(set(LABEL_MAPS["seven"].values())) == [
        "angry",
        "disgust",
        "fear",
        "happy",
        "neutral",
        "sad",
        "surprise",
    ]


def test_dropped_clips_are_counted_and_skipped_ones_kept():
    manifest = manifest_of(sad=2, calm=3, angry=1)
    manifest.attrs["skipped"] = [{"path": "/x", "reason": "no"}]
    mapped = map_labels(manifest, {"sad": "low", "angry": "high", "calm": None})
    assert mapped["emotion"].tolist() == ["low", "low", "high"]
    assert mapped["path"].tolist() == ["/0.wav", "/1.wav", "/5.wav"]
    assert mapped.index.tolist() == [0, 1, 2]
    assert mapped.attrs == {"skipped": [{"path": "/x", "reason": "no"}], "dropped": {"calm": 3}}
    assert manifest["emotion"].tolist() == ["sad"] * 2 + ["calm"] * 3 + ["angry"]


def test_no_map_changes_nothing():
    manifest = manifest_of(sad=1, boredom=2)
    mapped = map_labels(manifest, None)
    pd.testing.assert_frame_equal(mapped, manifest)
    assert mapped.attrs["dropped"] == {}


@pytest.mark.parametrize(
    ("label_map", "words"),
    [
        ("eight", r"does not know the emotion boredom \(2 clips\); add each with its class, or with None to drop"),
        ({"sad": "sad"}, r"does not know the emotion boredom \(2 clips\).* Received: a map of sad"),
        ({"sad": None, "boredom": None}, r"must keep at least one clip"),
        (
            "nine",
            r"must be one of 'demos-seven', .*'seven', 'three', 'three-fear', a dict.* Received: label_map='nine'",
        ),
        (7, r"must be one of .* Received: label_map=7"),
        ({"sad": 0, "boredom": "x"}, r"the name of its class, or to None to drop it\. Received: \{'sad': 0\}"),
    ],
)
def test_maps_that_do_not_fit_are_refused(label_map, words):
    with pytest.raises(ValueError, match=words):
        map_labels(manifest_of(sad=1, boredom=2), label_map)


def test_clip_without_emotion_is_refused():
    with pytest.raises(ValueError, match=r"\(no emotion\) \(1 clips\)"):
        map_labels(pd.DataFrame({"emotion": ["sad", pd.NA]}, dtype="string"), "seven")
