"""Fold files as people bring them: other folders, suffixes and spellings, and everything that may be wrong in them."""

import pandas as pd
import pytest

from sertk.corpora import folds, map_labels, speakers_apart


@pytest.fixture
def manifest(made_up):
    """Six speakers, two emotions, four clips of each: /data/01/sad-0.wav and so on."""
    return made_up(speakers=6, emotions=("happy", "sad"))


@pytest.fixture
def folds_of(manifest, tmp_path):
    """A function that writes a fold file and divides the manifest by it."""

    def divide(text, manifest=manifest, validation=0, **options):
        path = tmp_path / "folds.csv"
        path.write_text(text, encoding="utf-8")
        return folds(manifest, "fold-file", validation=validation, file=path, **options)

    return divide


def by_path(manifest, spell=lambda path: path.removeprefix("/data/"), fold=lambda row: int(row["speaker"]) % 3 + 1):
    lines = [f"{spell(row['path'])},{fold(row)}" for row in manifest.to_dict("records")]
    return "\n".join(["path,fold", *lines])


def speakers_tested(table):
    return sorted(set(table["speaker"][table["part"] == "test"]))


BY_SPEAKER = "speaker,fold\n01,1\n02,2\n03,1\n04,2\n05,10\n06,10\n"


@pytest.mark.parametrize(
    "text",
    [
        BY_SPEAKER,
        BY_SPEAKER.replace("\n0", "\n"),  # as a spreadsheet leaves it
        BY_SPEAKER.replace("\n", "\r\n"),
        "\ufeff" + BY_SPEAKER,
        "Speaker , FOLD\n 1 , 1\n 2 , 2\n 3 , 1\n 4 , 2\n 5 , 10\n 6 , 10\n",
        BY_SPEAKER + "01,1\n",  # said twice
    ],
)
def test_speakers_in_many_spellings(folds_of, text):
    tables = folds_of(text)
    assert [speakers_tested(table) for table in tables] == [["01", "03"], ["02", "04"], ["05", "06"]]
    assert all(set(table["part"]) == {"train", "test"} for table in tables)


@pytest.mark.parametrize(
    "spell",
    [
        lambda path: path,
        lambda path: path.removeprefix("/data/"),
        lambda path: "./" + path.removeprefix("/data/"),
        lambda path: path.removeprefix("/data/").replace("/", "\\"),
        lambda path: "C:\\corpora\\zoo" + path.removeprefix("/data").replace("/", "\\"),
        lambda path: "/home/them/zoo/audio" + path.removeprefix("/data"),
        lambda path: "zoo-48k" + path.removeprefix("/data"),
        lambda path: path.removeprefix("/data/").replace(".wav", ".FLAC"),
        lambda path: path.removeprefix("/data/").removesuffix(".wav").upper(),
    ],
)
def test_paths_are_matched_by_their_end(folds_of, manifest, spell):
    tables = folds_of(by_path(manifest, spell))
    assert [speakers_tested(table) for table in tables] == [["03", "06"], ["01", "04"], ["02", "05"]]


def test_clips_of_one_stem_are_told_by_their_suffix(folds_of):
    paths = ["/d/a.wav", "/d/a.flac", "/d/b.wav", "/d/b.flac"]
    manifest = pd.DataFrame({"path": paths, "emotion": "sad", "speaker": list("1212"), "corpus": "c"}, dtype="string")
    tables = folds_of("path,fold\na.wav,1\na.flac,2\nb.wav,1\nb.flac,2\n", manifest)
    assert [speakers_tested(table) for table in tables] == [["1"], ["2"]]
    with pytest.raises(
        ValueError, match=r"only one is meant.* Received: a, which fits 2 clips, such as d/a\.wav and d/a\."
    ):
        folds_of("path,fold\na,1\nb,2\n", manifest)


def test_names_that_speakers_share_need_their_folders(folds_of, manifest):
    with pytest.raises(ValueError, match=r"write more of its folders\. Received: happy-0\.wav, which fits 6 clips"):
        folds_of(by_path(manifest, lambda path: path.rsplit("/")[-1]))


def test_validation_is_of_whole_speakers_where_the_file_keeps_them_whole(folds_of):
    for table in folds_of(BY_SPEAKER, validation=1):
        assert table.groupby("speaker")["part"].nunique().tolist() == [1] * 6
        assert table[table["part"] == "validation"]["speaker"].nunique() == 1


def test_validation_is_of_clips_where_the_file_parts_speakers(folds_of, manifest):
    text = by_path(manifest, fold=lambda row: row["path"][-5])
    tables = folds_of(text, validation=0.25)
    assert len(tables) == 4
    for table in tables:
        assert not speakers_apart(table)
        counts = table.groupby(["part", "emotion"]).size().unstack()
        assert counts.loc["test"].tolist() == [6, 6]
        assert sorted(counts.loc["validation"]) == [4, 5]  # a quarter of 36


