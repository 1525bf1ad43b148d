"""Archives from strangers: what is in them comes out, and nothing else happens."""

import io
import os
import stat
import tarfile
import zipfile
from collections import namedtuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sertk.corpora.downloads import room, unpacking
from sertk.corpora.downloads.unpacking import unpack


@pytest.fixture
def zipped(tmp_path):
    """A function that writes a ZIP of (name or ZipInfo, content) and returns its path."""

    def write(*members):
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members:
                entry = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
                if entry is not name:
                    entry.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(entry, "w") as file:  # Python 3.11's `writestr` fails on an empty name
                    file.write(content)
        return path

    return write


@pytest.fixture
def tarred(tmp_path):
    """A function that writes a TAR of (name, content, further attributes) and returns its path."""

    def write(*members, mode="w:gz"):
        path = tmp_path / "a.tar"
        with tarfile.open(path, mode) as archive:
            for name, content, *more in members:
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                for key, value in dict(*more).items():
                    setattr(entry, key, value)
                archive.addfile(entry, io.BytesIO(content))
        return path

    return write


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_zip_comes_out_as_python_packs_it(zipped, tmp_path):
    unpack(zipped(("a/", b""), ("a/b.wav", b"bb"), ("./c.wav", b"c"), ("ü.wav", b"")), tmp_path / "out")
    assert contents(tmp_path / "out") == {"a/b.wav": b"bb", "c.wav": b"c", "ü.wav": b""}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_comes_out_however_it_is_compressed(tarred, tmp_path, mode):
    noise = os.urandom(5000)
    unpack(tarred(("a", b"", {"type": tarfile.DIRTYPE}), ("a/b.wav", noise), mode=mode), tmp_path / "out")
    assert contents(tmp_path / "out") == {"a/b.wav": noise}


def test_backslashes_of_windows_are_folders(tarred, tmp_path):
    unpack(tarred(("a\\b.wav", b"b")), tmp_path / "out")
    assert contents(tmp_path / "out") == {"a/b.wav": b"b"}


def test_rights_are_not_taken_over(zipped, tarred, tmp_path):
    entry = zipfile.ZipInfo("a.wav")
    entry.external_attr = (stat.S_IFREG | 0o4777) << 16
    unpack(zipped((entry, b"a")), tmp_path / "zip")
    unpack(tarred(("a.wav", b"a", {"mode": 0o4777})), tmp_path / "tar")
    for kind in ("zip", "tar"):
        assert not (tmp_path / kind / "a.wav").stat().st_mode & (stat.S_ISUID | stat.S_IXUSR)


OUTSIDE = [
    "../out.wav",
    "a/../../out.wav",
    "/tmp/out.wav",
    "\\tmp\\out.wav",
    "C:\\out.wav",
    "c:out.wav",
    "a\\..\\..\\out.wav",
    "..",
    "",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_that_lead_out_of_the_folder_are_refused(zipped, tarred, tmp_path, name):
    (tmp_path / "in").mkdir()
    for archive in (zipped(("ok.wav", b"ok"), (name, b"out")), tarred(("ok.wav", b"ok"), (name, b"out"))):
        with pytest.raises(
            ValueError, match=rf"{archive.name}: (holds a name that leads out|holds a file and a folder)"
        ):
            unpack(archive, tmp_path / "in" / "out")
    assert not list(tmp_path.rglob("out.wav"))


def test_a_name_with_a_nul_in_it_is_refused(zipped, tmp_path):
    """Of which Python's own ZipFile reads the beginning alone."""
    path = zipped(("okQ..wav", b"ok"))
    path.write_bytes(path.read_bytes().replace(b"okQ..wav", b"ok\0..wav"))
    with pytest.raises(ValueError, match="leads out of its folder"):
        unpack(path, tmp_path / "out")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_in_a_zip_are_refused(zipped, tmp_path, kind):
    entry = zipfile.ZipInfo("a.wav")
    entry.external_attr = (kind | 0o777) << 16
    with pytest.raises(ValueError, match=r"may hold files and folders alone, no links.*Received: 'a.wav'"):
        unpack(zipped((entry, b"/etc/passwd")), tmp_path / "out")
    assert contents(tmp_path / "out") == {}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(tarred, tmp_path, kind):
    with pytest.raises(ValueError, match="may hold files and folders alone"):
        unpack(tarred(("a.wav", b"", {"type": kind, "linkname": "/etc/passwd"})), tmp_path / "out")
    assert contents(tmp_path / "out") == {}


def test_encrypted_files_are_refused(zipped, tmp_path):
    path = zipped(("a.wav", b"a"))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="encrypted"):
        unpack(path, tmp_path / "out")


