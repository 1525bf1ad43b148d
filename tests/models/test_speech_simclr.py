"""Speech SimCLR's encoder: published sizes by hand, the order of the frames, any length, files, refused arguments."""

import keras
import numpy as np
import pytest

from sertk.models import load
from sertk.models.speech_simclr import speech_simclr

SMALL = {"channels": 12, "encoder_layers": 2, "heads": 3, "feed_forward": 16}


def features(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


def numbers(network, batch):
    return keras.ops.convert_to_numpy(network(batch))


def parameters(bands, width, depth, inner, classes):
    """Frames to the width; four projections, two dense layers and two layer norms an encoder; the classifier."""
    encoder = 4 * (width + 1) * width + (width + 1) * inner + (inner + 1) * width + 2 * 2 * width
    return (bands + 1) * width + depth * encoder + (width + 1) * classes


@pytest.mark.parametrize("positions", [True, False])
def test_parameters_by_hand(positions):
    assert speech_simclr(positions=positions).count_params() == parameters(40, 768, 3, 3072, 7) == 21_300_487
    assert speech_simclr((30, 20), 3, **SMALL).count_params() == parameters(20, 12, 2, 16, 3)


def test_encoders_are_those_of_the_published_code():
    encoders = [layer for layer in speech_simclr().layers if type(layer).__name__ == "TransformerEncoder"]
    keys = ("intermediate_dim", "num_heads", "dropout", "activation")
    settings = [{key: encoder.get_config()[key] for key in keys} for encoder in encoders]
    assert settings == 3 * [{"intermediate_dim": 3072, "num_heads": 12, "dropout": 0.1, "activation": "gelu"}]


@pytest.mark.parametrize("positions", [True, False])
def test_the_order_of_the_frames_matters_with_positions_alone(positions):
    keras.utils.set_random_seed(0)
    network = speech_simclr((None, 20), 3, positions=positions, **SMALL)
    batch = features(2, 30, 20)
    same = np.allclose(numbers(network, batch), numbers(network, batch[:, ::-1]), atol=1e-5)
    assert same != positions


def test_positions_are_sines_and_cosines():
    """By NumPy, Vaswani et al., section 3.5: channel pairs of wavelengths 2 pi to 10000 * 2 pi."""
    network = speech_simclr((5, 20), 3, **SMALL)
    frames = keras.Model(network.input, network.get_layer("frames").output)
    placed = keras.Model(network.input, network.get_layer("placed").output)
    added = numbers(placed, features(2, 5, 20)) - numbers(frames, features(2, 5, 20))
    angles = np.arange(5)[:, None] / 10_000 ** (2 * (np.arange(12) // 2) / 12)
    expected = np.where(np.arange(12) % 2, np.cos(angles), np.sin(angles))
    np.testing.assert_allclose(added, np.stack([expected, expected]), atol=1e-5)
    assert (numbers(frames, features(2, 5, 20)) >= 0).all()


def test_the_vector_is_the_average_over_the_frames_and_any_length_is_taken(tmp_path):
    network = speech_simclr((None, 20), 3, **SMALL)
    encoded = keras.Model(network.input, network.get_layer("encoder2").output)
    vector = keras.Model(network.input, network.get_layer("vector").output)
    network.save(tmp_path / "network.keras")
    loaded = load(tmp_path / "network.keras")
    for frames in (1, 7, 40):
        batch = features(2, frames, 20)
        np.testing.assert_allclose(numbers(vector, batch), numbers(encoded, batch).mean(axis=1), atol=1e-5)
        np.testing.assert_allclose(numbers(network, batch).sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_array_equal(numbers(loaded, batch), numbers(network, batch))


def test_half_precision_is_close():
    keras.utils.set_random_seed(0)
    network = speech_simclr((None, 20), 3, **SMALL)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        mixed = speech_simclr((None, 20), 3, **SMALL)
    finally:
        keras.config.set_dtype_policy("float32")
    mixed.set_weights(network.get_weights())
    batch = features(2, 40, 20)
    np.testing.assert_allclose(numbers(mixed, batch), numbers(network, batch), atol=0.02)
    assert numbers(mixed, batch).dtype == np.float32


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": 5}, r"`channels` must be a multiple of `heads`, 5\. Received: channels=768"),
        ({"channels": 0}, r"`channels` must be a positive integer\. Received: channels=0"),
        ({"encoder_layers": 0}, r"`encoder_layers` must be a positive integer"),
        ({"feed_forward": 1.5}, r"`feed_forward` must be a positive integer"),
        ({"dropout": 1}, r"`dropout` must be a share"),
        ({"num_classes": 1}, r"`num_classes` must be an integer of at least 2"),
        ({"input_shape": (30,)}, r"`input_shape` must be \(frames, bands\).* Received: input_shape=\(30,\)"),
        ({"input_shape": (30, None)}, r"`input_shape` must be \(frames, bands\)"),
        ({"input_shape": (-1, 40)}, r"`input_shape` must be \(frames, bands\)"),
        ({"input_shape": 40}, r"`input_shape` must be \(frames, bands\).* Received: input_shape=40"),
    ],
    ids=str,
)
def test_impossible_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        speech_simclr(**options)