def test_a_column_of_parts_is_one_split(folds_of):
    rows = "01,train\n02,Training\n03,train\n04,train\n05,dev\n06,test\n"
    (table,) = folds_of("speaker,part\n" + rows, validation=0.1)
    assert table.groupby("part")["speaker"].unique().map(list).to_dict() == {
        "train": ["01", "02", "03", "04"],
        "validation": ["05"],
        "test": ["06"],
    }
    (table,) = folds_of("speaker,part\n" + rows.replace("dev", "train"), validation=1)
    assert table[table["part"] == "validation"]["speaker"].nunique() == 1


def test_parts_of_each_fold(folds_of):
    rest = [f"0{speaker},{fold},train" for speaker in (3, 4, 5, 6) for fold in "ab"]
    rows = ["01,a,test", "02,a,val", "01,b,val", "02,b,test", *rest]
    tables = folds_of("\n".join(["speaker,fold,part", *rows]), validation=0.1)
    assert [speakers_tested(table) for table in tables] == [["01"], ["02"]]
    assert [set(table["speaker"][table["part"] == "validation"]) for table in tables] == [{"02"}, {"01"}]


def test_corpora_that_share_names_are_told_apart(folds_of, made_up):
    both = pd.concat([made_up(speakers=2, corpus="a"), made_up(speakers=2, corpus="b", root="/other")])
    tables = folds_of("corpus,speaker,fold\na,1,1\na,2,2\nb,1,2\nb,2,1\n", both)
    assert tables[0].loc[tables[0]["part"] == "test", ["corpus", "speaker"]].drop_duplicates().to_numpy().tolist() == [
        ["a", "01"],
        ["b", "02"],
    ]
    with pytest.raises(ValueError, match=r"`file` must have a column `corpus` beside `speaker`"):
        folds_of("speaker,fold\n01,1\n02,2\n", both)


def test_speakers_that_differ_in_zeros_only_are_taken_as_written(folds_of, manifest):
    manifest = manifest.assign(speaker=manifest["speaker"].replace({"02": "1"}))
    tables = folds_of(BY_SPEAKER.replace("\n02", "\n1"), manifest)
    assert speakers_tested(tables[0]) == ["01", "03"]
    with pytest.raises(ValueError, match=r"where it has several alike\. Received: 001, which may be 01 or 1"):
        folds_of(BY_SPEAKER.replace("\n02", "\n001"), manifest)


def test_clips_dropped_by_a_label_map_may_be_in_the_file(folds_of, manifest):
    fewer = map_labels(manifest, {"happy": "happy", "sad": None})
    tables = folds_of(by_path(manifest), fewer)
    assert sum(len(table[table["part"] == "test"]) for table in tables) == len(fewer) == 24


def test_a_name_slipped_among_dropped_clips_is_found(folds_of, manifest):
    """24 clips are dropped, so the file may name 24 that are not there; a 25th is a slip of the pen."""
    fewer = map_labels(manifest, {"happy": "happy", "sad": None})
    with pytest.raises(ValueError, match=r"25 unknown ones of 49, .*, where a label map dropped 24 clips$"):
        folds_of(by_path(manifest) + "\n01/hapy-0.wav,2\n", fewer)
    without_six = map_labels(manifest.assign(emotion=["angry"] + ["sad"] * 47), {"angry": None, "sad": "sad"})
    assert len(folds_of(BY_SPEAKER + "07,1\n", without_six)) == 3
    with pytest.raises(ValueError, match=r"2 unknown ones, the first 07, 08; .*, where a label map dropped 1 clips$"):
        folds_of(BY_SPEAKER + "07,1\n08,1\n", without_six)


@pytest.mark.parametrize("spell", [lambda path: path, lambda path: "zoo" + path.replace(".wav", ".flac")])
def test_files_left_out_may_be_in_the_file(folds_of, manifest, spell):
    """As clips that --skip-bad takes out; any other name is still a slip of the pen."""
    fewer = manifest.drop(index=[0, 17])
    fewer.attrs["skipped"] = [
        {"path": path, "reason": "holds samples that are NaN", "kind": "bad"} for path in manifest["path"][[0, 17]]
    ]
    tables = folds_of(by_path(manifest, spell), fewer)
    assert sum((table["part"] == "test").astype(int) for table in tables).tolist() == [1] * 46
    with pytest.raises(ValueError, match=r" 1 unknown ones of 49, the first /data/01/hapy-0\.wav$"):
        folds_of(by_path(manifest, lambda path: path) + "\n/data/01/hapy-0.wav,1\n", fewer)
    fewer.attrs["skipped"].pop()
    with pytest.raises(ValueError, match=r" 1 unknown ones of 48, .*03/happy-1"):
        folds_of(by_path(manifest, spell), fewer)


