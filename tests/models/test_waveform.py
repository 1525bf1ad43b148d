"""From waveform to probabilities: the steps in their order, any length, the same weights in training and in serving."""

import keras
import librosa
import numpy as np
import pytest
import tensorflow as tf

from sertk.audio import FixedLength
from sertk.augment import AWGN
from sertk.features import MFCC, LogMelSpectrogram
from sertk.models import BatchNormalization, cnn, from_features, from_waveform, load, without_fixed_length

SAMPLES = 16_000
FRAMES, BANDS = 32, 32


def mfcc():
    return MFCC(n_mfcc=BANDS, n_mels=BANDS, n_fft=512)


@pytest.fixture(scope="module")
def normalization():
    layer = keras.layers.Normalization()
    layer.adapt(np.random.default_rng(0).normal(-20, 9, (4, FRAMES, BANDS)))
    return layer


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return cnn((FRAMES, BANDS), 4)


@pytest.fixture(scope="module")
def whole(network, normalization):
    """All the steps at once, for any length."""
    fixed_length = FixedLength(SAMPLES, trim_top_db=40.0)
    noise = AWGN(seed=0)
    return from_waveform(network, mfcc(), fixed_length=fixed_length, noise=noise, normalization=normalization)


def clips(count, samples, seed=0):
    return 0.1 * np.random.default_rng(seed).standard_normal((count, samples)).astype("float32")


def numbers(model, waveforms, **options):
    return keras.ops.convert_to_numpy(model(waveforms, **options))


def test_is_the_steps_one_after_the_other(whole, network, normalization):
    """Cut by librosa, turned into MFCC by librosa, normalised by hand."""
    waveforms = clips(3, 20_000)
    cut = waveforms[:, 2_000:18_000]
    options = {"sr": 16_000, "n_mfcc": BANDS, "n_mels": BANDS, "n_fft": 512}
    features = np.stack([librosa.feature.mfcc(y=clip, **options).T for clip in cut])
    mean, variance = (keras.ops.convert_to_numpy(value) for value in (normalization.mean, normalization.variance))
    expected = numbers(network, (features - mean) / np.sqrt(variance))
    np.testing.assert_allclose(numbers(whole, waveforms), expected, atol=1e-4)


def test_takes_clips_of_any_length(whole):
    assert whole.input_shape == (None, None)
    assert whole.input.name == "waveform"
    for samples in (1, 300, SAMPLES, 70_000):
        np.testing.assert_allclose(numbers(whole, clips(2, samples)).sum(axis=1), 1, rtol=1e-5)


def test_any_length_equals_the_clip_that_was_cut_before(whole):
    cut = without_fixed_length(whole)
    assert cut.input_shape == (None, SAMPLES)
    fixed_length = FixedLength(SAMPLES, trim_top_db=40.0)
    for samples in (5_000, SAMPLES, 30_000):
        waveforms = clips(3, samples, seed=samples)
        waveforms[1, : samples // 3] = 0
        expected = numbers(cut, numbers(fixed_length, waveforms))
        np.testing.assert_allclose(numbers(whole, waveforms), expected, atol=1e-5)


def test_both_models_share_their_weights(whole):
    cut = without_fixed_length(whole)
    assert {id(weight) for weight in cut.weights} == {id(weight) for weight in whole.weights}
    assert cut.layers[1:] == whole.layers[2:]
    assert cut.name == whole.name


def test_features_at_hand_give_what_the_waveforms_would_and_train_the_same_weights(network, normalization):
    whole = from_waveform(network, mfcc(), samples=SAMPLES, normalization=normalization)
    waveforms = np.random.default_rng(1).normal(0, 0.1, (3, SAMPLES)).astype("float32")
    model = from_features(network, normalization=normalization)
    np.testing.assert_allclose(model(mfcc()(waveforms)), whole(waveforms), atol=1e-5)
    assert {id(weight) for weight in model.weights} == {id(weight) for weight in whole.weights}
    assert from_features(network)(np.zeros((1, FRAMES, BANDS))).shape == (1, 4)


def test_noise_is_heard_in_training_only(network):
    waveforms = clips(2, SAMPLES)
    # A network whose own training changes nothing, so that what changes is the noise.
    steady = keras.Sequential([keras.Input((FRAMES, BANDS)), keras.layers.Flatten(), keras.layers.Dense(2)])
    model = from_waveform(steady, mfcc(), samples=SAMPLES, noise=AWGN())
    np.testing.assert_array_equal(numbers(model, waveforms), numbers(model, waveforms, training=False))
    first, second = (numbers(model, waveforms, training=True) for _ in range(2))
    assert not np.allclose(first, second)


def test_steps_may_be_left_out(network):
    model = from_waveform(network, mfcc(), samples=SAMPLES)
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "MFCC", "Functional"]
    assert model.name == network.name
    assert from_waveform(network, mfcc(), samples=SAMPLES, name="other").name == "other"


