"""The audit finds what leaks, and only that; and says what it can't judge."""

import json
import os

import numpy as np
import pandas as pd
import pytest
import soundfile

from sertk.corpora import audit, load, load_split, split


@pytest.fixture
def sound(write_clip):
    """A split of three speakers, two emotions, two sentences, from which nothing leaks but the sentences."""
    rows = [
        {
            "path": str(write_clip(f"{speaker}/{emotion}-{sentence}.wav", seed=100 * speaker + 10 * sentence + number)),
            "speaker": f"0{speaker}",
            "emotion": emotion,
            "statement": f"sentence {sentence}",
            "corpus": "c",
            "part": part,
        }
        for speaker, part in ((1, "train"), (2, "validation"), (3, "test"))
        for number, emotion in enumerate(("happy", "sad"))
        for sentence in (1, 2)
    ]
    return pd.DataFrame(rows, dtype="string")


def verdicts(report):
    return {finding.what: finding.verdict for finding in report.findings}


def texts(report):
    return {finding.what: finding.text for finding in report.findings}


def test_chunks_are_as_long_as_they_are(sound):
    """Two chunks of 30 ms of each clip of 0.1 s; those of one clip in two parts are a leak of files."""
    chunks = pd.concat([sound.assign(chunk_start=start, duration=0.03) for start in ("0", "480")], ignore_index=True)
    report = audit(chunks)
    assert not report.leaks
    assert report.parts["seconds"].tolist() == [pytest.approx(8 * 0.03)] * 3
    chunks.loc[len(chunks) - 1, "part"] = "train"
    assert verdicts(audit(chunks))["files"] == "LEAK"


def test_a_sound_split(sound):
    report = audit(sound)
    assert verdicts(report) == {
        "speakers": "ok",
        "files": "ok",
        "duplicates": "ok",
        "sentences": "notice",
        "emotions": "ok",
    }
    assert not report.leaks
    assert report.parts.to_dict("list") == {
        "part": ["train", "validation", "test"],
        "clips": [4, 4, 4],
        "seconds": [pytest.approx(0.4)] * 3,
    }
    assert report.emotions.to_dict("records")[0] == {"part": "train", "happy": 2, "sad": 2}
    assert report.sentences["statement"].tolist() == ["sentence 1", "sentence 2"]
    assert "2 of 2 are in several parts: sentence 1 (train 2, validation 2, test 2)" in texts(report)["sentences"]


def test_a_speaker_in_two_parts(sound):
    sound.loc[0, "part"] = "test"
    report = audit(sound)
    assert verdicts(report)["speakers"] == "LEAK"
    assert texts(report)["speakers"] == "1 of 3 is in several parts: 01 (train 3, test 1)"
    assert report.speakers.to_dict("records") == [{"speaker": "01", "train": 3, "validation": 0, "test": 1}]
    assert report.leaks


def test_a_speaker_under_two_spellings(sound):
    """Actor 1 of one table is actor 01 of another; in another corpus it is somebody else."""
    sound.loc[sound["speaker"] == "03", "speaker"] = " 1"
    assert texts(audit(sound))["speakers"] == "1 of 2 is in several parts: 01 (train 4, test 4)"
    sound.loc[8:, "corpus"] = "d"
    assert verdicts(audit(sound))["speakers"] == "ok"


def test_a_file_in_two_parts_under_two_spellings(sound):
    first = sound["path"][0]
    twice = sound.iloc[[0]].assign(part="test", path=first.replace("/1/", "/2/../1/./"), speaker="03")
    report = audit(pd.concat([sound, twice]))
    assert verdicts(report)["files"] == "LEAK"
    assert report.files["path"].tolist() == [first]
    assert verdicts(report)["duplicates"] == "ok"  # one file is no copy of itself


def test_a_link_is_the_file_it_leads_to(sound, tmp_path):
    (tmp_path / "link.wav").symlink_to(sound["path"][0])
    sound.loc[11, "path"] = str(tmp_path / "link.wav")
    assert verdicts(audit(sound))["files"] == "LEAK"


def test_a_copy_in_another_part(sound, write_clip):
    copy = str(write_clip("elsewhere/under_another_name.flac", seed=110))
    sound.loc[11, "path"] = copy
    report = audit(sound)
    assert verdicts(report)["duplicates"] == "LEAK"
    assert texts(report)["duplicates"] == (
        f"1 recording is in several parts under two names: {sound['path'][0]} (train) = {copy} (test)"
    )
    assert report.duplicates.to_dict("list") == {
        "recording": [1, 1],
        "path": [sound["path"][0], copy],
        "part": ["train", "test"],
    }
    sound.loc[11, "part"] = "train"
    sound.loc[11, "speaker"] = "01"
    assert verdicts(audit(sound))["duplicates"] == "ok"
    assert "(1 in one of the parts)" in texts(audit(sound))["duplicates"]


