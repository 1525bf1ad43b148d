"""A reader tells an audit who speaks in files that others list: behind links, in second copies, beside their labels."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from sertk.corpora import audit, load_split


def texts(report):
    return {finding.what: finding.text for finding in report.findings}


@pytest.fixture
def clips(write_clip):
    """Four clips of RAVDESS by name: two emotions of each of two actors."""
    names = [f"03-01-0{emotion}-01-01-01-0{actor}.wav" for emotion in (3, 4) for actor in (1, 2)]
    return [str(write_clip(f"Actor_{name[-6:-4]}/{name}", seed=seed)) for seed, name in enumerate(names)]


def split_of(paths, parts):
    return pd.DataFrame({"path": paths, "part": parts})


def test_a_reader_tells_what_the_table_does_not(clips):
    table = split_of(clips, ["train", "test", "test", "test"])
    report = audit(table, reader="ravdess")
    assert texts(report)["speakers"] == "1 of 2 is in several parts: 01 (train 1, test 1)"
    assert texts(report)["emotions"].startswith("train has no sad; ")
    assert "can't be judged" in texts(audit(table))["speakers"]


def test_what_the_table_says_holds(clips):
    table = split_of(clips, ["train", "train", "test", "test"]).assign(speaker=["a", "b", "c", pd.NA])
    speakers = texts(audit(table, reader="ravdess"))["speakers"]
    assert speakers == "none of 4 is in several parts"


def test_second_copies_are_told_as_the_first_ones(clips, tmp_path):
    """As in the copy of RAVDESS on Kaggle, which holds each clip twice: originals train, copies test."""
    shutil.copytree(tmp_path / "Actor_01", tmp_path / "again" / "Actor_01")
    copies = sorted(str(path) for path in (tmp_path / "again").rglob("*.wav"))
    report = audit(split_of([clips[0], clips[2], *copies], ["train", "train", "test", "test"]), reader="ravdess")
    assert texts(report)["speakers"] == "1 of 1 is in several parts: 01 (train 2, test 2)"
    assert report.emotions.to_dict("records") == [
        {"part": "train", "happy": 1, "sad": 1},
        {"part": "test", "happy": 1, "sad": 1},
    ]


def test_names_of_links_are_those_that_tell(clips, tmp_path):
    """As in a store of files by their content, where each clip is a link with a name."""
    store, corpus = tmp_path / "store", tmp_path / "corpus"
    for folder in (store, corpus):
        folder.mkdir()
    for number, clip in enumerate(clips):
        Path(clip).rename(store / f"{number}.bin")
        (corpus / Path(clip).name).symlink_to(store / f"{number}.bin")
    (tmp_path / "linked").symlink_to(corpus)
    names = [Path(clip).name for clip in clips]
    split_of(names, ["train", "train", "test", "test"]).to_csv(tmp_path / "split.csv", index=False)
    for root in (corpus, tmp_path / "linked"):
        for told in (root, None):
            report = audit(load_split(tmp_path / "split.csv", root), "ravdess", told)
            assert texts(report)["speakers"].startswith("2 of 2 are in several parts: 01 (train 1, test 1)")


def test_iemocap_needs_the_folder_of_its_labels(write_clip, tmp_path):
    turns = [f"Ses01F_impro01_{gender}00{number}" for gender in "FM" for number in range(2)]
    paths = [
        str(write_clip(f"Session1/sentences/wav/Ses01F_impro01/{turn}.wav", seed=seed))
        for seed, turn in enumerate(turns)
    ]
    labels = tmp_path / "Session1" / "dialog" / "EmoEvaluation" / "Ses01F_impro01.txt"
    labels.parent.mkdir(parents=True)
    labels.write_text("".join(f"[6.29 - 8.23]\t{turn}\tneu\t[2.5, 2.5, 2.5]\n" for turn in turns))
    table = split_of(paths, ["train", "test", "train", "train"])
    report = audit(table, "iemocap", tmp_path)
    assert texts(report)["speakers"] == "1 of 2 is in several parts: Ses01F (train 1, test 1)"
    with pytest.raises(
        ValueError, match=r"`reader`: 'iemocap' finds nothing .* as `root`\. .*label files.* Received: "
    ):
        audit(table, "iemocap")


@pytest.mark.parametrize("place", ["/", "~"])
def test_no_disk_and_no_home_is_walked_through(clips, tmp_path, monkeypatch, place):
    """A clip here and one there have nothing in common but what nobody would want to be searched."""
    monkeypatch.setenv("HOME", str(tmp_path))
    if place == "/":
        monkeypatch.setattr("os.path.commonpath", lambda paths: "/")
    monkeypatch.setattr("os.walk", lambda *_, **__: pytest.fail("walked"))
    with pytest.raises(
        ValueError, match=r"`root` must name the folder .* Received: files in .*Actor_01 and .*Actor_02$"
    ):
        audit(split_of(clips, ["train", "test", "test", "test"]), "ravdess")


def test_files_outside_the_root_are_not_told(clips, tmp_path):
    report = audit(split_of(clips, ["train", "test", "test", "test"]), "ravdess", tmp_path / "Actor_01")
    assert texts(report)["speakers"].endswith("; 2 clips without a speaker can't be judged")


def test_what_no_reader_can_tell_is_refused(clips, tmp_path):
    table = split_of(clips, ["train", "test", "test", "test"])
    with pytest.raises(ValueError, match=r"`reader` needs the files themselves.* Received: reader='ravdess'"):
        audit(table.assign(path="/gone" + table["path"]), "ravdess")
    with pytest.raises(ValueError, match=r"`reader`: 'savee' finds nothing.* Received: directory="):
        audit(table, "savee")
    with pytest.raises(ValueError, match=r"must be one of 'children'.* Received: name='zoo'"):
        audit(table, "zoo")
    with pytest.raises(FileNotFoundError, match=r"must name the folder that holds the corpus"):
        audit(table, "ravdess", tmp_path / "no")
