"""The names of emotions: one canonical word each, and the maps that merge or drop classes."""

from collections.abc import Mapping

import pandas as pd

from sertk.corpora.manifest import require_columns

# Canonical word -> what corpora call it. As data, so that a new corpus adds a word and no code.
ALIASES = {
    "angry": ("anger", "ang", "rage"),
    "boredom": ("bored",),
    "calm": ("calmness",),
    "disgust": ("disgusted", "dis"),
    "excited": ("excitement", "exc"),
    "fear": ("fearful", "afraid", "anxiety", "fea"),
    "frustrated": ("frustration", "fru"),
    "guilt": ("guilty",),
    "happy": ("happiness", "joy", "joyful", "hap"),
    "neutral": ("neutrality", "neu"),
    "other": ("oth",),
    "sad": ("sadness", "sorrow"),
    "stress": ("stressed",),
    # What annotators could not agree on, IEMOCAP's xxx.
    "undecided": ("xxx", "no agreement"),
    "surprise": ("surprised", "pleasant surprise", "pleasant surprised", "sur"),
}
_CANONICAL = {alias: emotion for emotion, aliases in ALIASES.items() for alias in (emotion, *aliases)}

_SEVEN = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
_DEMOS = ("angry", "disgust", "fear", "guilt", "happy", "sad", "surprise")
_IEMOCAP_OTHERS = ("disgust", "fear", "frustrated", "other", "surprise", "undecided")
_EIGHT = ("angry", "calm", "disgust", "fear", "happy", "neutral", "sad", "surprise")

# Name -> {emotion: class, or None where the emotion is left out on purpose}.
LABEL_MAPS = {
    # Paper 004: seven classes over RAVDESS, CREMA-D, SAVEE and TESS; RAVDESS' calm counts as neutral.
    "seven": {**{emotion: emotion for emotion in _SEVEN}, "calm": "neutral"},
    # The eight emotions of RAVDESS, as they are.
    "eight": {emotion: emotion for emotion in _EIGHT},
    # The four classes of IEMOCAP on which most papers report, 5,531 utterances: excited counts as happy.
    "iemocap-four": {
        **{emotion: emotion for emotion in ("angry", "happy", "neutral", "sad")},
        "excited": "happy",
        **dict.fromkeys(_IEMOCAP_OTHERS),
    },
    # Paper 003 takes the seven emotions of DEMoS and leaves the neutral clips out.
    "demos-seven": {**{emotion: emotion for emotion in _DEMOS}, "neutral": None},
    # Paper 001 sorts IEMOCAP into anger, stress and neutral, and does not say what it takes for stress, a label
    # that IEMOCAP lacks. Frustration stands in for it: our choice, not the paper's.
    "three": {
        **{emotion: emotion for emotion in ("angry", "neutral", "stress")},
        "frustrated": "stress",
        **dict.fromkeys(
            ("boredom", "calm", "disgust", "excited", "fear", "guilt", "happy", "other", "sad", "surprise", "undecided")
        ),
    },
    # The same where nobody is frustrated or under stress, as in RAVDESS: fear is the third class.
    "three-fear": {
        **{emotion: emotion for emotion in ("angry", "fear", "neutral")},
        **dict.fromkeys(("boredom", "calm", "disgust", "guilt", "happy", "sad", "surprise")),
    },
}


def canonical_emotion(word):
    """Gives an emotion its canonical word: "Happiness" -> "happy".

    Case, surrounding blanks, and "_" or "-" between words do not matter. A word that is no known emotion stays as
    it is, in lower case.
    """
    word = " ".join(str(word).lower().replace("_", " ").replace("-", " ").split())
    return _CANONICAL.get(word, word)


def map_labels(manifest, label_map):
    """Replaces each clip's emotion by its class; clips whose class is None are left out.

    Args:
        manifest: DataFrame with the column `emotion`.
        label_map: a name in `LABEL_MAPS`, a dict of emotion to class (None drops the emotion on purpose), or None,
            which changes nothing.

    Returns:
        A new manifest with a fresh index. `attrs["dropped"]` counts the clips left out, `{emotion: clips}`; other
        `attrs` are kept.

    Raises:
        ValueError: if the map is unknown, does not know an emotion of the manifest, or leaves no clip.

    Example:
        >>> map_labels(manifest, {"angry": "high", "happy": "high", "sad": "low", "calm": None})

    Source: "seven" is the class set of the report on parallel CNN and transformer networks (paper 004) and fits
        RAVDESS, CREMA-D, SAVEE, TESS and EMOVO; "eight" is RAVDESS' own (papers 000, 002 and 003); "iemocap-four"
        is the usual one of IEMOCAP; "demos-seven" is that of paper 003; "three" that of paper 001, as near as
        IEMOCAP comes to it.
    """
    require_columns(manifest, ("emotion",))
    classes = _resolve(label_map, manifest["emotion"])
    unknown = manifest["emotion"][~manifest["emotion"].isin(classes)].fillna("(no emotion)").value_counts()
    if len(unknown):
        counts = ", ".join(f"{emotion} ({clips} clips)" for emotion, clips in sorted(unknown.items()))
        raise ValueError(
            f"`label_map` does not know the emotion {counts}; add each with its class, or with None to drop it. "
            f"Received: a map of {', '.join(sorted(map(str, classes)))}"
        )
    labels = manifest["emotion"].map(classes).astype("string")
    kept = labels.notna()
    if not kept.any():
        raise ValueError(
            "`label_map` must keep at least one clip: every emotion of the manifest is mapped to None. "
            f"Received: label_map={label_map}"
        )
    dropped = manifest.loc[~kept, "emotion"].value_counts()
    mapped = manifest.assign(emotion=labels)[kept].reset_index(drop=True)
    mapped.attrs["dropped"] = {str(emotion): int(clips) for emotion, clips in sorted(dropped.items())}
    return mapped


def _resolve(label_map, emotions):
    if label_map is None:
        return {emotion: emotion for emotion in emotions.dropna().unique()}
    if isinstance(label_map, str) and label_map in LABEL_MAPS:
        return LABEL_MAPS[label_map]
    if not isinstance(label_map, Mapping):
        raise ValueError(
            f"`label_map` must be one of {', '.join(map(repr, sorted(LABEL_MAPS)))}, a dict of emotion to class, or "
            f"None to keep the emotions. Received: label_map={label_map!r}"
        )
    wrong = {emotion: label for emotion, label in label_map.items() if not (label is None or _is_word(label))}
    if wrong:
        raise ValueError(
            f"`label_map` must map each emotion to the name of its class, or to None to drop it. Received: {wrong}"
        )
    return dict(label_map)


def _is_word(label):
    return isinstance(label, str) and label.strip() != "" and not pd.isna(label)
