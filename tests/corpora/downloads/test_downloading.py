"""A corpus from its publisher into a folder: whole, or not there."""

import subprocess
import sys
import threading
import time
from collections import namedtuple

import pytest

from sertk.corpora import OFFICIAL, READERS, download, load
from sertk.corpora.downloads import fetching, room
from sertk.corpora.downloads.remote import Remote
from sertk.corpora.downloads.sources import ON_REQUEST, SOURCES
from sertk.lock import only_writer

ZIP = "/emodb.zip"


def test_a_corpus_is_fetched_unpacked_and_read(published, publisher, tmp_path):
    folder = download("emo-db", tmp_path / "data" / "emo-db")
    assert folder == tmp_path / "data" / "emo-db"
    assert sorted(load("emo_db", folder)["emotion"]) == ["angry", "boredom", "happy"]
    assert [path.name for path in folder.parent.iterdir()] == ["emo-db"]
    assert len(publisher.asked(ZIP)) == 1


def test_what_is_there_is_not_fetched_again(published, publisher, tmp_path):
    download("emo_db", tmp_path / "emo")
    assert download("emo_db", tmp_path / "emo") == tmp_path / "emo"
    assert len(publisher.requests) == 1


def test_an_empty_folder_is_taken(published, tmp_path):
    (tmp_path / "emo").mkdir()
    assert len(load("emo_db", download("emo_db", tmp_path / "emo"))) == 3


