"""From manifest to tf.data: no clip lost, an order that seed and epoch fix, noise at the level that was asked for."""

import numpy as np
import pytest

from sertk.audio import FixedLength, MaximumLength, WaveformCache, read
from sertk.features import MFCC
from sertk.pipeline import Clips, features_size

SAMPLES = 12_000


@pytest.fixture
def clips(tiny_corpus, cache):
    def make(manifest=None, **options):
        manifest = tiny_corpus if manifest is None else manifest
        emotions = sorted(set(tiny_corpus["emotion"]))
        return Clips(manifest, emotions, WaveformCache(cache), FixedLength(SAMPLES), progress=False, **options)

    return make


def drawn(clips, epoch=0):
    """All waveforms and labels of one pass."""
    clips.epoch.assign(epoch)
    batches = list(clips.dataset.as_numpy_iterator())
    return np.concatenate([x for x, _ in batches]), np.concatenate([y for _, y in batches])


def fingerprints(waveforms):
    return [waveform.tobytes() for waveform in waveforms]


def test_unshuffled_clips_are_the_files_in_the_order_of_the_manifest(clips, tiny_corpus):
    waveforms, labels = drawn(clips(batch_size=32))
    emotions = sorted(set(tiny_corpus["emotion"]))
    assert [emotions[index] for index in labels.argmax(axis=1)] == list(tiny_corpus["emotion"])
    for row in (0, 41, 83):  # 84 clips in batches of 32: the last one is in the short batch
        file = read(tiny_corpus["path"][row])
        start = max(len(file) - SAMPLES, 0) // 2
        expected = np.pad(file[start : start + SAMPLES], (0, max(SAMPLES - len(file), 0)))
        np.testing.assert_array_equal(waveforms[row], expected)


def test_chunks_are_the_samples_from_their_start_on(tiny_corpus, cache):
    """A clip may give several; each is as long as the fixed length, which has nothing left to cut."""
    rows, starts = [0, 0, 5], [100, 2_000, 0]
    manifest = tiny_corpus.iloc[rows].assign(chunk_start=starts)
    emotions = sorted(set(tiny_corpus["emotion"]))
    chunks = Clips(manifest, emotions, WaveformCache(cache), FixedLength(480), progress=False)
    waveforms, _ = drawn(chunks)
    for waveform, row, start in zip(waveforms, rows, starts, strict=True):
        np.testing.assert_array_equal(waveform, read(tiny_corpus["path"][row])[start : start + 480])


@pytest.mark.parametrize(("batch_size", "steps"), [(32, 3), (84, 1), (100, 1), (83, 2), (1, 84)])
def test_no_clip_is_dropped(clips, batch_size, steps):
    dataset = clips(batch_size=batch_size, shuffle=True)
    assert dataset.steps == steps == dataset.dataset.cardinality().numpy()
    waveforms, _ = drawn(dataset)
    everything, _ = drawn(clips())
    assert sorted(fingerprints(waveforms)) == sorted(fingerprints(everything))


def test_order_is_a_function_of_seed_and_epoch(clips):
    first = fingerprints(drawn(clips(shuffle=True, seed=3), epoch=5)[0])
    again = fingerprints(drawn(clips(shuffle=True, seed=3), epoch=5)[0])
    next_epoch = fingerprints(drawn(clips(shuffle=True, seed=3), epoch=6)[0])
    other_seed = fingerprints(drawn(clips(shuffle=True, seed=4), epoch=5)[0])
    assert first == again
    assert first != next_epoch
    assert first != other_seed
    assert sorted(first) == sorted(next_epoch) == sorted(other_seed)


def test_shuffling_keeps_each_clip_with_its_label(clips):
    plain = dict(zip(fingerprints(drawn(clips())[0]), drawn(clips())[1].tolist(), strict=True))
    waveforms, labels = drawn(clips(shuffle=True, seed=1))
    assert [plain[waveform] for waveform in fingerprints(waveforms)] == labels.tolist()


def test_two_noisy_copies_triple_the_data_at_the_snr_asked_for(clips):
    clean, clean_labels = drawn(clips())
    tripled, labels = drawn(clips(noisy_copies=2, snr=(15.0, 30.0)))
    assert len(tripled) == 3 * len(clean)
    np.testing.assert_array_equal(tripled[::3], clean)
    np.testing.assert_array_equal(labels, np.repeat(clean_labels, 3, axis=0))
    snrs = []
    for copy in (1, 2):
        noise = tripled[copy::3] - clean
        snrs.extend(10 * np.log10(np.mean(clean**2, axis=1) / np.mean(noise**2, axis=1)))
    assert 14.95 < min(snrs) < 17
    assert 28 < max(snrs) < 30.05
    correlations = [np.corrcoef(a, b)[0, 1] for a, b in zip(tripled[1::3] - clean, tripled[2::3] - clean, strict=True)]
    assert np.abs(correlations).max() < 0.06  # independent: 1 / sqrt(12,000) is 0.009


def test_a_copy_has_the_same_noise_in_every_epoch_and_another_with_another_seed(clips):
    first, _ = drawn(clips(noisy_copies=1, seed=7), epoch=0)
    later, _ = drawn(clips(noisy_copies=1, seed=7), epoch=9)
    other, _ = drawn(clips(noisy_copies=1, seed=8), epoch=0)
    np.testing.assert_array_equal(first, later)
    assert not np.array_equal(first[1::2], other[1::2])


def test_empty_manifest_is_refused(clips, tiny_corpus):
    with pytest.raises(ValueError, match="`manifest` must hold at least one clip"):
        clips(tiny_corpus.iloc[:0])


