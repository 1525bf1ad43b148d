"""One recording under several names is found, whatever its container; two takes are not taken for one."""

import os
import time

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

from sertk.corpora.splits.twins import SEGMENTS, TOLERANCE, compared, fingerprint, linked, recordings


def manifest_of(*paths, **columns):
    return pd.DataFrame({"path": [str(path) for path in paths], **columns})


@pytest.mark.parametrize("durations", [{}, {"duration": [0.1] * 5}, {"duration": [0.1, np.nan, 0.1, np.nan, 0.1]}])
def test_copies_share_a_number(write_clip, durations):
    paths = [
        write_clip("a.wav", seed=1),
        write_clip("b.wav", seed=2),
        write_clip("copy.flac", seed=1),
        write_clip("wide.wav", seed=1, subtype="PCM_24"),
        write_clip("c.wav", seed=3),
    ]
    a, b, copy, wide, c = recordings(manifest_of(*paths, **durations))
    assert a == copy == wide
    assert len({a, b, c}) == 3


@pytest.mark.parametrize("durations", [[0.1, 0.13], [3, 0.1], [np.nan, 0.100001]])
def test_lengths_are_those_of_the_sound_whatever_the_table_says(write_clip, durations):
    """Tables round durations, each in its own way."""
    paths = write_clip("a.wav", seconds=0.1004, seed=1), write_clip("b.flac", seconds=0.1004, seed=1)
    assert len(set(recordings(manifest_of(*paths, duration=durations)))) == 1


def test_dither_does_not_part_copies_and_another_take_does(tmp_path):
    """Copies resampled apart differ by a step or two of 16 bit; takes of one sentence by far more."""
    random = np.random.default_rng(0)
    speech = random.normal(0, 0.05, 16_000)
    dithered = speech + random.integers(-2, 3, 16_000) / 2**15
    other = speech.copy()
    other[8000] += 0.01  # loudness alone would not show it
    for name, samples in (("a", speech), ("b", dithered), ("c", other)):
        soundfile.write(tmp_path / f"{name}.wav", samples, 16_000, subtype="FLOAT")
    a, b, c = recordings(manifest_of(*(tmp_path / f"{name}.wav" for name in "abc")))
    assert a == b != c


def test_same_samples_at_another_rate_are_another_recording(write_clip):
    slow, fast = recordings(
        manifest_of(
            write_clip("a.wav", seed=1), write_clip("b.wav", seconds=0.05, rate=32_000, seed=1), duration=[0.1] * 2
        )
    )
    assert slow != fast


def test_same_path_is_one_recording_even_without_its_file():
    first, other, again = recordings(manifest_of("/gone/a.wav", "/gone/b.wav", "/gone/a.wav"))
    assert first == again != other


def test_a_file_that_changed_is_read_anew(write_clip):
    paths = write_clip("a.wav", seed=1), write_clip("b.wav", seed=1)
    assert len(set(recordings(manifest_of(*paths)))) == 1
    write_clip("b.flac", seed=2).rename(paths[1])
    assert len(set(recordings(manifest_of(*paths)))) == 2


def test_stereo_of_two_equal_channels_is_its_mono(write_clip, tmp_path):
    mono = write_clip("mono.wav", seed=1)
    samples, rate = soundfile.read(mono)
    soundfile.write(tmp_path / "stereo.wav", np.stack([samples, samples], axis=1), rate)
    soundfile.write(tmp_path / "two.wav", np.stack([samples, -samples], axis=1), rate)
    first, stereo, two = recordings(manifest_of(mono, tmp_path / "stereo.wav", tmp_path / "two.wav"))
    assert first == stereo != two


def test_what_is_not_found(write_clip, tmp_path):
    """Cut by a sample, 1 % louder, coded with loss: other recordings, as the docstring says."""
    samples, rate = soundfile.read(write_clip("a.wav", seconds=1, seed=1))
    soundfile.write(tmp_path / "cut.wav", samples[1:], rate)
    soundfile.write(tmp_path / "louder.wav", samples * 1.01, rate)
    soundfile.write(tmp_path / "lossy.ogg", samples, rate)
    numbers = recordings(manifest_of(*(tmp_path / name for name in ("a.wav", "cut.wav", "louder.wav", "lossy.ogg"))))
    assert len(set(numbers)) == 4


def test_a_chain_of_copies_is_one_recording_in_any_order(tmp_path):
    """Three steps apart each, so that the ends, six steps apart, are held together by the middle."""
    speech = np.random.default_rng(0).normal(0, 0.05, 1_600)
    for step in range(3):
        soundfile.write(tmp_path / f"{step}.wav", speech + 3 * step / 2**15, 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "3.wav", speech + 11 / 2**15, 16_000, subtype="FLOAT")
    for order in ("0123", "2031", "3021"):
        numbers = dict(zip(order, recordings(manifest_of(*(tmp_path / f"{step}.wav" for step in order))), strict=True))
        assert numbers["0"] == numbers["1"] == numbers["2"] != numbers["3"]


