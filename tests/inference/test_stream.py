"""A stream says of every window what the model says of those samples alone, however the sound came in."""

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.audio import chunk_starts
from sertk.export import export_saved_model
from sertk.inference import Predictor, Stream
from sertk.inference.loading import Loaded


@pytest.fixture(scope="module", params=["run", "saved_model"])
def predictor(request, finished_run, tmp_path_factory):
    if request.param == "run":
        return Predictor(finished_run.directory)
    return Predictor(export_saved_model(finished_run, tmp_path_factory.mktemp("exports") / "1"))


def test_a_window_is_told_as_the_same_samples_alone(predictor, speech_like):
    sound = speech_like(16_000 * 4 + 123)
    stream = Stream(predictor, hop=0.3)
    moments = [moment for piece in np.split(sound, [10, 20_000, 20_001, 50_000]) for moment in stream.feed(piece)]
    moments += stream.end()
    assert [moment.start for moment in moments] == pytest.approx(
        [*np.arange(0, 3.01, 0.3), (len(sound) - 16_000) / 16_000]
    )
    for moment in moments:
        start = round(moment.start * 16_000)
        alone = predictor.probabilities(sound[start : start + 16_000])
        np.testing.assert_allclose(moment.probabilities, alone, atol=1e-6)
        assert moment.predicted == predictor.classes[alone.argmax()]
        assert moment.end - moment.start == pytest.approx(1)


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 9_000), max_size=8), hop=st.integers(1, 1_000), total=st.integers(0, 9_000))
def test_pieces_make_no_difference(energy_predictor, cuts, hop, total):
    sound = np.random.default_rng(total).uniform(-1, 1, total).astype("float32")
    predictor = energy_predictor(1.0, 1_000)

    def told(pieces):
        stream = Stream(predictor, hop=hop / 1_000)
        return [moment for piece in pieces for moment in stream.feed(piece)] + stream.end()

    at_once, in_pieces = told([sound]), told(np.split(sound, sorted(min(cut, total) for cut in cuts)))
    assert [moment[:4] for moment in at_once] == [moment[:4] for moment in in_pieces]
    for one, other in zip(at_once, in_pieces, strict=True):
        np.testing.assert_array_equal(one.probabilities, other.probabilities)


def test_sound_of_another_rate_is_resampled_on_the_way(energy_predictor, speech_like):
    """The windows are those of the whole, resampled at once by soxr."""
    sound = speech_like(3 * 44_100)
    expected = soxr.resample(sound, 44_100, 16_000)
    stream = Stream(energy_predictor(1.0), 44_100, hop=0.25)
    moments = [moment for piece in np.array_split(sound, 117) for moment in stream.feed(piece)]
    assert 0 < stream.held_back < 0.1
    moments += stream.end()
    assert len(moments) == 9
    for moment in moments:
        window = expected[round(16_000 * moment.start) :][:16_000]
        np.testing.assert_allclose(moment.probabilities, stream.predictor.probabilities(window), atol=1e-5)


def test_a_window_is_told_as_soon_as_its_last_sample_is_there(energy_predictor):
    stream = Stream(energy_predictor(1.0), hop=0.5)
    assert stream.feed(np.zeros(15_999, "float32")) == []
    (moment,) = stream.feed(np.zeros(1, "float32"))
    assert (moment.start, moment.end) == (0, 1)
    assert stream.held_back == 0
    assert stream.feed(np.zeros(0, "float32")) == []
    assert stream.end() == []


def test_levels_are_decibels_below_full_scale(energy_predictor):
    """A sine of full scale has -3.01 dB, half of it 6.02 less; silence has the least that is told."""
    sine = np.sin(2 * np.pi * 100 * np.arange(16_000) / 16_000).astype("float32")
    stream = Stream(energy_predictor(1.0), hop=1.0)
    told = stream.feed(np.concatenate([sine, sine / 2, np.zeros(16_000, "float32")]))
    assert [moment.level_db for moment in told] == pytest.approx([-3.0103, -9.0309, -120], abs=1e-3)