def test_emotion_that_is_no_class_is_refused(clips, tiny_corpus):
    with pytest.raises(ValueError, match=r"map its labels first. Received: \['bliss'\]"):
        clips(tiny_corpus.assign(emotion="bliss"))


@pytest.mark.parametrize("option", [{"batch_size": 0}, {"batch_size": 2.5}, {"noisy_copies": -1}])
def test_impossible_numbers_are_refused(clips, option):
    with pytest.raises(ValueError, match=f"`{next(iter(option))}` must be"):
        clips(**option)


def test_files_that_are_no_audio_are_all_named(clips, tiny_corpus, tmp_path):
    broken = [tmp_path / "a.wav", tmp_path / "b.wav"]
    for path in broken:
        path.write_text("not audio")
    manifest = tiny_corpus.iloc[:4].copy()
    manifest.loc[[1, 3], "path"] = [str(path) for path in broken]
    with pytest.raises(ValueError, match=r"2 of 4 files can't be used: .*a\.wav.*; .*b\.wav"):
        clips(manifest)


def test_file_that_went_away_is_named(clips, tiny_corpus, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.wav: there is no such file"):
        clips(tiny_corpus.iloc[:1].assign(path=str(tmp_path / "gone.wav")))


@pytest.mark.parametrize("copies", [0, 2])
def test_kept_features_are_those_of_the_waveforms_that_they_replace(clips, copies):
    mfcc = MFCC(n_mfcc=20, n_mels=40)
    options = {"shuffle": True, "noisy_copies": copies, "batch_size": 25, "seed": 7}
    kept, read_anew = clips(features=mfcc, **options), clips(**options)
    for epoch in (0, 3):
        features, labels = drawn(kept, epoch)
        waveforms, expected_labels = drawn(read_anew, epoch)
        np.testing.assert_allclose(features, mfcc(waveforms), atol=1e-3)
        np.testing.assert_array_equal(labels, expected_labels)
    assert kept.steps == read_anew.steps == kept.dataset.cardinality().numpy()
    assert features_size(84, 1 + copies, mfcc, SAMPLES) == features.nbytes


def test_an_epoch_ends_when_its_last_clip_is_read(clips):
    """tf.data's tuner would hold the end of an epoch back until it wakes up, for as long again as the epoch took."""
    assert not clips().dataset.options().autotune.enabled
    assert not clips(features=MFCC(n_mfcc=20, n_mels=40)).dataset.options().autotune.enabled


def test_clips_of_any_length_are_padded_to_the_longest_of_their_batch(tiny_corpus, cache):
    """Whole files with their lengths, none as long as the corpus's longest unless it is in the batch."""
    emotions = sorted(set(tiny_corpus["emotion"]))
    clips = Clips(tiny_corpus, emotions, WaveformCache(cache), MaximumLength(), batch_size=10, progress=False)
    row, widths = 0, set()
    for batch, _ in clips.dataset.as_numpy_iterator():
        assert batch["waveform"].shape[1] == batch["lengths"].max()
        widths.add(batch["waveform"].shape[1])
        for waveform, length in zip(batch["waveform"], batch["lengths"], strict=True):
            file = read(tiny_corpus["path"][row])
            assert length == len(file)
            np.testing.assert_array_equal(waveform[:length], file)
            np.testing.assert_array_equal(waveform[length:], 0)
            row += 1
    assert row == len(tiny_corpus)
    assert len(widths) > 1


def test_clips_that_are_too_long_are_cropped_before_they_are_padded(tiny_corpus, cache):
    emotions = sorted(set(tiny_corpus["emotion"]))
    clips = Clips(tiny_corpus, emotions, WaveformCache(cache), MaximumLength(SAMPLES), batch_size=84, progress=False)
    ((batch, _),) = clips.dataset.as_numpy_iterator()
    file = read(tiny_corpus["path"][0])
    start = (len(file) - SAMPLES) // 2
    np.testing.assert_array_equal(batch["waveform"][0], file[start : start + SAMPLES])


@pytest.mark.parametrize("batches", [1, 2, 3, 4, 9])
def test_rounds_are_the_epochs_one_after_the_other(clips, batches):
    """84 clips, three times, in batches of 32: 7 full ones and one of 28; the last round is what is left."""
    epochs = clips(shuffle=True)
    expected = [clip for epoch in range(3) for clip in fingerprints(drawn(epochs, epoch)[0])]
    rounds = clips(shuffle=True, rounds=(batches, 3))
    assert rounds.passes == -(-8 // batches)
    seen, sizes = [], []
    for number in range(rounds.passes):
        rounds.epoch.assign(number)
        of_round = [fingerprints(batch) for batch, _ in rounds.dataset.as_numpy_iterator()]
        assert len(of_round) == batches or number == rounds.passes - 1
        sizes += map(len, of_round)
        seen += [clip for batch in of_round for clip in batch]
    assert sizes == [32] * 7 + [28]
    assert seen == expected


def test_features_of_clips_of_any_length_can_not_be_kept(tiny_corpus, cache):
    emotions = sorted(set(tiny_corpus["emotion"]))
    with pytest.raises(ValueError, match="`features` can be kept of clips of one length only"):
        Clips(tiny_corpus, emotions, WaveformCache(cache), MaximumLength(), features=MFCC(), progress=False)


def test_rounds_out_of_range(clips):
    with pytest.raises(ValueError, match=r"`rounds` must be two positive integers.*Received: rounds=\(0, 3\)"):
        clips(rounds=(0, 3))
