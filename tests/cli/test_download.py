"""`sertk corpora download` as a user meets it."""

import hashlib
import io
import threading
import zipfile
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import soundfile

from sertk.corpora import OFFICIAL
from sertk.corpora.downloads.remote import Remote
from sertk.corpora.downloads.sources import ON_REQUEST, SOURCES, Source


@pytest.fixture
def download(sertk):
    """Runs `sertk corpora download ...`: returns status, standard output and standard error."""
    return partial(sertk, "corpora", "download")


@pytest.fixture
def publish(tmp_path, monkeypatch):
    """A function that publishes EMO-DB of two clips on this machine, out of `official` ones."""
    monkeypatch.setenv("NO_PROXY", "*")
    (tmp_path / "www").mkdir()
    clip = io.BytesIO()
    soundfile.write(clip, np.random.default_rng(0).uniform(-0.5, 0.5, 2000), 16_000, format="WAV")
    archive = tmp_path / "www" / "emodb.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("03a01Fa", "16b10Wb"):
            file.writestr(f"wav/{name}.wav", clip.getvalue())

    class Silent(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = partial(Silent, directory=tmp_path / "www")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

        def publish(official=2, checksum=None, port=server.server_port):
            url = f"http://127.0.0.1:{port}/emodb.zip"
            checksum = checksum or f"md5:{hashlib.md5(archive.read_bytes()).hexdigest()}"
            monkeypatch.setitem(
                SOURCES, "emo_db", Source((Remote("emodb.zip", (url,), "https://example.org", checksum),))
            )
            monkeypatch.setitem(OFFICIAL, "emo_db", replace(OFFICIAL["emo_db"], clips=official))

        yield publish
        server.shutdown()


def test_a_downloaded_corpus_is_counted_and_the_next_command_told(download, publish, tmp_path):
    publish()
    folder = tmp_path / "emo"
    for _ in range(2):
        status, out, err = download("EMO-DB", folder)
        assert (status, err) == (0, "")
        first, licence, check = out.splitlines()
        assert first == f"{folder} holds 2 of the 2 clips of emo_db"
        assert licence.startswith(f"licence: {OFFICIAL['emo_db'].licence}; http")
        assert check.startswith(f"next: sertk corpora check emo_db {folder} ")


def test_without_a_folder_it_is_data_and_the_name(download, publish, tmp_path, monkeypatch):
    publish()
    monkeypatch.chdir(tmp_path)
    status, out, _ = download("emo_db", "--keep-archive")
    assert status == 0
    assert out.startswith("data/emo_db holds 2 of the 2 clips")
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["emo_db", "emo_db-emodb.zip"]


def test_a_corpus_that_lacks_clips_ends_with_status_3(download, publish, tmp_path):
    publish(official=535)
    status, out, err = download("emo_db", tmp_path / "emo")
    assert (status, err) == (3, "")
    assert f"{tmp_path / 'emo'} holds 2 of the 535 clips of emo_db" in out
    assert "says what is missing" in out


@pytest.mark.parametrize("name", sorted(ON_REQUEST))
def test_how_to_ask_is_one_line_and_no_success(download, one_line, tmp_path, name):
    one_line(download(name, tmp_path / name), "can't be downloaded freely", "https://", f"sertk corpora check {name}")


def test_slips_and_failures_are_one_line(download, publish, one_line, tmp_path):
    one_line(download("emodb", tmp_path / "a"), "`name` must be one of", "Received: name='emodb'")
    publish(checksum=f"md5:{'0' * 32}")
    one_line(download("emo_db", tmp_path / "a"), "emodb.zip: is not the file that was published", "call again")
    publish(port=1)
    one_line(download("emo_db", tmp_path / "a"), "can't be downloaded; call again", "Connection refused")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "mine.txt").touch()
    one_line(download("emo_db", tmp_path / "a"), "`directory` must be a new folder or an empty one")


def test_an_interruption_says_that_the_same_command_goes_on(download, publish, tmp_path, monkeypatch):
    publish()

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("sertk.corpora.downloads.fetching.pooch.retrieve", interrupted)
    status, out, err = download("emo_db", tmp_path / "emo")
    assert (status, out) == (130, "")
    assert err == "sertk: interrupted; the same command goes on with what is unfinished\n"