def test_what_can_not_be_decoded_is_compared_by_its_bytes(write_clip, tmp_path):
    for name, text in (("text.wav", "no sound"), ("again.wav", "no sound"), ("other.wav", "no noise")):
        (tmp_path / name).write_text(text)
    for name, number in (("nan.wav", np.nan), ("other_nan.wav", np.nan), ("infinite.wav", np.inf)):
        soundfile.write(tmp_path / name, np.full(1_600, number), 16_000, subtype="FLOAT")
    (tmp_path / "folder").mkdir()
    for name in ("empty.wav", "as_empty.wav"):
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "pipe.wav")  # which must not be waited for
    names = [["text.wav", "again.wav"], ["other.wav"], ["nan.wav", "other_nan.wav"], ["infinite.wav"], ["folder"]]
    names += [["gone.wav"], ["gone_too.wav"], ["empty.wav"], ["as_empty.wav"], ["pipe.wav"]]
    expected = [number for number, group in enumerate(names) for _ in group]
    found = recordings(manifest_of(*(tmp_path / name for group in names for name in group)))
    assert pd.factorize(found)[0].tolist() == expected


def test_which_sound_was_not_compared_is_told(write_clip, tmp_path):
    soundfile.write(tmp_path / "nan.wav", np.full(1_600, np.nan), 16_000, subtype="FLOAT")
    (tmp_path / "text.wav").write_text("no sound")
    paths = [write_clip("a.wav", seed=1), tmp_path / "nan.wav", tmp_path / "text.wav", tmp_path / "gone.wav"]
    _, heard = compared(manifest_of(*paths, *paths)["path"])
    assert heard.tolist() == [True, False, False, False] * 2


@settings(deadline=None, max_examples=50)
@given(samples=st.integers(1, 400), seed=st.integers(0, 2**32 - 1), offset=st.booleans())
def test_fingerprints_differ_no_more_than_the_samples(samples, seed, offset):
    """So no copy is missed. By the triangle inequality; the worst case is one offset of all samples."""
    random = np.random.default_rng(seed)
    waveform = random.uniform(-1, 1, samples) * random.choice([1e-4, 0.01, 1])
    change = np.full(samples, TOLERANCE) if offset else random.uniform(-TOLERANCE, TOLERANCE, samples)
    assert np.abs(fingerprint(waveform + change) - fingerprint(waveform)).max() <= TOLERANCE + 1e-12


def test_steady_sounds_of_one_loudness_have_different_fingerprints():
    """Tones of one amplitude are alike in loudness: were that all, every pair of them would be decoded."""
    seconds = np.arange(48_000) / 16_000
    tones = np.array([fingerprint(0.1 * np.sin(2 * np.pi * pitch * seconds)) for pitch in range(200, 300)])
    assert (cdist(tones, tones, "chebyshev") <= TOLERANCE).sum() == len(tones)
    assert tones.shape == (100, 2 * SEGMENTS)


@settings(deadline=None, max_examples=100)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 40), spread=st.sampled_from([0.5, 3, 20]))
def test_links_are_those_of_all_pairs(seed, count, spread):
    """Against every pair compared, and SciPy's connected components."""
    random = np.random.default_rng(seed)
    vectors = random.uniform(0, spread, (count, 3))
    refused = np.triu(random.random((count, count)) < 0.3)
    refused |= refused.T
    pairs = (cdist(vectors, vectors, "chebyshev") <= 1) & ~refused
    components = connected_components(csr_array(pairs))[1]
    group = linked(vectors, 1, lambda one, other: not refused[one, other])
    first = pd.Series(range(count)).groupby(components).transform("min")
    assert group.tolist() == first.tolist()


def test_twenty_thousand_clips_of_one_length_take_seconds():
    """All pairs would be 200 million, each with 64 numbers. Every tenth has a copy, which has to be found."""
    random = np.random.default_rng(0)
    vectors = random.normal(0.05, 0.03, (20_000, 64))
    vectors[:, :16] = random.uniform(0, TOLERANCE / 2, (20_000, 16))  # the silence before speech
    vectors[18_000:, 16:] = vectors[:2_000, 16:] + random.uniform(-TOLERANCE, TOLERANCE, (2_000, 48)) / 2
    looked_at = []
    begun = time.perf_counter()
    group = linked(vectors, TOLERANCE, lambda *pair: looked_at.append(pair) or True)
    assert time.perf_counter() - begun < 20  # 1.5 s on an idle core
    assert group.tolist() == [*range(18_000), *range(2_000)]
    assert len(looked_at) == 2_000


def test_thousands_of_silent_clips_are_one_recording():
    """Every one is near to every other; comparing each with one of them must do."""
    vectors = np.random.default_rng(0).uniform(0, TOLERANCE / 2, (2_000, 64))
    looked_at = []
    group = linked(vectors, TOLERANCE, lambda *pair: looked_at.append(pair) or True)
    assert set(group) == {0}
    assert len(looked_at) == 1_999
