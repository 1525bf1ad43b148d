"""One recording under several names is found, whatever its container; two takes are not taken for one."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from sertk.corpora.twins import recordings


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
