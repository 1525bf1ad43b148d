"""Corpora that come clip by clip, as TESS from its Dataverse and CREMA-D from its repository."""

import hashlib
import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from sertk.corpora import OFFICIAL, download, load
from sertk.corpora.downloads.fetching import fetch
from sertk.corpora.downloads.listings import dataverse, lfs
from sertk.corpora.downloads.sources import SOURCES, Source

DOI = "10.5683/SP2/E8H2MF"
LIST = f"/api/datasets/:persistentId/?persistentId=doi:{DOI}"


@pytest.fixture
def clips():
    """Three clips of noise, by name."""
    clips = {}
    for seed, name in enumerate(("OAF_back_angry", "YAF_bar_ps", "OA_bite_neutral")):
        file = io.BytesIO()
        soundfile.write(file, np.random.default_rng(seed).uniform(-0.5, 0.5, 2000), 16_000, format="WAV")
        clips[f"{name}.wav"] = file.getvalue()
    return clips


@pytest.fixture
def tess(publisher, clips, waits, monkeypatch):
    """TESS of three clips in a Dataverse on this machine; returns the entries of its list."""
    entries = [
        {
            "dataFile": {
                "id": number,
                "filename": name,
                "filesize": len(clip),
                "checksum": {"type": "MD5", "value": hashlib.md5(clip).hexdigest()},
            }
        }
        for number, (name, clip) in enumerate(clips.items())
    ]
    readme = {"id": 9, "filename": "README.txt", "filesize": 4, "checksum": {"type": "MD5", "value": "0" * 32}}
    entries.append({"dataFile": readme})

    def publish():
        publisher.files[LIST] = json.dumps({"status": "OK", "data": {"latestVersion": {"files": entries}}}).encode()

    for number, clip in enumerate(clips.values()):
        publisher.files[f"/api/access/datafile/{number}"] = clip
    publish()
    monkeypatch.setitem(OFFICIAL, "tess", replace(OFFICIAL["tess"], clips=3))
    monkeypatch.setitem(SOURCES, "tess", Source(files=dataverse(publisher.address, DOI)))
    return entries, publish


@pytest.fixture
def crema_d(publisher, waits, monkeypatch):
    """CREMA-D of two clips, in a repository on this machine with two places for the large files."""
    names, file = ("1001_DFA_ANG_XX.wav", "1040_ITH_SAD_X.wav"), io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            content = name.encode() * 100
            sha = hashlib.sha256(content).hexdigest()
            pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha}\nsize {len(content)}\n"
            archive.writestr(f"CREMA-D-1.0/AudioWAV/{name}", pointer)
            archive.writestr(f"CREMA-D-1.0/AudioMP3/{name[:-4]}.mp3", pointer)
            publisher.files[f"/lfs/{name}"] = pointer.encode()
            publisher.files[f"/mirror/{name}"] = content
        archive.writestr("CREMA-D-1.0/README.md", "# CREMA-D")
    publisher.files["/v1.0.zip"] = file.getvalue()
    mirrors = (f"{publisher.address}/lfs/", f"{publisher.address}/mirror/")
    return lfs(f"{publisher.address}/v1.0.zip", "AudioWAV", mirrors)


def test_all_clips_of_a_dataverse_come_each_with_its_checksum(tess, publisher, clips, tmp_path):
    folder = download("tess", tmp_path / "tess")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == clips
    assert sorted(load("tess", folder)["emotion"]) == ["angry", "neutral", "surprise"]
    assert not publisher.asked("/api/access/datafile/9")


def test_the_folders_of_a_dataset_are_kept(tess, tmp_path):
    entries, publish = tess
    entries[0]["directoryLabel"] = "OAF/angry"
    publish()
    assert (download("tess", tmp_path / "tess") / "OAF" / "angry" / "OAF_back_angry.wav").exists()