def test_a_network_of_any_length_needs_no_cut():
    network = cnn((None, BANDS), 4, batch_norm="channels")
    model = from_waveform(network, mfcc())
    for samples in (400, 50_000):
        assert model(clips(2, samples)).shape == (2, 4)


def test_wrong_bands_are_refused_with_both_shapes(network):
    message = (
        r"features must have the shape that the network takes, \(32, 32\); "
        r"build the network with `input_shape=\(32, 40\)`.* Received: \(32, 40\)"
    )
    with pytest.raises(ValueError, match=message):
        from_waveform(network, LogMelSpectrogram(n_mels=40, n_fft=512), samples=SAMPLES)


def test_wrong_length_is_refused_with_both_shapes(network):
    with pytest.raises(ValueError, match=r"takes, \(32, 32\); .* Received: \(63, 32\)"):
        from_waveform(network, mfcc(), fixed_length=FixedLength(2 * SAMPLES))


def test_any_length_before_a_network_of_one_length_is_refused(network):
    with pytest.raises(ValueError, match=r"takes, \(32, 32\); .*change the clips' length.* Received: \(None, 32\)"):
        from_waveform(network, mfcc())


def test_features_of_another_rank_are_refused(network):
    with pytest.raises(ValueError, match=r"takes, \(32, 32\); .* Received: \(16000,\)"):
        from_waveform(network, FixedLength(SAMPLES), samples=SAMPLES)


def test_a_model_without_a_fixed_length_has_none_to_take_away(network):
    message = r"`model` must begin with a fixed length, .* Received: a model that begins with MFCC"
    with pytest.raises(ValueError, match=message):
        without_fixed_length(from_waveform(network, mfcc(), samples=SAMPLES))


def test_saved_and_loaded_in_safe_mode_gives_the_same_numbers(whole, tmp_path):
    whole.save(tmp_path / "whole.keras")
    loaded = load(tmp_path / "whole.keras")
    assert not loaded.compiled
    for samples in (5_000, 30_000):
        waveforms = clips(3, samples)
        np.testing.assert_array_equal(numbers(loaded, waveforms), numbers(whole, waveforms))
    np.testing.assert_allclose(
        numbers(without_fixed_length(loaded), clips(2, SAMPLES)),
        numbers(without_fixed_length(whole), clips(2, SAMPLES)),
        atol=1e-6,
    )


def test_exported_to_tensorflow_gives_the_same_numbers(whole, tmp_path):
    """Any batch and any length, without Keras."""
    whole.export(tmp_path / "exported", verbose=False)
    served = tf.saved_model.load(str(tmp_path / "exported"))
    for count, samples in ((1, 5_000), (3, 30_000)):
        waveforms = clips(count, samples)
        np.testing.assert_allclose(served.serve(waveforms).numpy(), numbers(whole, waveforms), atol=1e-5)


def test_mixed_precision_keeps_waveforms_and_features_whole():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = from_waveform(
            cnn((FRAMES, BANDS), 4, batch_norm="channels"),
            mfcc(),
            fixed_length=FixedLength(SAMPLES),
            noise=AWGN(),
        )
    finally:
        keras.config.set_dtype_policy("float32")
    *steps, network = model.layers[1:]
    assert [step.output.dtype for step in steps] == ["float32"] * 3
    norms = [layer for layer in network.layers if isinstance(layer, BatchNormalization)]
    assert {norm.compute_dtype for norm in norms} == {"float16"}
    assert model.output.dtype == "float32"


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"model\.keras: there is no such model file"):
        load(tmp_path / "model.keras")


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_half_a_file_is_refused(network, tmp_path, share):
    path = tmp_path / "model.keras"
    network.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: round(share * len(content))])
    message = (
        r"model\.keras: is no `\.keras` file, or only a part of one; save or copy .* Received: a file of [\d,]+ bytes"
    )
    with pytest.raises(ValueError, match=message):
        load(path)


def test_other_archives_are_refused(tmp_path):
    path = tmp_path / "arrays.keras"
    with path.open("wb") as file:
        np.savez(file, weights=np.zeros(3))
    with pytest.raises(ValueError, match=r"arrays\.keras: is no `\.keras` file"):
        load(path)


def test_code_in_a_file_is_not_run(tmp_path):
    """A Lambda layer holds a Python function: a file from a stranger could do anything with it."""
    path = tmp_path / "hostile.keras"
    keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x)]).save(path)
    with pytest.raises(ValueError, match=r"Lambda.*arbitrary code execution"):
        load(path)
