"""The speech encoder as a model: what it is built from, its two forms, precision, files and SavedModels."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from sertk.models import load, ssl_encoder, until, with_hidden_states, with_lengths, without_lengths
from sertk.models.ssl.config import SpeechEncoderConfig

# Keras's remark on attention over a single frame, which is meant here.
pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis")

LENGTHS = np.array([4_000, 2_000], "int32")


def waveforms(samples=4_000, seed=0):
    return 0.1 * np.random.default_rng(seed).standard_normal((2, samples)).astype("float32")


def numbers(outputs):
    return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)


def test_names_paths_dicts_and_configurations_build_the_same_network(tiny, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(tiny))
    sources = [tiny, SpeechEncoderConfig.from_dict(tiny), tmp_path, str(tmp_path), tmp_path / "config.json"]
    built = [ssl_encoder(source).to_json() for source in sources]
    assert len(set(built)) == 1


@pytest.mark.parametrize("backbone", ["facebook/wav2vec2", 7, None], ids=str)
def test_other_backbones_are_refused(backbone):
    message = rf"`backbone` must be one of facebook/wav2vec2-base, .* Received: backbone={backbone!r}"
    with pytest.raises(ValueError, match=message):
        ssl_encoder(backbone)


def test_a_folder_without_a_configuration_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"config\.json: there is no such file"):
        ssl_encoder(tmp_path)


@pytest.mark.parametrize("value", [1.0, -0.1, "0.1"])
def test_impossible_rates_are_refused(value, tiny):
    message = rf"`layer_drop` must be a share, at least 0 and below 1\. Received: layer_drop={value!r}"
    with pytest.raises(ValueError, match=message):
        ssl_encoder(tiny, layer_drop=value)


@pytest.mark.parametrize("samples", [0, 16_000.0, "3 s"])
def test_impossible_lengths_are_refused(samples, tiny):
    with pytest.raises(ValueError, match=rf"`samples` must be a positive integer\. Received: samples={samples!r}"):
        ssl_encoder(tiny, samples=samples)


def test_clips_too_short_for_a_frame_are_refused_when_it_is_built(tiny):
    with pytest.raises(ValueError, match=r"Clips must have at least 400 samples, the receptive field\. Received: 399"):
        ssl_encoder(tiny, samples=399)
    assert ssl_encoder(tiny, samples=400).output_shape == (None, 1, 16)


def test_any_batch_and_length_is_taken_and_loudness_does_not_matter(tiny):
    encoder = ssl_encoder(tiny)
    assert encoder.output_shape == (None, None, 16)
    for samples, frames in ((400, 1), (4_000, 12), (16_000, 49)):
        states = numbers(encoder(waveforms(samples)))
        assert states.shape == (2, frames, 16)
        np.testing.assert_allclose(numbers(encoder(8 * waveforms(samples) + 0.5)), states, atol=1e-3)


def test_a_clip_alone_is_as_in_a_padded_batch(tiny):
    """With layer norm in the feature encoder; group norm hears padding, as in the published networks."""
    whole = ssl_encoder(tiny)
    padded = with_lengths(whole)
    together = numbers(padded([waveforms(), LENGTHS]))
    np.testing.assert_allclose(together[:1], numbers(whole(waveforms()[:1])), atol=1e-5)
    np.testing.assert_allclose(together[1:, :6], numbers(whole(waveforms()[1:, :2_000])), atol=1e-5)


@pytest.mark.parametrize("saved", [False, True])
def test_the_two_forms_share_their_layers(saved, tiny, tmp_path):
    encoder = ssl_encoder(tiny, padded=True)
    if saved:
        encoder.save(tmp_path / "encoder.keras")
        expected = numbers(encoder([waveforms(), LENGTHS]))
        encoder = load(tmp_path / "encoder.keras")
        np.testing.assert_array_equal(numbers(encoder([waveforms(), LENGTHS])), expected)
    whole = without_lengths(encoder)
    assert [tensor.name for tensor in whole.inputs] == ["waveform"]
    again = with_lengths(whole)
    assert [tensor.name for tensor in again.inputs] == ["waveform", "lengths"]
    for other in (whole, again, with_hidden_states(encoder)):
        assert {id(weight) for weight in other.weights} == {id(weight) for weight in encoder.weights}
    named = {"waveform": waveforms(), "lengths": LENGTHS}
    np.testing.assert_array_equal(numbers(again(named)), numbers(encoder([waveforms(), LENGTHS])))


def test_hidden_states_end_with_the_output(tiny):
    encoder = ssl_encoder(tiny, padded=True)
    inputs = [waveforms(), LENGTHS]
    states = numbers(with_hidden_states(encoder)(inputs))
    assert [state.shape for state in states] == [(2, 12, 16)] * 3
    np.testing.assert_array_equal(states[-1], numbers(encoder(inputs)))
    named = ssl_encoder(tiny, hidden_states=True)
    assert len(named(waveforms())) == len(with_lengths(named)(inputs)) == 3


def test_a_part_of_the_network_can_be_had(tiny):
    encoder = ssl_encoder(tiny)
    assert until(encoder, "feature_encoder").output_shape == (None, None, 10)
    with pytest.raises(ValueError, match=r"`layer` must be one of normalization, .*, encoder\. Received: layer='fc1'"):
        until(encoder, "fc1")


@pytest.mark.parametrize("form", [with_lengths, without_lengths, with_hidden_states])
def test_other_models_have_no_forms(form, tiny):
    encoder = ssl_encoder(tiny)
    around = keras.Sequential([keras.Input((None,)), encoder], name="around")
    message = r"`model` must be what `ssl_encoder` or `ssl_classifier` built, .* Received: around, of ssl_encoder$"
    with pytest.raises(ValueError, match=message):
        form(around)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_is_near(policy, tiny):
    keras.utils.set_random_seed(0)
    single = ssl_encoder(tiny)
    keras.config.set_dtype_policy(policy)
    try:
        half = ssl_encoder(tiny)
    finally:
        keras.config.set_dtype_policy("float32")
    half.set_weights(single.get_weights())
    expected = numbers(with_lengths(single)([waveforms(), LENGTHS]))
    actual = with_lengths(half)([waveforms(), LENGTHS])
    assert keras.backend.standardize_dtype(actual.dtype) == policy.removeprefix("mixed_")
    actual = numbers(keras.ops.cast(actual, "float32"))
    assert abs(actual - expected).max() < (0.02 if policy == "mixed_float16" else 0.15)


def test_half_precision_takes_long_clips_of_any_loudness(tiny):
    """Sums over 160,000 squares are beyond half precision."""
    keras.config.set_dtype_policy("mixed_float16")
    try:
        encoder = ssl_encoder(tiny)
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(numbers(encoder(1e4 * waveforms(160_000)[:1]))).all()


def test_a_saved_model_takes_any_batch_and_length(tiny, tmp_path):
    encoder = ssl_encoder(tiny, padded=True)
    encoder.export(tmp_path / "served", verbose=False)
    served = tf.saved_model.load(tmp_path / "served")
    for batch, samples in ((1, 400), (2, 3_000)):
        inputs = [waveforms(samples)[:batch], np.full(batch, samples, "int32")]
        np.testing.assert_allclose(served.serve(inputs), numbers(encoder(inputs)), atol=1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Clips must have at least 400 samples"):
        served.serve([waveforms(399), np.array([399, 399], "int32")])
    with pytest.raises(tf.errors.InvalidArgumentError, match="`lengths` must be at least 400 samples"):
        served.serve([waveforms(), np.array([4_000, 0], "int32")])


def test_random_weights_are_alike_under_a_seed(tiny):
    built = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        built.append(numbers(ssl_encoder(tiny)(waveforms())))
    np.testing.assert_array_equal(*built)
