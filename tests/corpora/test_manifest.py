"""A manifest survives its file, and speakers are not mixed up between corpora."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.corpora import load_manifest, save_manifest, speaker_keys

words = st.one_of(
    st.sampled_from(["01", "NA", "nan", "None", "1e3", "a,b", 'say "no"', "two\nlines", " blank "]),
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8),
)
texts = st.just(pd.NA) | words
ways = st.lists(st.sampled_from(["/", "//", "/./", "/../", "/a/"]), min_size=1, max_size=3).map("".join)
# Built of parts: what is filtered out of a regular expression's strings is at times too much for hypothesis.
paths = st.builds("/data{}{}.wav".format, ways, st.text("az09 ,äß", min_size=1, max_size=8))
rows = st.fixed_dictionaries(
    {
        "path": paths,
        "emotion": texts,
        "speaker": texts,
        "gender": texts,
        "corpus": words,
        "session": texts,
        "duration": st.floats(0, 1e4) | st.just(float("nan")),
    }
)


@settings(deadline=None, max_examples=60)
@given(rows=st.lists(rows, min_size=1, max_size=6))
def test_csv_round_trip_is_exact(rows, tmp_path_factory):
    types = {column: "float64" if column == "duration" else "string" for column in rows[0]}
    manifest = pd.DataFrame(rows).astype(types)
    file = tmp_path_factory.mktemp("manifest") / "manifest.csv"
    save_manifest(manifest, file)
    pd.testing.assert_frame_equal(load_manifest(file), manifest, check_exact=True)


def test_further_columns_come_back_as_what_they_were(tmp_path):
    manifest = pd.DataFrame(
        {
            "path": ["/a.wav", "/b.wav"],
            "emotion": ["sad", "happy"],
            "speaker": ["1", "2"],
            "gender": [pd.NA, pd.NA],
            "corpus": ["x", "x"],
        }
    ).astype("string")
    manifest["age"] = [31, 46]
    manifest["valence"] = [0.1, float("nan")]
    manifest["code"] = pd.array(["01", "02"], dtype="string")
    save_manifest(manifest, tmp_path / "new" / "manifest.csv")
    pd.testing.assert_frame_equal(load_manifest(tmp_path / "new" / "manifest.csv"), manifest, check_exact=True)


def test_relative_paths_are_relative_to_the_file(tmp_path):
    (tmp_path / "mine.csv").write_text("path,emotion\nclips/a.wav,sad\n")
    manifest = load_manifest(tmp_path / "mine.csv")
    assert manifest["path"].tolist() == [str(tmp_path / "clips" / "a.wav")]
    assert manifest["corpus"].tolist() == ["mine"]
    assert manifest[["speaker", "gender"]].isna().all(axis=None)


def test_a_missing_corpus_is_named_after_the_file(tmp_path):
    for name, corpus in (("mine.csv", "mine"), ("manifest.csv", "voices"), ("Manifest.csv", "voices")):
        table = tmp_path / "voices" / name
        table.parent.mkdir(exist_ok=True)
        table.write_text("path,emotion,corpus\na.wav,sad,\nb.wav,sad,x\n")
        assert load_manifest(table)["corpus"].tolist() == [corpus, "x"]
        table.write_text("path,emotion\na.wav,sad\n")
        assert load_manifest(table)["corpus"].tolist() == [corpus]


@pytest.fixture
def linked(tmp_path):
    """A folder whose `lnk` leads to `far/away`: `lnk/../x.wav` is `far/x.wav`, not the `x.wav` beside the link."""
    for path in ("far/x.wav", "near/x.wav", "far/away/y.wav"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    (tmp_path / "near" / "lnk").symlink_to(tmp_path / "far" / "away")
    return tmp_path


@pytest.mark.parametrize("clip", ["lnk/../x.wav", "lnk/../../far/x.wav", "./lnk/.././x.wav", "{tmp}/near/lnk/../x.wav"])
def test_a_way_back_out_of_a_link_leads_where_it_led(linked, clip):
    (linked / "near" / "mine.csv").write_text(f"path,emotion\n{clip.format(tmp=linked)},sad\n")
    (path,) = load_manifest(linked / "near" / "mine.csv")["path"]
    assert Path(path).is_absolute()
    assert Path(path).read_text() == "far/x.wav"


@pytest.mark.parametrize("clip", ["near/lnk/../x.wav", "near/lnk/y.wav", "near/x.wav", "far/away/../x.wav"])
@pytest.mark.parametrize("folder", ["near", "near/lnk", "far/away", "tables/new", "."])
def test_relative_paths_lead_to_the_same_clips_through_links(linked, clip, folder):
    manifest = pd.DataFrame({"path": [str(linked / clip)], "emotion": ["sad"]})
    table = linked / folder / "mine.csv"
    save_manifest(manifest, table, relative=True)
    assert str(linked) not in table.read_text()
    (path,) = load_manifest(table)["path"]
    assert Path(path).samefile(linked / clip)


def test_a_path_relative_to_the_current_folder_is_written_whole(tmp_path, monkeypatch):
    """In the file it would be relative to the file."""
    monkeypatch.chdir(tmp_path)
    manifest = pd.DataFrame({"path": ["clips/a.wav", "../b.wav", pd.NA], "emotion": ["sad"] * 3})
    save_manifest(manifest, "tables/mine.csv")
    paths = load_manifest("tables/mine.csv")["path"]
    assert paths[:2].tolist() == [f"{tmp_path}/clips/a.wav", f"{tmp_path}/../b.wav"]
    assert pd.isna(paths[2])
    assert manifest["path"][0] == "clips/a.wav"
    save_manifest(manifest, "tables/mine.csv", relative=True)
    assert pd.read_csv("tables/mine.csv")["path"][:2].tolist() == ["../clips/a.wav", "../../b.wav"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"comma-separated table in UTF-8.* Received: path="),
        (b"path,emotion\n\xff\xfe.wav,sad\n", r"comma-separated table in UTF-8.* Received: path="),
        (b"path;emotion\na.wav;sad\n", r"`mine.csv` must have the columns path, emotion; .* Received: columns="),
        (b"path,label\na.wav,sad\n", r"add emotion\. Received: columns=\['path', 'label'\]"),
        (b"path,emotion,duration\na.wav,sad,long\n", r"The column `duration` of mine.csv must hold numbers.* 'long'"),
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path, content, words):
    (tmp_path / "mine.csv").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        load_manifest(tmp_path / "mine.csv")


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"`path` must name a CSV file that exists.*none\.csv"):
        load_manifest(tmp_path / "none.csv")


def test_only_a_table_can_be_saved(tmp_path):
    with pytest.raises(ValueError, match=r"must be a pandas DataFrame.* Received: dict"):
        save_manifest({"path": ["a.wav"]}, tmp_path / "manifest.csv")


def test_speakers_are_the_same_only_within_a_corpus():
    manifest = pd.DataFrame(
        {"corpus": ["ravdess", "emovo", "ravdess", "tess", pd.NA], "speaker": ["01", "01", "01", pd.NA, "01"]},
        index=[7, 3, 5, 1, 0],
        dtype="string",
    )
    expected = pd.Series(
        ["ravdess/01", "emovo/01", "ravdess/01", pd.NA, pd.NA],
        index=[7, 3, 5, 1, 0],
        dtype="string",
        name="speaker_key",
    )
    pd.testing.assert_series_equal(speaker_keys(manifest), expected)


def test_empty_speaker_is_unknown():
    manifest = pd.DataFrame({"corpus": ["a"], "speaker": [""]})
    assert speaker_keys(manifest).isna().all()


def test_speaker_keys_ask_for_their_columns():
    with pytest.raises(ValueError, match=r"`manifest` must have the columns corpus, speaker; add speaker"):
        speaker_keys(pd.DataFrame({"corpus": ["a"]}))