def test_a_clip_tested_in_two_folds_is_refused(folds_of):
    """Its result would count twice."""
    rest = [f"0{speaker},{fold},train" for speaker in (4, 5, 6) for fold in (2, 10)]
    rows = ["01,2,test", "02,2,train", "03,2,test", "01,10,train", "02,10,test", "03,10,test", *rest]
    with pytest.raises(
        ValueError,
        match=r"test each clip in one fold at most.* Received: 8 clips tested in several, .*/03/.* folds 2 and 10$",
    ):
        folds_of("\n".join(["speaker,fold,part", *rows]))
    tables = folds_of("\n".join(["speaker,fold,part", *rows[:5], "03,10,dev", *rest]))
    assert [speakers_tested(table) for table in tables] == [["01", "03"], ["02"]]  # nobody must be tested


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            BY_SPEAKER[:-6],
            r"each clip of the manifest a fold.* Received: 8 of 48 clips without, .*06/happy-0\.wav \(speaker 06",
        ),
        (
            BY_SPEAKER + "07,1\n08,2\n",
            r"must name speakers of the manifest.* Received: 2 unknown ones, the first 07, 08",
        ),
        (BY_SPEAKER + "01,2\n", r"must give each speaker one fold\. Received: 01, which has 1 and 2"),
        (BY_SPEAKER + "1,2\n", r"must give each speaker one fold\. Received: 1, which has 1 and 2"),
        (BY_SPEAKER + ",2\n", r"must have a speaker in each row\. Received: folds\.csv, line 8 of which has none"),
        (BY_SPEAKER + "07,\n", r"must have a fold in each row\. Received: folds\.csv, line 8"),
        (BY_SPEAKER.replace(",2", ",1").replace("10", "1"), r"`fold` must name at least two folds.* Received: 1$"),
        (
            "speaker,group\n01,1\n",
            r"a column `fold` or `part`, and a column `path` or `speaker`;.*\['speaker', 'group'\]",
        ),
        ("name,fold\n01,1\n", r"a column `path` or `speaker`; name those of folds\.csv so"),
        ("fold,Fold,speaker\n1,1,01\n", r"each column once\. Received: columns=\['fold', 'fold', 'speaker'\]"),
        ("speaker,part\n01,train\n02,tset\n", r"`part` must hold only the words .* Received: tset"),
        (
            "speaker,part\n01,train\n02,train\n03,train\n04,train\n05,train\n06,dev\n",
            r"each of train, test at least one",
        ),
        ("speaker;fold\n01;1\n", r"`file` must have a column .* Received: columns=\['speaker;fold'\]"),
        ("speaker,fold\n", r"at least one row below its header"),
        ("", r"`file` must be a comma-separated table in UTF-8; folds\.csv can't be read as one"),
        ('speaker,fold\n"01,1\n', r"can't be read as one"),
        ("speaker,fold\n01,1\n02,2,7,8\n", r"can't be read as one"),
        ("speaker,fold\n01,1,7,8\n02,2,7,8\n", r"can't be read as one"),
    ],
)
def test_what_is_wrong_in_a_fold_file_is_said(folds_of, text, message):
    with pytest.raises(ValueError, match=message):
        folds_of(text)


def test_unknown_paths_are_named(folds_of, manifest):
    text = by_path(manifest) + "\n09/sad-0.wav,1\n"
    with pytest.raises(ValueError, match=r"name clips of the manifest.* 1 unknown ones of 49, the first 09/sad-0\.wav"):
        folds_of(text)
    with pytest.raises(ValueError, match=r"48 unknown ones of 48"):
        folds_of(by_path(manifest, lambda path: path.replace("-", "_")))


def test_files_that_are_none(manifest, tmp_path):
    for path in (tmp_path / "no.csv", tmp_path):
        with pytest.raises(FileNotFoundError, match=r"`file` must name a CSV file that exists\. Received: file="):
            folds(manifest, "fold-file", file=path)
    (tmp_path / "noise.csv").write_bytes(bytes(range(128, 256)) * 10)
    with pytest.raises(ValueError, match=r"noise\.csv can't be read as one"):
        folds(manifest, "fold-file", file=tmp_path / "noise.csv")


def test_a_file_that_parts_copies_of_a_recording_is_refused(write_clip, tmp_path):
    paths = [str(write_clip(f"{i}.wav", seed=min(i, 2))) for i in range(4)]
    manifest = pd.DataFrame({"path": paths, "emotion": "sad", "speaker": "1", "corpus": "c"}, dtype="string")
    (tmp_path / "folds.csv").write_text("path,fold\n0.wav,1\n1.wav,2\n2.wav,1\n3.wav,2\n")
    with pytest.raises(ValueError, match=r"each recording in one part"):
        folds(manifest, "fold-file", validation=0, file=tmp_path / "folds.csv")
