"""AWGN by physics: the ratio asked for is the ratio measured, the noise is white and Gaussian, silence stays silent."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sertk.augment import AWGN, add_noise


def clips(count, samples=4_000, seed=0):
    """Noises of very different levels, on a constant offset: power is power, whatever its shape."""
    rng = np.random.default_rng(seed)
    level = 10.0 ** rng.uniform(-4, 0, (count, 1))
    return (level * (rng.standard_normal((count, samples)) + 0.3)).astype("float32")


def noisy(layer, waveforms):
    return keras.ops.convert_to_numpy(layer(waveforms, training=True))


def snr_of(clean, mixed):
    """In dB, of each clip, measured in double precision."""
    clean, mixed = np.asarray(clean, "float64"), np.asarray(mixed, "float64")
    return 10 * np.log10(np.mean(clean**2, axis=-1) / np.mean((mixed - clean) ** 2, axis=-1))


@settings(deadline=None, max_examples=30)
@given(snr=st.floats(-20, 60), samples=st.integers(1, 5_000), level=st.floats(1e-4, 1), seed=st.integers(0, 99))
def test_snr_measured_is_the_snr_asked_for(snr, samples, level, seed):
    rng = np.random.default_rng(seed)
    waveforms = (level * rng.standard_normal((3, samples))).astype("float32")
    noise = 7 * rng.standard_normal((3, samples)).astype("float32")
    mixed = keras.ops.convert_to_numpy(add_noise(waveforms, noise, snr))
    np.testing.assert_allclose(snr_of(waveforms, mixed), snr, atol=0.1)


def test_each_clip_may_have_its_own_snr():
    waveforms, snr = clips(4), np.array([[0.0], [15.0], [22.5], [30.0]], "float32")
    noise = np.random.default_rng(1).standard_normal(waveforms.shape).astype("float32")
    mixed = keras.ops.convert_to_numpy(add_noise(waveforms, noise, snr))
    np.testing.assert_allclose(snr_of(waveforms, mixed), snr[:, 0], atol=0.1)
    one = keras.ops.convert_to_numpy(add_noise(waveforms[2], noise[2], snr[2]))
    np.testing.assert_allclose(one, mixed[2], rtol=1e-5)


@pytest.mark.parametrize("snr", [0.0, 15.0, 22.5, 30.0])
def test_layer_gives_every_clip_the_only_snr_there_is(snr):
    waveforms = clips(8)
    np.testing.assert_allclose(snr_of(waveforms, noisy(AWGN((snr, snr)), waveforms)), snr, atol=0.1)


def test_snrs_are_drawn_evenly_from_the_range():
    waveforms = clips(2_000, samples=200)
    measured = snr_of(waveforms, noisy(AWGN(seed=1), waveforms))
    assert 14.9 < measured.min() < 15.2
    assert 29.8 < measured.max() < 30.1
    assert stats.kstest(measured, stats.uniform(15, 15).cdf).pvalue > 0.001


def test_noise_is_white_and_gaussian():
    waveforms = np.ones((1, 100_000), "float32")
    noise = (noisy(AWGN((0.0, 0.0), seed=1), waveforms) - waveforms)[0].astype("float64")
    assert stats.kstest(noise, stats.norm(0, noise.std()).cdf).pvalue > 0.001
    # White: as much power in every eighth of the band, to the 3 % that 6,250 values of a periodogram allow.
    power = np.abs(np.fft.rfft(noise)[1:-1]) ** 2
    bands = np.array([part.mean() for part in np.array_split(power, 8)])
    np.testing.assert_allclose(bands / power.mean(), 1.0, atol=0.06)


def test_clips_of_a_batch_get_different_noise():
    waveforms = np.ones((3, 4_000), "float32")
    noise = noisy(AWGN((20.0, 20.0)), waveforms) - waveforms
    correlation = np.corrcoef(noise)
    assert np.abs(correlation[np.triu_indices(3, 1)]).max() < 0.1


def test_silent_clips_stay_silent_beside_others():
    waveforms = clips(3)
    waveforms[1] = 0
    mixed = noisy(AWGN(), waveforms)
    assert not mixed[1].any()
    assert (snr_of(waveforms[[0, 2]], mixed[[0, 2]]) < 31).all()


def test_noise_is_fresh_at_every_call():
    waveforms, layer = clips(2), AWGN(seed=3)
    assert not np.array_equal(noisy(layer, waveforms), noisy(layer, waveforms))


def test_nothing_happens_in_inference():
    waveforms, layer = clips(2), AWGN(seed=3)
    model = keras.Sequential([keras.Input((None,)), layer])
    for outputs in (
        layer(waveforms),
        layer(waveforms, training=False),
        model(waveforms),
        model.predict(waveforms, verbose=0),
    ):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(outputs), waveforms)


def test_a_model_in_training_passes_it_on():
    waveforms = clips(4)
    model = keras.Sequential([keras.Input((None,)), AWGN()])
    assert (snr_of(waveforms, noisy(model, waveforms)) < 31).all()


def test_a_seed_fixes_the_sequence():
    waveforms = clips(2)
    first, second, other = AWGN(seed=7), AWGN(seed=7), AWGN(seed=8)
    sequence = [noisy(first, waveforms) for _ in range(3)]
    np.testing.assert_array_equal([noisy(second, waveforms) for _ in range(3)], sequence)
    assert not np.array_equal(noisy(other, waveforms), sequence[0])
    assert not np.array_equal(noisy(AWGN(), waveforms), noisy(AWGN(), waveforms))


def test_same_wherever_it_runs(check_layer):
    waveforms = clips(3, samples=500)
    np.testing.assert_array_equal(check_layer(AWGN((10, 20), seed=1), waveforms), waveforms)


def test_trains_in_tf_data_and_compiled():
    waveforms = clips(4)
    layer = AWGN(seed=1)
    passes = tf.data.Dataset.from_tensor_slices(waveforms).batch(4).map(lambda x: layer(x, training=True)).repeat(2)
    compiled = tf.function(lambda x: layer(x, training=True), jit_compile=True)(waveforms)
    outputs = [*passes.as_numpy_iterator(), compiled.numpy()]
    for mixed in outputs:
        snr = snr_of(waveforms, mixed)
        assert ((snr > 14.9) & (snr < 30.1)).all()
    assert len({mixed.tobytes() for mixed in outputs}) == 3


def test_float32_under_mixed_precision():
    """Noise 60 dB below a clip is finer than half precision."""
    waveforms = clips(4)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        mixed = noisy(AWGN((60.0, 60.0)), waveforms)
    finally:
        keras.config.set_dtype_policy("float32")
    assert mixed.dtype == np.float32
    np.testing.assert_allclose(snr_of(waveforms, mixed), 60, atol=0.1)


@pytest.mark.parametrize(
    "snr",
    [20, None, "15 to 30", (20,), (15, 20, 30), (30, 15), ("low", "high"), (float("nan"), 30), (15, float("inf"))],
)
def test_impossible_range_is_refused(snr):
    with pytest.raises(ValueError, match=r"`snr` must be a pair of numbers \(lowest, highest\), in dB. Received: snr="):
        AWGN(snr)


@pytest.mark.parametrize("shape", [(100,), (2, 100, 2), (2, 0)])
def test_what_is_no_batch_of_waveforms_is_refused(shape):
    with pytest.raises(ValueError, match=r"AWGN (takes waveforms|needs at least one sample).* Received: input_shape="):
        AWGN()(np.zeros(shape, "float32"))
