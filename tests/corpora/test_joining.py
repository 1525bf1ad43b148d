"""Several corpora in one manifest; a manifest that is written is read back as it was."""

import pandas as pd
import pytest

from sertk.corpora import join, load, load_manifest, save_manifest, speaker_keys

SPEECH, SONG = "03-01-05-01-01-01-01.wav", "03-02-05-01-01-01-01.wav"


@pytest.fixture
def corpora(plant):
    """Clips of three corpora, each in a folder of its own beside the others."""
    return [
        load("crema_d", plant("1001_IEO_HAP_MD.wav", "1002_IEO_SAD_LO.wav", folder="all/a")),
        load("iemocap", _iemocap(plant)),
        load("savee", plant("DC_a01.wav", folder="all/c")),
    ]


def _iemocap(plant):
    folder = plant("Ses01F_impro01_M003.wav", folder="all/b")
    label = "[6.2901 - 8.2357]\tSes01F_impro01_M003\tfru\t[2.3333, 3.5000, 4.0000]"
    (folder / "Ses01F_impro01.txt").write_text(label)
    return folder


def test_joined_rows_are_those_of_the_parts(corpora):
    joined = join(corpora)
    assert joined.index.tolist() == [0, 1, 2, 3]
    assert joined["corpus"].tolist() == ["crema_d", "crema_d", "iemocap", "savee"]
    assert joined["valence"].isna().tolist() == [True, True, False, True]
    assert speaker_keys(joined).tolist() == ["crema_d/1001", "crema_d/1002", "iemocap/Ses01M", "savee/DC"]
    for manifest in corpora:
        part = joined[joined["corpus"] == manifest["corpus"][0]].reset_index(drop=True)
        pd.testing.assert_frame_equal(part[manifest.columns], manifest)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("relative", [False, True])
def test_joined_manifest_comes_back_exactly(corpora, tmp_path, relative):
    joined = join(corpora)
    save_manifest(joined, tmp_path / "tables" / "joined.csv", relative=relative)
    pd.testing.assert_frame_equal(load_manifest(tmp_path / "tables" / "joined.csv"), joined, check_exact=True)
    again = load("csv", tmp_path / "tables" / "joined.csv")
    pd.testing.assert_frame_equal(again[joined.columns], joined, check_exact=True)


def test_relative_manifest_moves_with_its_clips(corpora, tmp_path):
    save_manifest(join(corpora), tmp_path / "all" / "joined.csv", relative=True)
    assert str(tmp_path) not in (tmp_path / "all" / "joined.csv").read_text()
    (tmp_path / "all").rename(tmp_path / "moved")
    manifest = load("csv", tmp_path / "moved" / "joined.csv")
    assert len(manifest) == 4
    assert manifest["path"].str.startswith(str(tmp_path / "moved")).all()


def test_a_table_is_whole_or_not_there(corpora, tmp_path, monkeypatch):
    save_manifest(corpora[0], tmp_path / "table.csv")
    before = (tmp_path / "table.csv").read_bytes()

    def full_disk(self, path, **_):
        path.write_text("path,emotion\nhalf")
        raise OSError("no space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full_disk)
    with pytest.raises(OSError, match="no space"):
        save_manifest(corpora[2], tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_bytes() == before


def test_speech_and_song_of_one_folder_join_to_the_same_actors(plant):
    folder = plant(SPEECH, SONG)
    with pytest.warns(UserWarning, match=r"song, not speech; read it with song=True, or as 'ravdess_song'"):
        speech = load("ravdess", folder)
    with pytest.warns(UserWarning, match=r"ravdess_song: left out 1 file: .*speech, not song; read it as 'ravdess'"):
        song = load("RAVDESS-song", folder)
    joined = join([speech, song])
    assert len(joined) == 2
    assert set(speaker_keys(joined)) == {"ravdess/01"}
    assert joined["channel"].tolist() == ["speech", "song"]
    assert joined.attrs["skipped"] == []  # each left out what the other one read


def test_what_any_of_them_left_out_is_kept(plant):
    with pytest.warns(UserWarning, match=r"left out 1 file"):
        first = load("savee", plant("DC_a01.wav", "what.wav", folder="a"))
    joined = join([first, load("savee", plant("JE_a01.wav", folder="b"))])
    assert [entry["path"].rsplit("/", 1)[-1] for entry in joined.attrs["skipped"]] == ["what.wav"]


def test_a_clip_is_in_one_manifest_only(plant, tmp_path):
    folder = plant("DC_a01.wav", "DC_a02.wav")
    (tmp_path / "link").symlink_to(folder)
    manifest = load("savee", folder)
    for again in (manifest, load("savee", tmp_path / "link")):
        with pytest.raises(
            ValueError, match=r"must hold each clip once; 2 are there again\. Received: .*DC_a01\.wav of"
        ):
            join([manifest, again])


def test_two_corpora_of_one_name_are_refused(plant):
    """Speaker 01 of one would be speaker 01 of the other; of `folders` nothing is known but the folder's name."""
    tables = []
    for place in ("a", "b"):
        folder = plant("one.wav", folder=f"{place}/clips")
        (folder / "mine.csv").write_text("path,emotion,speaker\none.wav,sad,01\n")
        tables.append(load("csv", folder / "mine.csv"))
    folders = [load("folders", plant("sad/one.wav", folder=f"{place}/mine")) for place in ("a", "b")]
    for manifests in (tables, folders):
        with pytest.raises(
            ValueError,
            match=r"must give each corpus a name of its own; .* column `corpus`.* Received: two called 'mine', in /",
        ):
            join(manifests)
    again = tables[1].assign(corpus="theirs")
    assert set(speaker_keys(join([tables[0], again]))) == {"mine/01", "theirs/01"}


def test_parts_of_one_corpus_are_joined(plant):
    """Shown by clips that lie in one folder, or by speakers who are others."""

    def part(folder, clip, speaker):
        table = folder / f"{clip[0]}.csv"
        table.write_text(f"path,emotion,speaker,corpus\n{clip},sad,{speaker},voices\n")
        return load("csv", table)

    folder = plant("a.wav", "two/b.wav", folder="voices")
    parts = [part(folder, "a.wav", "01"), part(folder, "two/b.wav", "01")]
    parts.append(part(plant("c.wav", folder="elsewhere"), "c.wav", "02"))
    for order in (parts, parts[::-1]):
        assert sorted(speaker_keys(join(order))) == ["voices/01", "voices/01", "voices/02"]


@pytest.mark.parametrize(
    ("manifests", "words"),
    [
        ([], r"`manifests` must be a list of one or more manifests"),
        (None, r"`manifests` must be a list of one or more manifests\. Received: manifests=NoneType"),
        (["ravdess"], r"`manifests` must be a pandas DataFrame.* Received: str"),
        (
            [pd.DataFrame({"path": ["a"]})],
            r"`manifests` must have the columns .*; add emotion, speaker, gender, corpus",
        ),
    ],
)
def test_what_can_not_be_joined_is_refused(manifests, words):
    with pytest.raises(ValueError, match=words):
        join(manifests)
