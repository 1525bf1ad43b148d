"""IEMOCAP: labels from its EmoEvaluation files in their own format, sound from the files of each turn."""

import numpy as np
import pytest

from sertk.corpora import OFFICIAL, load, map_labels

# Busso et al. (2008) and the label files: 10,039 turns.
LABELS = {
    "ang": 1103,
    "dis": 2,
    "exc": 1041,
    "fea": 40,
    "fru": 1849,
    "hap": 595,
    "neu": 1708,
    "oth": 3,
    "sad": 1084,
    "sur": 107,
    "xxx": 2507,
}
HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]"
# What follows a turn's own line: categories and dimensions of each annotator, and of the actors themselves.
ANNOTATORS = """C-E2:\tNeutral;\t()
C-E3:\tNeutral;\t()
C-E4:\tAnger; Frustration;\t(annoyed, [sic])
C-F1:\tNeutral;\t(curious)
A-E3:\tval 3; act 2; dom  2;\t()
A-E4:\tval 2; act 3; dom  3;\t(mildly aggravated but staying polite, attitude)
A-F1:\tval 3; act 2; dom  1;\t()"""


def label_file(turns):
    """An EmoEvaluation file: turns are (name, label) or (name, label, dimensions)."""
    blocks = [HEADER, ""]
    for name, label, *dimensions in turns:
        numbers = dimensions[0] if dimensions else "2.5000, 2.5000, 2.5000"
        blocks += [f"[6.2901 - 8.2357]\t{name}\t{label}\t[{numbers}]", ANNOTATORS, ""]
    return "\n".join(blocks)


@pytest.fixture
def corpus(plant, tmp_path):
    """A function that makes a corpus of {dialogue: turns}, without the sound of some, and returns its folder."""

    def make(dialogues, silent=(), newline="\n"):
        for dialogue, turns in dialogues.items():
            session = tmp_path / "corpus" / f"Session{dialogue[4]}"
            labels = session / "dialog" / "EmoEvaluation" / f"{dialogue}.txt"
            labels.parent.mkdir(parents=True, exist_ok=True)
            labels.write_bytes(label_file(turns).replace("\n", newline).encode())
            plant(
                *(
                    f"Session{dialogue[4]}/sentences/wav/{dialogue}/{name}.wav"
                    for name, *_ in turns
                    if name not in silent
                )
            )
        return tmp_path / "corpus"

    return make


