"""The waveform cache: each file once, in order, never half of one, and every bad file named."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sertk.audio import WaveformCache, read


@pytest.fixture
def cache(tmp_path):
    return WaveformCache(tmp_path / "cache")


@pytest.fixture
def write(tmp_path):
    """A function that writes a clip of noise, of its own for each seed, and returns its path."""

    def write(name, seed=0, samples=1_600, rate=16_000, channels=1):
        path = tmp_path / name
        noise = np.random.default_rng(seed).integers(-(2**15), 2**15, (samples, channels), "int16")
        soundfile.write(path, noise, rate)
        return path

    return write


def entries_of(cache):
    return sorted(cache.directory.rglob("*.f32"))


def test_entries_are_the_decoded_waveforms_in_the_order_asked_for(cache, write):
    paths = [write(f"{name}.wav", seed) for seed, name in enumerate("dacb")]
    asked = [*paths, paths[1], paths[0]]
    entries = cache.prepare(asked, progress=False)
    assert len(entries_of(cache)) == 4
    for path, entry in zip(asked, entries, strict=True):
        np.testing.assert_array_equal(np.fromfile(entry, "<f4"), read(path))
        np.testing.assert_array_equal(cache.waveform(path), read(path))


def test_tensorflow_reads_entries_without_python(cache, write):
    import tensorflow as tf

    path = write("clip.flac")
    (entry,) = cache.prepare([path], progress=False)
    raw = tf.io.decode_raw(tf.io.read_file(str(entry)), tf.float32)
    np.testing.assert_array_equal(raw.numpy(), read(path))


def test_a_file_is_decoded_once(cache, write, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)  # the bar shows what is decoded
    paths = [write(f"{seed}.wav", seed) for seed in range(3)]
    first = [entry.stat().st_mtime_ns for entry in cache.prepare(paths)]
    assert "decoding" in capsys.readouterr().err
    second = [entry.stat().st_mtime_ns for entry in cache.prepare(paths)]
    assert second == first
    assert capsys.readouterr().err == ""


def test_no_bar_is_drawn_where_nobody_looks(cache, write, capsys):
    """Off a terminal each step of it would be a line of a log."""
    cache.prepare([write("clip.wav")])
    assert capsys.readouterr().err == ""


def test_a_file_that_changes_is_decoded_anew(cache, write):
    path = write("clip.wav", seed=0)
    before = cache.waveform(path)
    size = path.stat().st_size
    write("clip.wav", seed=1)
    later = path.stat().st_mtime_ns + 1_000
    os.utime(path, ns=(later, later))
    assert path.stat().st_size == size
    after = cache.waveform(path)
    np.testing.assert_array_equal(after, read(path))
    assert not np.array_equal(before, after)


def test_each_rate_and_channel_has_its_own_entries(tmp_path, write):
    path = write("clip.wav", channels=2, rate=48_000)
    for options in ({}, {"sample_rate": 8_000}, {"channel": 0}, {"channel": 1}):
        waveform = WaveformCache(tmp_path / "cache", **options).waveform(path)
        np.testing.assert_array_equal(waveform, read(path, **options))


def test_relative_and_absolute_paths_are_one_file(cache, write, tmp_path, monkeypatch):
    path = write("clip.wav")
    monkeypatch.chdir(tmp_path)
    assert cache.entry("clip.wav") == cache.entry(path) == cache.entry(str(path))


def test_cache_may_be_deleted_between_runs(cache, write):
    path = write("clip.wav")
    (entry,) = cache.prepare([path], progress=False)
    entry.unlink()
    entry.parent.rmdir()
    np.testing.assert_array_equal(cache.waveform(path), read(path))


def test_a_run_killed_while_it_writes_leaves_no_entry(cache, write):
    """A process that dies in the middle of a file, as if its power were cut, is followed by one that reads it whole."""
    path = write("clip.wav")
    dies = f"""
import os, pathlib, signal, sertk.audio.cache as room

whole = pathlib.Path.write_bytes