def test_an_emotion_that_a_part_lacks(sound):
    report = audit(sound[(sound["part"] != "test") | (sound["emotion"] == "sad")])
    assert verdicts(report)["emotions"] == "notice"
    assert texts(report)["emotions"] == (
        "test has no happy; the share of an emotion differs by up to 50.0 percentage points between the parts"
    )
    assert not report.leaks


def test_files_that_are_not_there_are_said(sound, tmp_path):
    (tmp_path / "text.wav").write_text("no sound")
    sound.loc[[0, 1], "path"] = ["/gone/a.wav", str(tmp_path / "text.wav")]
    report = audit(sound)
    assert report.missing == ["/gone/a.wav", str(tmp_path / "text.wav")]
    assert "2 of 12 files are not there or can't be decoded" in texts(report)["missing"]
    assert verdicts(report)["duplicates"] == "unknown"
    assert not report.leaks
    report = audit(sound.assign(path="/gone" + sound["path"]))
    assert verdicts(report)["duplicates"] == "unknown"


def test_what_the_table_does_not_say_can_not_be_judged(sound):
    report = audit(sound[["path", "part"]])
    assert verdicts(report) == {
        "speakers": "unknown",
        "files": "ok",
        "duplicates": "ok",
        "sentences": "unknown",
        "emotions": "unknown",
    }
    assert report.speakers is report.sentences is report.emotions is None
    sound.loc[0, "speaker"] = pd.NA
    report = audit(sound)
    assert verdicts(report)["speakers"] == "unknown"
    assert texts(report)["speakers"].endswith("; 1 clips without a speaker can't be judged")


@pytest.mark.parametrize(
    ("words", "labels"),
    [
        (("TRAIN", "Dev", "eval"), ["train", "validation", "test"]),
        (("training", "eval", "test"), ["train", "validation", "test"]),
        ((" train ", "valid", "testing"), ["train", "validation", "test"]),
        (("train", "val", "val"), ["train", "validation"]),
    ],
)
def test_parts_by_other_names(sound, words, labels):
    named = dict(zip(("train", "validation", "test"), words, strict=True))
    report = audit(sound.assign(part=sound["part"].map(named)))
    assert report.parts["part"].tolist() == labels
    assert not report.leaks


def test_folds_are_parts(sound):
    folds = sound.drop(columns="part").assign(fold=["10"] * 4 + ["2"] * 4 + ["3"] * 4)
    report = audit(folds)
    assert report.parts["part"].tolist() == ["fold 2", "fold 3", "fold 10"]
    assert not report.leaks
    folds.loc[0, "fold"] = "3"
    assert texts(audit(folds))["speakers"] == "1 of 3 is in several folds: 01 (fold 3 1, fold 10 3)"


def test_parts_of_each_fold_are_compared_within_it(sound):
    first, second = sound.assign(fold="a"), sound.assign(fold="b")
    second["part"] = second["part"].map({"train": "test", "validation": "train", "test": "train"})
    both = pd.concat([first, second], ignore_index=True)
    report = audit(both)
    assert report.parts["part"].tolist() == ["a: train", "a: validation", "a: test", "b: train", "b: test"]
    assert not report.leaks
    both.loc[23, "part"] = "test"
    assert "03 (b: train 3, b: test 1)" in texts(audit(both))["speakers"]


def test_emotions_and_sentences_are_compared_whatever_their_spelling(sound):
    part = sound["part"]
    sound["emotion"] = sound["emotion"].where(
        part == "train", sound["emotion"].map({"happy": "Joy", "sad": " SADNESS"})
    )
    sound["statement"] = sound["statement"].where(part != "test", "  Sentence \t 1")
    report = audit(sound)
    assert report.emotions.to_dict("list") == {
        "part": ["train", "validation", "test"],
        "happy": [2, 2, 2],
        "sad": [2, 2, 2],
    }
    assert verdicts(report)["emotions"] == "ok"
    counts = report.sentences.set_index("statement")
    assert counts.loc["sentence 1"].tolist() == [2, 2, 4]
    assert counts.loc["sentence 2"].tolist() == [2, 2, 0]