def whole_corpus():
    """Ten dialogues, one of each speaker's side of each session, that hold all labels in turn."""
    labels = [label for label, number in LABELS.items() for _ in range(number)]
    dialogues = {}
    for turn, label in enumerate(labels):
        session, side, speaker = turn % 5 + 1, "FM"[turn // 5 % 2], "FM"[turn // 10 % 2]
        scene = turn // 20 // 1000
        dialogue = f"Ses0{session}{side}_impro0{scene + 1}"
        dialogues.setdefault(dialogue, []).append((f"{dialogue}_{speaker}{turn // 20 % 1000:03d}", label))
    return dialogues


@pytest.mark.filterwarnings("error")
def test_whole_corpus_has_the_published_counts(corpus):
    manifest = load("iemocap", corpus(whole_corpus()))
    assert len(manifest) == 10_039
    assert manifest.attrs["skipped"] == []
    counts = manifest["emotion"].value_counts().to_dict()
    assert sorted(counts.values()) == sorted(LABELS.values())
    assert counts == OFFICIAL["iemocap"].emotions
    assert sorted(manifest["speaker"].unique()) == sorted(OFFICIAL["iemocap"].by_speaker)
    assert manifest.groupby("gender")["speaker"].nunique().to_dict() == {"female": 5, "male": 5}
    assert sorted(manifest["session"].unique()) == ["1", "2", "3", "4", "5"]

    four = map_labels(manifest, "iemocap-four")
    assert four["emotion"].value_counts().to_dict() == {"angry": 1103, "happy": 1636, "neutral": 1708, "sad": 1084}
    assert len(four) == 5531
    assert sum(four.attrs["dropped"].values()) == 10_039 - 5531

    three = map_labels(manifest, "three")
    assert three["emotion"].value_counts().to_dict() == {"angry": 1103, "neutral": 1708, "stress": 1849}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_is_known_of_a_turn(corpus, newline):
    """The letter before the number is the speaker; the one after the session says who wore the markers."""
    folder = corpus(
        {
            "Ses01F_impro01": [("Ses01F_impro01_M003", "fru", "2.0000, 3.5000, 4.0000")],
            "Ses05M_script01_1b": [("Ses05M_script01_1b_F010", "exc", "4.3333, 2.6667, -1.0000")],
        },
        newline=newline,
    )
    first, second = load("iemocap", folder).to_dict("records")
    assert first == {
        "path": str(folder / "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M003.wav"),
        "emotion": "frustrated",
        "speaker": "Ses01M",
        "gender": "male",
        "corpus": "iemocap",
        "session": "1",
        "language": "en",
        "duration": 0.01,
        "style": "improvised",
        "valence": 2.0,
        "activation": 3.5,
        "dominance": 4.0,
    }
    assert (second["speaker"], second["gender"], second["style"]) == ("Ses05F", "female", "scripted")
    assert (second["valence"], second["dominance"]) == (4.3333, -1.0)


def test_a_label_without_sound_and_a_sound_without_label_are_listed(corpus, plant):
    turns = [("Ses02F_impro01_F000", "sad"), ("Ses02F_impro01_F001", "hap"), ("Ses02F_impro01_M000", "xxx")]
    folder = corpus({"Ses02F_impro01": turns}, silent=["Ses02F_impro01_F001"])
    plant(
        "Session2/sentences/wav/Ses02F_impro01/Ses02F_impro01_F007.wav",
        "Session2/sentences/wav/Ses02F_impro01/hello.wav",
    )
    with pytest.warns(UserWarning, match=r"iemocap: left out 3 files"):
        manifest = load("iemocap", folder)
    assert manifest["emotion"].tolist() == ["sad", "undecided"]
    assert {entry["path"].rsplit("/", 1)[-1]: entry["reason"] for entry in manifest.attrs["skipped"]} == {
        "Ses02F_impro01_F007.wav": "no label file has this turn",
        "hello.wav": "the name is not of the form Ses01F_impro01_M003",
        "Ses02F_impro01.txt": "ses02f_impro01_f001 is labelled, and there is no sound file of that name",
    }


def test_a_broken_sound_file_is_listed_once(corpus):
    folder = corpus({"Ses02F_impro01": [("Ses02F_impro01_F000", "sad"), ("Ses02F_impro01_F001", "hap")]})
    (folder / "Session2/sentences/wav/Ses02F_impro01/Ses02F_impro01_F001.wav").write_bytes(b"")
    with pytest.warns(UserWarning, match=r"left out 1 file: Ses02F_impro01_F001\.wav \(is empty; .*: 0 bytes\)"):
        assert len(load("iemocap", folder)) == 1


def test_files_beside_the_turns_are_passed_over(corpus, plant, tmp_path):
    folder = corpus({"Ses03M_impro03": [("Ses03M_impro03_F000", "neu")]})
    plant(
        "Session3/dialog/wav/Ses03M_impro03.wav",
        "Session3/dialog/avi/DivX/Ses03M_impro03.avi",
        "Session3/sentences/ForcedAlignment/Ses03M_impro03/Ses03M_impro03_F000.wdseg",
        "Session3/sentences/MOCAP_head/Ses03M_impro03/Ses03M_impro03_F000.bin",
    )
    # Neither transcriptions nor what single annotators chose are label files, though one is called like them.
    for path in ("transcriptions/Ses03M_impro03.txt", "EmoEvaluation/Categorical/Ses03M_impro03_e1_cat.txt"):
        path = folder / "Session3" / "dialog" / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("Ses03M_impro03_F000 [006.2901-008.2357]: Excuse me.\n")
    assert load("iemocap", folder).attrs["skipped"] == []


def test_label_files_that_disagree_leave_the_turn_out(corpus, tmp_path):
    folder = corpus({"Ses01F_impro01": [("Ses01F_impro01_F000", "neu"), ("Ses01F_impro01_F001", "sad")]})
    copy = folder / "old" / "EmoEvaluation" / "Ses01F_impro01.txt"
    copy.parent.mkdir(parents=True)
    copy.write_text(label_file([("Ses01F_impro01_F000", "ang"), ("Ses01F_impro01_F001", "sad")]))
    with pytest.warns(UserWarning, match=r"two label files disagree: .*Session1.*Ses01F_impro01\.txt and old"):
        manifest = load("iemocap", folder)
    assert manifest["emotion"].tolist() == ["sad"]


@pytest.mark.parametrize(
    "line",
    [
        "[6.2901 - 8.2357]\tSes01F_impro01_F001\tbla\t[2.5000, 2.5000, 2.5000]",
        "[6.2901 - 8.2357]\tSes01F_impro01_F001",
        "[6.2901 - 8.2357]\tSes01F_impro01_F001\tneu\t[2.5000, 2.5000]",
        "[\x00\ufffd",
    ],
)
def test_a_line_that_is_no_label_is_listed_with_its_number(corpus, line):
    folder = corpus({"Ses01F_impro01": [("Ses01F_impro01_F000", "neu")]})
    labels = folder / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    labels.write_text(labels.read_text() + line)
    number = len(labels.read_text().splitlines())
    with pytest.warns(UserWarning, match=rf"Ses01F_impro01\.txt \(line {number} is no label that IEMOCAP has"):
        assert len(load("iemocap", folder)) == 1


def test_labels_in_another_encoding_are_read(corpus):
    folder = corpus({"Ses01F_impro01": [("Ses01F_impro01_F000", "neu")]})
    labels = folder / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    labels.write_bytes(labels.read_bytes().replace(b"curious", "naïve".encode("latin-1")))
    assert load("iemocap", folder)["emotion"].tolist() == ["neutral"]


def test_sound_without_any_label_file_is_refused(plant):
    folder = plant("Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav")
    with pytest.raises(ValueError, match=r"must hold IEMOCAP's label files, .*give the folder above both\. Received: "):
        load("iemocap", folder)


def test_dimensions_that_are_no_numbers_are_unknown(corpus):
    folder = corpus({"Ses01F_impro01": [("Ses01F_impro01_F000", "neu", "2.5000, .., 2.5000")]})
    assert np.isnan(load("iemocap", folder)["activation"].iloc[0])