def half(path, content):
    whole(path, memoryview(content)[: len(content) // 2])
    os.kill(os.getpid(), signal.SIGKILL)

pathlib.Path.write_bytes = half
room.WaveformCache({str(cache.directory)!r}).prepare([{str(path)!r}], progress=False)
"""
    assert subprocess.run([sys.executable, "-c", dies], check=False).returncode == -signal.SIGKILL
    assert any(file.stat().st_size == 1_600 // 2 * 4 for file in cache.directory.rglob("*") if file.is_file())
    assert not cache.entry(path).exists()
    np.testing.assert_array_equal(cache.waveform(path), read(path))

    (leftover,) = cache.directory.rglob(".*.f32")
    for age, stays in ((23 * 3_600, True), (25 * 3_600, False)):
        then = time.time() - age
        os.utime(leftover, (then, then))
        cache.waveform(path)
        assert leftover.exists()  # nothing to write, so nothing is looked for
        cache.waveform(write(f"{age}.wav", age))
        assert leftover.exists() == stays
    assert len(entries_of(cache)) == 3


@pytest.mark.parametrize("limit", [0, 1_000, 4_096, 5_000, 6_399])
def test_a_full_disk_is_told_and_leaves_no_half_of_an_entry(cache, write, limit):
    """6,400 bytes do not fit, and the last ones are written only when the file is closed."""
    path = write("clip.wav")
    code = f"""
import resource, sertk.audio
cache = sertk.audio.WaveformCache({str(cache.directory)!r})
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    cache.{{call}}([{str(path)!r}], progress=False)
except OSError as error:
    print(error)
"""
    for call in ("prepare", "bad"):
        result = subprocess.run(
            [sys.executable, "-c", code.format(call=call)], capture_output=True, text=True, check=True
        )
        assert result.stdout == (
            f"{cache.directory}: can't hold the decoded waveforms; make room there, or name another folder for the "
            "cache (SERTK_CACHE). Received: File too large\n"
        )
        assert not [file for file in cache.directory.rglob("*") if file.is_file()]
    np.testing.assert_array_equal(cache.waveform(path), read(path))


def test_a_full_disk_ends_the_work_at_once(cache, write, monkeypatch):
    """A thousand clips are not decoded for a disk that takes none of them."""
    paths = [write(f"{seed}.wav", seed) for seed in range(100)]
    decoded = []

    def full(path, content):
        decoded.append(path)
        time.sleep(0.01)  # or a busy machine does all of it before the first one is heard of
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match=r"Received: No space left on device"):
        cache.prepare(paths, progress=False)
    assert len(decoded) < 50


def test_a_folder_that_can_not_be_made_is_told(tmp_path, write):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match=r"file: can't hold the decoded waveforms; .* Received: "):
        WaveformCache(tmp_path / "file").prepare([write("clip.wav")], progress=False)


@pytest.mark.parametrize("size", [0, 1, 3_199, 6_398])
def test_an_entry_of_an_impossible_size_is_written_anew(cache, write, size):
    path = write("clip.wav")
    (entry,) = cache.prepare([path], progress=False)
    os.truncate(entry, size)
    np.testing.assert_array_equal(cache.waveform(path), read(path))


def test_many_threads_may_prepare_the_same_files(cache, write):
    paths = [write(f"{seed}.wav", seed, samples=20_000) for seed in range(12)]
    with ThreadPoolExecutor(8) as pool:
        prepared = list(pool.map(lambda _: cache.prepare(paths, progress=False), range(8)))
    assert all(entries == prepared[0] for entries in prepared)
    for path, entry in zip(paths, prepared[0], strict=True):
        np.testing.assert_array_equal(np.fromfile(entry, "<f4"), read(path))
    assert entries_of(cache) == sorted(prepared[0])


def test_all_bad_files_are_listed_and_the_good_ones_kept(cache, tmp_path, write):
    good = [write(f"good{seed}.wav", seed) for seed in range(2)]
    bad = [tmp_path / f"bad{number}.wav" for number in range(3)]
    for path in bad:
        path.write_text("no audio")
    pattern = r"3 of 5 files can't be used: .*bad0\.wav: can't.*; .*bad1\.wav: .*; .*bad2\.wav: .*Mend them or take"
    with pytest.raises(ValueError, match=pattern):
        cache.prepare([bad[0], good[0], bad[1], good[1], bad[2]], progress=False)
    assert entries_of(cache) == sorted(map(cache.entry, good))


def test_of_many_bad_files_ten_are_named(cache, tmp_path):
    bad = [tmp_path / f"bad{number:02}.wav" for number in range(13)]
    for path in bad:
        path.write_text("no audio")
    with pytest.raises(ValueError, match=r"13 of 13 files .*bad09\.wav.*; and 3 more\. Mend") as error:
        cache.prepare(bad, progress=False)
    assert "bad10.wav" not in str(error.value)


def test_missing_file_is_named(cache, tmp_path, write):
    with pytest.raises(FileNotFoundError, match=r"gone\.wav: there is no such file; was the corpus moved\?"):
        cache.prepare([write("clip.wav"), tmp_path / "gone.wav"], progress=False)


def test_bad_files_are_told_from_sound_ones(cache, tmp_path, write, monkeypatch):
    monkeypatch.chdir(tmp_path)
    good = [write(f"good{seed}.wav", seed) for seed in range(2)]
    (tmp_path / "text.wav").write_text("no audio")
    (tmp_path / "empty.wav").touch()
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    names = ["text.wav", "empty.wav", "gone.wav", "folder.wav", "loop.wav", "good0.wav/clip.wav"]
    for folder in (tmp_path, Path()):
        bad = cache.bad([good[0], *(folder / name for name in names), good[1], folder / "text.wav"], progress=False)
        assert [clip["path"] for clip in bad] == [str(folder / name) for name in names]
        reasons = [clip["reason"] for clip in bad]
        assert reasons[0].startswith("can't be decoded as audio, because it is text. Received: ")
        assert reasons[1] == "is empty; copy or download it again. Received: 0 bytes"
        assert reasons[2] == reasons[5] == "there is no such file; was the corpus moved?"
        assert reasons[3].startswith("is a folder")
        assert "loop.wav" in reasons[4]
    assert entries_of(cache) == sorted(map(cache.entry, good))


def test_one_bad_file_under_two_names_is_told_twice(cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.wav").write_text("no audio")
    bad = cache.bad(["text.wav", tmp_path / "text.wav"], progress=False)
    assert [clip["path"] for clip in bad] == ["text.wav", str(tmp_path / "text.wav")]
    assert bad[0]["reason"] == bad[1]["reason"]


def test_of_sound_files_none_is_bad(cache, write, capsys):
    paths = [write(f"{seed}.wav", seed) for seed in range(3)]
    assert cache.bad(paths) == []
    assert cache.bad([]) == []
    capsys.readouterr()
    cache.prepare(paths)
    assert capsys.readouterr().err == ""


def test_clips_beyond_the_limit_are_bad_even_if_they_were_decoded_before(tmp_path, write):
    short, long = write("short.wav", samples=1_600), write("long.wav", samples=1_700)
    expected = {
        "path": str(long),
        "reason": "is longer than `max_seconds`, 0.1 s; cut it into clips, or raise the limit. ",
    }
    for _ in range(2):
        (bad,) = WaveformCache(tmp_path / "cache", max_seconds=0.1).bad([short, long], progress=False)
        assert bad["path"] == expected["path"]
        assert bad["reason"].startswith(expected["reason"])
        assert WaveformCache(tmp_path / "cache", max_seconds=0.2).bad([short, long], progress=False) == []


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100])
def test_resampling_makes_no_clip_too_long(tmp_path, write, rate):
    """Resampled to a rate that does not divide it, a clip may be a fraction of a sample longer."""
    for samples in (rate, rate + 1, rate + 7):
        cache = WaveformCache(tmp_path / "cache", max_seconds=samples / rate)
        path = write(f"{samples}.wav", samples=samples, rate=rate)
        (entry,) = cache.prepare([path], progress=False)
        written = entry.stat().st_mtime_ns
        cache.prepare([path], progress=False)
        assert entry.stat().st_mtime_ns == written


def test_no_files_are_no_work(cache):
    assert cache.prepare([]) == []


def test_environment_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SERTK_CACHE", str(tmp_path / "elsewhere"))
    assert WaveformCache().directory == tmp_path / "elsewhere"
    assert WaveformCache(tmp_path / "here").directory == tmp_path / "here"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample_rate": 0}, r"`sample_rate` must be an integer from 1000 to 768000 Hz. Received: sample_rate=0"),
        ({"sample_rate": 16e3}, r"`sample_rate` must be an integer .* Received: sample_rate=16000.0"),
        ({"max_seconds": 0}, r"`max_seconds` must be a number of seconds above 0.* Received: max_seconds=0"),
        ({"channel": "left"}, r"`channel` must be \"mean\" or the number of a channel.* Received: channel='left'"),
    ],
)
def test_bad_arguments_are_refused_before_any_file_is_read(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        WaveformCache(tmp_path, **options)