def test_sound_that_can_not_be_decoded_is_not_called_sound(sound, tmp_path):
    """Its header says how long it is, and two of one length may be one recording."""
    for number in range(2):
        samples = np.random.default_rng(number).uniform(-0.5, 0.5, 1_600)
        samples[7] = np.nan
        soundfile.write(tmp_path / f"nan{number}.wav", samples, 16_000, subtype="FLOAT")
    sound.loc[[0, 11], "path"] = [str(tmp_path / "nan0.wav"), str(tmp_path / "nan1.wav")]
    report = audit(sound)
    assert report.missing == sound["path"][[0, 11]].tolist()
    assert verdicts(report)["duplicates"] == "unknown"
    assert texts(report)["duplicates"] == (
        "no recording of 10 files is in several parts under two names; 2 files that can't be decoded can't be judged"
    )
    assert texts(report)["missing"].startswith("2 of 12 files are not there or can't be decoded, ")
    (tmp_path / "nan1.wav").write_bytes((tmp_path / "nan0.wav").read_bytes())
    assert verdicts(audit(sound))["duplicates"] == "LEAK"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="path"), r"`table` must have the columns path"),
        (lambda table: table.drop(columns="part"), r"a column `part` or `fold`, or both; name yours so\. Received: "),
        (lambda table: table.assign(part="train"), r"`part` must name at least two parts.* Received: train$"),
        (lambda table: table.assign(part="first"), r"`part` must hold only the words .* Received: first$"),
        (lambda table: table.assign(part=pd.NA), r"`part` must be known in each row\. Received: 12 of 12 rows"),
        (lambda table: table.assign(path=pd.NA), r"`path` must be known in each row"),
        (lambda table: table.head(0), r"at least two parts"),
        (lambda table: table.to_dict(), r"must be a pandas DataFrame.* Received: dict"),
    ],
)
def test_what_is_no_split_is_refused(sound, change, message):
    with pytest.raises(ValueError, match=message):
        audit(change(sound))


def test_relative_paths_start_from_the_table_or_the_root(sound, tmp_path):
    relative = sound.assign(path=[os.path.relpath(path, tmp_path) for path in sound["path"]])
    relative.rename(columns=str.title).to_csv(tmp_path / "split.csv", index=False)
    assert load_split(tmp_path / "split.csv")["path"].tolist() == sound["path"].tolist()
    (tmp_path / "lists").mkdir()
    relative["path"] = relative["path"].str.replace("/", "\\")
    relative.to_csv(tmp_path / "lists" / "split.csv", index=False)
    assert audit(load_split(tmp_path / "lists" / "split.csv", root=tmp_path)).missing == []
    assert len(audit(load_split(tmp_path / "lists" / "split.csv")).missing) == 12


def test_tables_that_are_no_split_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"`file` must name a CSV file that exists"):
        load_split(tmp_path / "no.csv")
    table = tmp_path / "table.csv"
    table.write_text("filename,split\na.wav,train\n")
    with pytest.raises(ValueError, match=r"a column `path`, and a column `part` .*columns=\['filename', 'split'\]"):
        load_split(table)
    table.write_text("path,part\na.wav,train\nb.wav,\n")
    with pytest.raises(ValueError, match=r"must have a part in each row\. Received: table\.csv, line 3"):
        load_split(table)
    table.write_text("path,part\na.wav,train\nb.wav,test\n")
    with pytest.raises(FileNotFoundError, match=r"`root` must name the folder of the clips\. Received: root="):
        load_split(table, root=tmp_path / "no")


def test_report_is_json(sound):
    sound.loc[0, "part"] = "test"
    told = json.loads(json.dumps(audit(sound).to_dict()))
    assert told["leaks"] is True
    assert told["speakers"] == [{"speaker": "01", "train": 3, "validation": 0, "test": 1}]
    assert json.loads(json.dumps(audit(sound[["path", "part"]]).to_dict()))["speakers"] is None


def test_splits_of_real_speech(ravdess_dir):
    """By chance all 24 actors are in training and test; by speaker none; the known twins leak where they are parted."""
    manifest = load("ravdess", ravdess_dir)
    report = audit(split(manifest, "random"))
    assert texts(report)["speakers"].startswith("24 of 24 are in several parts: 01 (train ")
    assert verdicts(report)["duplicates"] == "ok"
    by_speaker = split(manifest, "speaker")
    assert not audit(by_speaker).leaks
    twin = by_speaker["path"].str.contains("03-01-03-01-02-02-07")
    by_speaker.loc[twin, "part"] = "test" if by_speaker.loc[twin, "part"].item() != "test" else "train"
    assert len(audit(by_speaker).duplicates) == 2