def test_the_archive_is_kept_beside_the_folder_where_that_is_wanted(published, zipped, tmp_path):
    download("emo_db", tmp_path / "emo", keep_archive=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["emo", "emo-emodb.zip"]
    assert (tmp_path / "emo-emodb.zip").read_bytes() == zipped


def test_no_bar_is_drawn_where_nobody_looks(published, tmp_path, capfd):
    download("emo_db", tmp_path / "emo")
    assert capfd.readouterr() == ("", "")


def test_a_killed_download_goes_on_with_the_same_call(published, publisher, zipped, tmp_path):
    """What had come is neither lost nor taken for the corpus; no more than a block of it is asked for again."""
    never = threading.Event()
    publisher.script[ZIP] = [{"cut": 200_000, "hold": never}]
    code = f"""if True:
        from sertk.corpora import download
        from sertk.corpora.downloads.sources import SOURCES, Source
        from sertk.corpora.downloads.remote import Remote
        SOURCES["emo_db"] = Source(({published()!r},))
        download("emo_db", {str(tmp_path / "emo")!r})
    """
    part = tmp_path / ".emo.download" / "emodb.zip.part"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        try:
            deadline = time.monotonic() + 300
            while not part.exists() or part.stat().st_size < 130_000:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        finally:
            process.kill()
    never.set()
    assert not (tmp_path / "emo").exists()
    held = part.stat().st_size
    assert 130_000 <= held <= 200_000
    assert len(load("emo_db", download("emo_db", tmp_path / "emo"))) == 3
    assert [headers.get("Range") for headers in publisher.asked(ZIP)] == [None, f"bytes={held}-"]


def test_what_a_killed_call_had_unpacked_is_unpacked_anew(published, publisher, zipped, tmp_path):
    stage = tmp_path / ".emo.download"
    (stage / "corpus").mkdir(parents=True)
    (stage / "corpus" / "03a01Nc.wav").write_bytes(b"half a cl")
    (stage / "emodb.zip").write_bytes(zipped)
    folder = download("emo_db", tmp_path / "emo")
    assert sorted(path.name for path in folder.rglob("*.wav")) == ["03a01Fa.wav", "08a02La.wav", "16b10Wb.wav"]
    assert publisher.requests == []  # the archive has its checksum


def test_a_call_that_was_killed_at_its_very_end_is_ended_by_the_next(published, zipped, tmp_path):
    download("emo_db", tmp_path / "emo")
    (tmp_path / ".emo.download").mkdir()
    (tmp_path / ".emo.download" / "emodb.zip").write_bytes(zipped)
    download("emo_db", tmp_path / "emo", keep_archive=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["emo", "emo-emodb.zip"]


def test_a_second_download_into_the_same_folder_is_refused_while_the_first_one_lives(published, publisher, tmp_path):
    with (
        only_writer(tmp_path / ".emo.download"),
        pytest.raises(ValueError, match=r"another process is writing to this folder"),
    ):
        download("emo_db", tmp_path / "emo")
    assert publisher.requests == []


def test_a_folder_that_holds_something_else_is_left_alone(published, publisher, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"`directory` must be a new folder or an empty one.*0 of the 3 clips"):
        download("emo_db", tmp_path)
    with pytest.raises(ValueError, match=r"`directory` must be a new folder"):
        download("emo_db", tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert publisher.requests == []


def test_a_corpus_that_lacks_clips_is_not_taken_for_a_whole_one(published, tmp_path):
    folder = download("emo_db", tmp_path / "emo")
    next(folder.rglob("*.wav")).unlink()
    with pytest.raises(ValueError, match=r"holds 2 of the 3 clips"):
        download("emo_db", folder)


def test_the_folder_that_one_stands_in_is_refused(published, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"`directory` must be a folder for this corpus alone.* directory='\.'"):
        download("emo_db", ".")


def test_a_page_in_place_of_the_archive_is_refused_and_not_kept(published, publisher, tmp_path):
    published(checksum=None, size=None, body=b"<html>Please log in.</html>")
    with pytest.raises(ValueError, match=r"emodb.zip: is no whole ZIP.*<html>.*deleted, call again or see https://exa"):
        download("emo_db", tmp_path / "emo")
    assert not (tmp_path / "emo").exists()
    published(checksum=None, size=None)
    assert len(load("emo_db", download("emo_db", tmp_path / "emo"))) == 3


def test_an_archive_of_something_else_is_refused(published, zipped, tmp_path, monkeypatch):
    monkeypatch.setitem(SOURCES, "tess", SOURCES["emo_db"])
    with pytest.raises(ValueError, match=r"tess: what came is not the corpus; see https://doi.org"):
        download("tess", tmp_path / "tess")
    assert not (tmp_path / "tess").exists()


def test_where_there_is_no_room_nothing_is_asked_of_the_server(published, publisher, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: usage(10**9, 0, 500_000))
    with pytest.raises(OSError, match=r"has no room for the download; make room.*500.0 kB free, 1\.\d MB needed"):
        download("emo_db", tmp_path / "emo")
    assert publisher.requests == []


def test_unknown_names_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"`name` must be one of 'children', 'crema_d'.* Received: name='emodb'"):
        download("emodb", tmp_path / "a")
    with pytest.raises(ValueError, match=r"Received: name=None"):
        download(None, tmp_path / "a")


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("iemocap", "https://sail.usc.edu/iemocap/iemocap_release.htm"),
        ("demos", "https://zenodo.org/records/2544829"),
        ("savee", "https://cvssp.org/savee/Register.html"),
        ("emovo", "https://aclanthology.org/L14-1478/"),
    ],
)
def test_what_may_not_be_downloaded_is_said_with_where_to_ask(name, address, tmp_path):
    with pytest.raises(ValueError, match=f"^{name}: can't be downloaded freely") as refusal:
        download(name.upper(), tmp_path / name)
    assert address in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


def test_every_published_corpus_is_fetched_or_asked_for():
    assert set(SOURCES) | set(ON_REQUEST) == set(OFFICIAL)
    assert not set(SOURCES) & set(ON_REQUEST)
    assert set(SOURCES) <= set(READERS)


def test_a_mirror_that_answers_is_asked_first_from_then_on(publisher, waits, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "CONNECTIONS", 1)
    publisher.files |= {"/good/a": b"aaa", "/good/b": b"bb"}
    both = (f"{publisher.address}/bad/", f"{publisher.address}/good/")
    remotes = [Remote(name, tuple(url + name for url in both), "https://example.org") for name in "ab"]
    paths = fetching.fetch(remotes, tmp_path, "test", progress=False)
    assert [path.read_bytes() for path in paths] == [b"aaa", b"bb"]
    assert [path for path, _ in publisher.requests] == ["/bad/a", "/good/a", "/good/b"]
    assert waits == []