def test_sound_that_is_shorter_than_a_window_is_told_of_in_the_end(energy_predictor):
    stream = Stream(energy_predictor(1.0, shortest=400))
    assert stream.feed(np.ones(500, "float32")) == []
    (moment,) = stream.end()
    assert (moment.start, moment.end) == (0, 500 / 16_000)
    short = Stream(energy_predictor(1.0, shortest=400))
    short.feed(np.ones(399, "float32"))
    assert short.end() == []


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((2, 5), "float32"), r"`samples` must be mono, of shape \(samples,\)\. Received: shape=\(2, 5\)"),
        (np.zeros(5, "int16"), r"convert 16 bits with .* Received: dtype=int16"),
        (np.array([0.0, np.nan]), "must be finite sound. Received: a sample of nan"),
        (np.array([0.0, -np.inf]), "must be finite sound. Received: a sample of inf"),
        (np.array([1e12]), "must be finite sound"),
    ],
)
def test_what_is_no_sound_is_refused(energy_predictor, samples, message):
    with pytest.raises(ValueError, match=message):
        Stream(energy_predictor()).feed(samples)


def test_a_stream_that_is_over_is_over(energy_predictor):
    stream = Stream(energy_predictor())
    stream.end()
    with pytest.raises(ValueError, match="`end` was called"):
        stream.feed(np.zeros(5, "float32"))
    with pytest.raises(ValueError, match="`end` was called"):
        stream.end()
    with pytest.raises(ValueError, match="`sample_rate` must be an integer"):
        Stream(energy_predictor(), 44_100.0)


def test_a_model_of_chunks_hears_the_voiced_chunks_of_each_window(energy_predictor, speech_like):
    """3 s at once, unless told otherwise; each is the average over its chunks of 0.2 s, as of its samples alone."""
    predictor = energy_predictor(0.2)
    predictor.chunks_top_db = 30.0
    sound = np.concatenate([speech_like(40_000), np.zeros(60_000, "float32")])
    stream = Stream(predictor, hop=1.0)
    assert stream.window == 3.0
    moments = stream.feed(sound)
    assert [moment.start for moment in moments] == [0, 1, 2, 3]
    for moment in moments:
        window = sound[round(16_000 * moment.start) :][:48_000]
        starts = chunk_starts(window, 16_000, 0.2, 30.0)
        chunks = [window[start : start + 3_200] for start in starts]
        heard = chunks or [window]  # all silent: as it is
        expected = np.mean([predictor._answer(chunk[None])[0] for chunk in heard], axis=0)
        np.testing.assert_allclose(moment.probabilities, expected, atol=1e-6)
        np.testing.assert_allclose(moment.probabilities, predictor.probabilities(window), atol=1e-6)
    assert len(chunk_starts(sound[:48_000], 16_000, 0.2, 30.0)) > 5


def test_a_network_that_attends_over_the_batch_hears_one_window_at_a_time(monkeypatch, speech_like):
    """Paper 004's transformer as published: asked about windows together, it would mix them up."""
    from sertk.audio import FixedLength
    from sertk.features import MFCC
    from sertk.models import cnn_transformer, from_waveform
    from sertk.recipes import get, override

    def loaded(over):
        network = cnn_transformer((32, 32), 3, encoder_layers=1, feed_forward=8, attend_over=over)
        model = from_waveform(network, MFCC(n_mfcc=32, n_mels=32), fixed_length=FixedLength(16_000))
        described = {"classes": ["a", "b", "c"], "sample_rate": 16_000, "seconds": 1.0, "alone": over == "batch"}
        return Loaded(lambda batch: model(batch, training=False).numpy(), described, model)

    sound = speech_like(32_000)
    for over in ("batch", "frames"):
        monkeypatch.setattr("sertk.inference.predictor.load", lambda _, over=over: loaded(over))
        predictor = Predictor("somewhere")
        for moment in Stream(predictor, hop=0.25).feed(sound):
            alone = predictor.probabilities(sound[round(16_000 * moment.start) :][:16_000])
            np.testing.assert_allclose(moment.probabilities, alone, atol=1e-6)

    from sertk.inference.loading import _mixes

    published = override(get("004-parallel-mfcc"), {"model.attend_over": "batch"})
    assert (_mixes(published.to_dict()), _mixes(get("004-parallel-mfcc").to_dict())) == (True, False)