def test_bombs_are_refused_before_they_fill_the_disk(zipped, tarred, tmp_path):
    """100 MB of zeros in 100 kB: a ZIP says so beforehand, a TAR only while it is unpacked."""
    zeros = bytes(10**8)
    with pytest.raises(
        ValueError, match=r"holds more than an archive of its size may.*1 files of at least 100,000,000"
    ):
        unpack(zipped(("a.wav", zeros)), tmp_path / "zip")
    assert not (tmp_path / "zip").exists()
    archive = tarred(("a.wav", zeros))
    with pytest.raises(ValueError, match="holds more than an archive of its size may"):
        unpack(archive, tmp_path / "tar")
    assert sum(map(len, contents(tmp_path / "tar").values())) <= 100 * archive.stat().st_size


def test_more_files_than_any_corpus_has_are_refused(zipped, tarred, tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "FILES", 3)
    many = [(f"{number}.wav", b"a") for number in range(4)]
    for archive in (zipped(*many), tarred(*many)):
        with pytest.raises(ValueError, match="over 3 files"):
            unpack(archive, tmp_path / "out")


def test_a_zip_that_lies_about_a_length_is_damaged(zipped, tmp_path):
    """It says 10 bytes in both its directories, and holds 1,000."""
    noise = os.urandom(1000)
    path = zipped(("a.wav", noise))
    path.write_bytes(path.read_bytes().replace((1000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(ValueError, match=r"a.zip: is damaged. Received: Bad CRC-32"):
        unpack(path, tmp_path / "out")


def test_a_compression_that_python_does_not_know_is_no_damage(zipped, tmp_path):
    """Method 97, WavPack's, in both directories: after the version (20) and no flags."""
    path = zipped(("a.wav", b"RIFF"))
    data = path.read_bytes()
    known = next(method for method in (0, 8) if bytes([20, 0, 0, 0, method, 0]) in data)
    path.write_bytes(data.replace(bytes([20, 0, 0, 0, known, 0]), bytes([20, 0, 0, 0, 97, 0])))
    with pytest.raises(ValueError, match=r"a.zip: is packed in a way that Python does not know; unpack it by hand"):
        unpack(path, tmp_path / "out")


def test_damage_is_told_and_no_traceback(zipped, tarred, tmp_path):
    noise = os.urandom(20_000)
    whole = [zipped(("a.wav", noise))]
    whole += [tarred(("a.wav", noise), mode=f"w:{kind}").rename(tmp_path / f"a.{kind}") for kind in ("gz", "bz2", "xz")]
    for path in whole:
        data = bytearray(path.read_bytes())
        data[5000:5010] = bytes(10)
        path.write_bytes(data)
        with pytest.raises(ValueError, match=rf"^{path.name}: is (damaged|no whole ZIP)"):
            unpack(path, tmp_path / "out")
        path.write_bytes(data[:9000])
        with pytest.raises(ValueError, match=rf"^{path.name}: is (damaged|no whole ZIP)"):
            unpack(path, tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>", b"PK\x03\x04 and no more"])
def test_what_is_no_archive_is_told_by_its_beginning(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ValueError, match=r"a.zip: is no whole ZIP or TAR archive. Received: it begins with b"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_a_file_and_a_folder_of_one_name_are_refused(zipped, tarred, tmp_path):
    for archive in (zipped(("a", b"a"), ("a/b", b"b")), tarred(("a/b", b"b"), ("a", b"a"))):
        with pytest.raises(ValueError, match=r"a file and a folder of one name"):
            unpack(archive, tmp_path / archive.suffix[1:])


def test_where_there_is_no_room_nothing_is_unpacked(zipped, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: usage(10**9, 0, 999))
    with pytest.raises(OSError, match=r"has no room for what is in a.zip; make room.*999 bytes free, 1.0 kB needed"):
        unpack(zipped(("a.wav", os.urandom(1000))), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(alphabet="a./\\:é~ ", min_size=1, max_size=8), min_size=1, max_size=3, unique=True))
def test_whatever_the_names_nothing_is_written_outside(zipped, tarred, tmp_path_factory, names):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "deep").mkdir()
    for number, write in enumerate((zipped, tarred)):
        target = outside / "deep" / f"out{number}"
        archive = write(*((name, b"x") for name in names))
        try:
            unpack(archive, target)
        except ValueError:
            pass
        else:
            assert len(contents(target)) <= len(names)
    assert {path.name for path in outside.iterdir()} == {"deep"}
    assert {path.name for path in (outside / "deep").iterdir()} <= {"out0", "out1"}
