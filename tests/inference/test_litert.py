"""Files that are no LiteRT model of sertk are refused in a sentence."""

import json
import zipfile

import pytest

from sertk.inference import Predictor
from sertk.inference.litert import LARGEST

pytest.importorskip("ai_edge_litert")

DESCRIBED = {"classes": ["happy", "sad"], "sample_rate": 16_000, "seconds": 1.0, "shortest": 1}


def archive(path, content, begins=b"", compression=zipfile.ZIP_STORED):
    path.write_bytes(begins)
    with zipfile.ZipFile(path, "a", compression) as file:
        file.writestr("sertk.json", content)
    return path


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no such file; pass a \.tflite file"):
        Predictor(tmp_path / "nowhere.tflite")


@pytest.mark.parametrize("content", [b"", b"TFL3 but no archive", b"PK\x05\x06" + b"\xff" * 18])
def test_a_file_without_a_description(tmp_path, content):
    path = tmp_path / "other.tflite"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"other.tflite: is no LiteRT model of sertk, which would have sertk.json"):
        Predictor(path)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", "{", '{"classes": ["happy"]}', "\udcff".encode("utf-8", "replace")]
)
def test_a_description_that_is_none(tmp_path, content):
    with pytest.raises(ValueError, match="is no LiteRT model of sertk"):
        Predictor(archive(tmp_path / "model.tflite", content))


def test_a_description_that_unpacks_to_much_is_not_unpacked(tmp_path):
    bomb = json.dumps({**DESCRIBED, "padding": " " * LARGEST})
    path = archive(tmp_path / "bomb.tflite", bomb, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < LARGEST // 100
    with pytest.raises(ValueError, match="is no LiteRT model of sertk"):
        Predictor(path)


def test_a_file_that_may_not_be_read_is_told_as_that(tmp_path, monkeypatch):
    path = archive(tmp_path / "model.tflite", json.dumps(DESCRIBED))

    def forbidden(*_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(zipfile, "ZipFile", forbidden)
    with pytest.raises(PermissionError):
        Predictor(path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_description_whose_packing_is_damaged(tmp_path, compression):
    path = archive(tmp_path / "model.tflite", json.dumps(DESCRIBED), compression=compression)
    with zipfile.ZipFile(path) as file:
        begins = 30 + len("sertk.json") + 4  # behind the member's header, and what says how it is packed
        ends = begins + file.getinfo("sertk.json").compress_size - 8
    content = bytearray(path.read_bytes())
    content[begins:ends] = b"\xff" * (ends - begins)
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is no LiteRT model of sertk"):
        Predictor(path)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"classes": "happy"}, "`classes` is missing or absurd"),
        ({"sample_rate": 10**12}, "`sample_rate` is missing or absurd"),
        ({"seconds": 1e9}, "`seconds` is missing or absurd"),
        ({"shortest": -1}, "`shortest` is missing or absurd"),
        ({"recipe": []}, "`recipe` is missing or absurd"),
    ],
)
def test_a_description_that_can_not_be_true(tmp_path, change, named):
    path = archive(tmp_path / "model.tflite", json.dumps(DESCRIBED | change))
    with pytest.raises(ValueError, match=rf"model.tflite, sertk.json: must say .*{named}"):
        Predictor(path)


@pytest.mark.parametrize("begins", [b"", b"no model at all", b"\x1c\x00\x00\x00TFL3" + b"\xff" * 200])
def test_a_description_without_a_model(tmp_path, begins):
    with pytest.raises(ValueError, match=r"model.tflite: can't be loaded; export it again"):
        Predictor(archive(tmp_path / "model.tflite", json.dumps(DESCRIBED), begins))
