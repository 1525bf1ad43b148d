"""The waveform cache: each file once, in order, never half of one, and every bad file named."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

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


def test_a_file_is_decoded_once(cache, write, capsys):
    paths = [write(f"{seed}.wav", seed) for seed in range(3)]
    first = [entry.stat().st_mtime_ns for entry in cache.prepare(paths)]
    assert "decoding" in capsys.readouterr().err
    second = [entry.stat().st_mtime_ns for entry in cache.prepare(paths)]
    assert second == first
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
import os, numpy as np, sertk.audio.cache as room

class Dying(np.ndarray):
    def tofile(self, file):
        np.asarray(self)[: len(self) // 2].tofile(file)
        os._exit(9)

whole = room.read
room.read = lambda *arguments: whole(*arguments).view(Dying)
room.WaveformCache({str(cache.directory)!r}).prepare([{str(path)!r}], progress=False)
"""
    assert subprocess.run([sys.executable, "-c", dies], check=False).returncode == 9
    assert any(file.stat().st_size == 1_600 // 2 * 4 for file in cache.directory.rglob("*") if file.is_file())
    assert not cache.entry(path).exists()
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
        ({"channel": "left"}, r"`channel` must be \"mean\" or the number of a channel.* Received: channel='left'"),
    ],
)
def test_bad_arguments_are_refused_before_any_file_is_read(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        WaveformCache(tmp_path, **options)
