"""The projection head: the paper's equation by NumPy, SimCLR's batch norm, and the model of encoder and head."""

import keras
import numpy as np
import pytest
from keras import layers

from sertk.models import load
from sertk.models.projection_head import encoder_and_head, projection_head, with_projection


def vectors(count=5, channels=6):
    return np.random.default_rng(0).standard_normal((count, channels)).astype("float32")


def kernels(head):
    return [layer.get_weights() for layer in head.layers if isinstance(layer, layers.Dense)]


def body():
    features = keras.Input((4, 6), name="features")
    return keras.Model(features, layers.GlobalAveragePooling1D()(features), name="body")


def test_two_layers_are_the_equation():
    """z = W2 relu(W1 h), with biases that are not 0."""
    head = projection_head(6, (5, 3))
    head.set_weights([np.random.default_rng(1).standard_normal(weight.shape) for weight in head.weights])
    (w1, b1), (w2, b2) = kernels(head)
    np.testing.assert_allclose(head(vectors()), np.maximum(vectors() @ w1 + b1, 0) @ w2 + b2, atol=1e-5)
    assert [layer.name for layer in head.layers[1:]] == ["projection_1", "projection_1_relu", "projection_2"]


def test_parameters_by_hand():
    assert projection_head(512).count_params() == (512 + 1) * 256 + (256 + 1) * 128 == 164_224
    assert projection_head(512, (64,)).count_params() == (512 + 1) * 64
    # Three layers without bias; batch norm of 4 weights a channel, of 3 behind the last.
    three = projection_head(6, (5, 4, 3), batch_norm=True)
    assert three.count_params() == 6 * 5 + 5 * 4 + 4 * 3 + 4 * (5 + 4) + 3 * 3


def test_batch_norm_stands_behind_each_layer_and_does_not_shift_the_last():
    head = projection_head(6, (5, 3), batch_norm=True)
    names = ["projection_1", "projection_1_norm", "projection_1_relu", "projection_2", "projection_2_norm"]
    assert [layer.name for layer in head.layers[1:]] == names
    (w1,), (w2,) = kernels(head)

    def normalised(x):
        return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-3)

    expected = normalised(np.maximum(normalised(vectors() @ w1), 0) @ w2)
    np.testing.assert_allclose(head(vectors(), training=True), expected, atol=1e-4)


def test_encoder_and_head_in_one_model_are_taken_apart_again(tmp_path):
    encoder, head = body(), projection_head(6, (5, 3))
    model = with_projection(encoder, head)
    assert (model.name, model.input_shape, model.output_shape) == ("body", (None, 4, 6), (None, 3))
    assert encoder_and_head(model) == (encoder, head)
    features = np.random.default_rng(2).standard_normal((5, 4, 6)).astype("float32")
    np.testing.assert_allclose(model(features), head(features.mean(axis=1)), atol=1e-5)
    model.save(tmp_path / "model.keras")
    parts = encoder_and_head(load(tmp_path / "model.keras"))
    np.testing.assert_array_equal(parts[1](parts[0](features)), model(features))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), r"`channels` must be a positive integer\. Received: channels=0"),
        ((6, ()), r"`units` must be a tuple of 1 to 3 sizes, one a layer\. Received: units=\(\)"),
        ((6, (5, 4, 3, 2)), r"`units` must be a tuple of 1 to 3 sizes"),
        ((6, 128), r"`units` must be a tuple of 1 to 3 sizes.* Received: units=128"),
        ((6, (5, 0)), r"`units` must be a positive integer\. Received: units=0"),
        ((6, (5, 1.5)), r"`units` must be a positive integer\. Received: units=1.5"),
    ],
)
def test_impossible_heads_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        projection_head(*arguments)


def test_parts_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"`head` must take the encoder's vector, \(6,\).* Received: .* for \(5,\)"):
        with_projection(body(), projection_head(5))
    with pytest.raises(ValueError, match=r"`head` must take the encoder's vector, \(4, 6\)"):
        with_projection(keras.Sequential([keras.Input((4, 6)), layers.ReLU()]), projection_head(6))
    with pytest.raises(ValueError, match=r"`encoder` must be a functional .* Received: a NoneType"):
        with_projection(None, projection_head(5))
    with pytest.raises(ValueError, match=r"must be an encoder and a head .* Received: a model of projection_1, "):
        encoder_and_head(projection_head(5))
    with pytest.raises(ValueError, match=r"must be an encoder and a head .* Received: a model of NoneType"):
        encoder_and_head(None)