def test_clips_that_came_are_not_fetched_again_and_those_no_longer_listed_go(tess, publisher, tmp_path):
    entries, publish = tess
    entries[2]["dataFile"]["checksum"]["value"] = "0" * 32
    publish()
    with pytest.raises(ValueError, match=r"OA_bite_neutral.wav: is not the file that was published"):
        download("tess", tmp_path / "tess")
    assert not (tmp_path / "tess").exists()
    stage = tmp_path / ".tess.download" / "corpus"
    came = {path.name for path in stage.glob("*.wav")}
    (stage / "OAF_old_sad.wav").write_bytes(b"old")
    entries[2]["dataFile"]["checksum"]["value"] = hashlib.md5(publisher.files["/api/access/datafile/2"]).hexdigest()
    publish()
    publisher.requests.clear()
    folder = download("tess", tmp_path / "tess")
    assert {path.name for path in folder.iterdir()} == {"OAF_back_angry.wav", "YAF_bar_ps.wav", "OA_bite_neutral.wav"}
    assert len(publisher.requests) == 1 + 3 - len(came)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>", "is no list of a dataset's files"),
        (b"[]", "is no list of a dataset's files"),
        (b'{"data": {"latestVersion": {"files": [{}]}}}', "is no list of a dataset's files"),
        (b'{"data": {"latestVersion": {"files": []}}}', "should list clips, each once.*Received: 0 clips"),
    ],
)
def test_a_list_that_is_none_is_refused(tess, publisher, tmp_path, body, words):
    publisher.files[LIST] = body
    with pytest.raises(ValueError, match=words):
        download("tess", tmp_path / "tess")


@pytest.mark.parametrize("change", [{"filename": "../out.wav"}, {"filename": "/out.wav"}, {"filename": "..\\out.wav"}])
def test_a_list_that_leads_out_of_the_folder_is_refused(tess, publisher, tmp_path, change):
    entries, publish = tess
    entries[0]["dataFile"].update(change)
    publish()
    with pytest.raises(ValueError, match=r"lists a name that leads out|should list clips"):
        download("tess", tmp_path / "in" / "tess")
    assert not list(tmp_path.rglob("*out.wav"))
    assert len(publisher.requests) == 1


def test_pointers_of_git_lfs_tell_size_and_checksum_of_the_clips_alone(crema_d, publisher, tmp_path):
    found = crema_d(tmp_path, False, "https://example.org")
    assert [remote.path for remote in found] == ["1001_DFA_ANG_XX.wav", "1040_ITH_SAD_X.wav"]
    content = b"1001_DFA_ANG_XX.wav" * 100
    assert found[0].checksum == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert found[0].size == 1900
    assert found[0].urls[1] == f"{publisher.address}/mirror/1001_DFA_ANG_XX.wav"


def test_a_pointer_in_place_of_a_clip_is_not_taken_for_it(crema_d, publisher, tmp_path):
    """A repository that has used up its budget gives pointers or errors; its mirror gives the clips."""
    (tmp_path / "corpus").mkdir()
    paths = fetch(crema_d(tmp_path, False, "https://example.org"), tmp_path / "corpus", "crema_d", progress=False)
    assert [path.read_bytes() for path in paths] == [path.name.encode() * 100 for path in paths]


def test_a_repository_without_pointers_is_refused(publisher, waits, tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("CREMA-D-1.0/AudioWAV/1001_DFA_ANG_XX.wav", b"RIFF" + bytes(5000))
    publisher.files["/a.zip"] = file.getvalue()
    with pytest.raises(ValueError, match=r"1001_DFA_ANG_XX.wav: its git-lfs pointer can't be read"):
        lfs(f"{publisher.address}/a.zip", "AudioWAV", ())(tmp_path, False, "https://example.org")
    publisher.files["/a.zip"] = b"<html>"
    with pytest.raises(ValueError, match=r"is no whole ZIP archive; call again"):
        lfs(f"{publisher.address}/a.zip", "AudioWAV", ())(tmp_path, False, "https://example.org")
