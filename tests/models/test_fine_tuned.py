"""Fine-tuning from the encoder and from the middle of its head, and linear evaluation, where both stay as they are."""

import keras
import numpy as np
import pytest
from keras import layers

from sertk.models import load
from sertk.models.fine_tuned import fine_tuned
from sertk.models.projection_head import projection_head

FEATURES = np.random.default_rng(0).standard_normal((6, 4, 6)).astype("float32")
LABELS = np.eye(3, dtype="float32")[[0, 1, 2, 0, 1, 2]]


@pytest.fixture
def parts():
    """An encoder with batch norm and dropout, at the top and inside, and a head of three layers with batch norm."""
    keras.utils.set_random_seed(0)
    features = keras.Input((4, 6), name="features")
    inner = keras.Sequential([keras.Input((4, 6)), layers.Dense(6), layers.Dropout(0.5), layers.BatchNormalization()])
    x = layers.SpatialDropout1D(0.5)(inner(features))
    encoder = keras.Model(features, layers.GlobalAveragePooling1D(name="vector")(x), name="body")
    head = projection_head(6, (5, 4, 3), batch_norm=True)
    return encoder, head


def entering(model, name):
    """What enters a layer of a model."""
    return keras.ops.convert_to_numpy(keras.Model(model.inputs, model.get_layer(name).input)(FEATURES))


def fit(model, steps=3):
    model.compile(keras.optimizers.SGD(0.5), loss="categorical_crossentropy", run_eagerly=True)
    return [float(model.train_on_batch(FEATURES, LABELS)) for _ in range(steps)]


@pytest.mark.parametrize(("layer", "channels"), [(0, 6), (1, 5), (2, 4), (3, 3)])
def test_stands_behind_so_many_layers_of_the_head(parts, layer, channels):
    encoder, head = parts
    model = fine_tuned(encoder, head, layer, 3)
    vector = keras.ops.convert_to_numpy(encoder(FEATURES))
    dense = [step for step in head.layers if isinstance(step, layers.Dense)]
    for number, step in enumerate(dense[:layer], start=1):
        # Batch norm that has seen nothing: mean 0, variance 1, epsilon 0.001.
        vector = vector @ step.get_weights()[0] / np.sqrt(1.001)
        vector = np.maximum(vector, 0) if number < 3 else vector
    np.testing.assert_allclose(entering(model, "logits"), vector, atol=1e-5)
    assert (model.name, model.output_names, model.output_shape) == ("body", ["probabilities"], (None, 3))
    assert model.get_layer("logits").kernel.shape == (channels, 3)


def test_learns_with_the_encoders_own_weights(parts):
    encoder, head = parts
    before = [weight.numpy() for weight in (*encoder.weights, *head.weights[:1])]
    fit(fine_tuned(encoder, head, 1, 3))
    for weight, old in zip((*encoder.weights, *head.weights[:1]), before, strict=True):
        assert not np.array_equal(weight, old), weight.path


def test_frozen_only_the_classifier_learns_on_vectors_that_stay_the_same(parts):
    """Batch norm and dropout of the encoder and the head do nothing in training either."""
    encoder, head = parts
    encoder(FEATURES, training=True)  # moving averages that are not those of a batch
    model = fine_tuned(encoder, head, 2, 3, frozen=True)
    shared = {id(weight) for weight in (*encoder.weights, *head.weights)}
    assert not shared & {id(weight) for weight in model.weights}
    assert len(model.trainable_weights) == 2
    np.testing.assert_array_equal(model(FEATURES, training=True), model(FEATURES))
    np.testing.assert_allclose(
        entering(model, "logits"), entering(fine_tuned(encoder, head, 2, 3), "logits"), atol=1e-6
    )
    before = [weight.numpy() for weight in model.non_trainable_weights]
    losses = fit(model)
    assert losses[-1] < losses[0]
    for weight, old in zip(model.non_trainable_weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert encoder.trainable
    assert len(encoder.trainable_weights) == 4


@pytest.mark.parametrize("frozen", [False, True])
def test_saved_and_loaded_gives_the_same_probabilities(parts, frozen, tmp_path):
    model = fine_tuned(*parts, 1, 3, dropout=0.2, frozen=frozen, name="student")
    model.save(tmp_path / "model.keras")
    loaded = load(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(FEATURES), model(FEATURES))
    assert loaded.name == "student"
    assert len(loaded.trainable_weights) == (2 if frozen else 9)


def test_without_a_head_it_stands_on_the_encoder(parts):
    assert fine_tuned(parts[0], num_classes=4).get_layer("logits").kernel.shape == (6, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": 4}, r"`layer` must be 0, .* at most 3\. Received: layer=4"),
        ({"layer": -1}, r"`layer` must be 0, .* Received: layer=-1"),
        ({"layer": True}, r"`layer` must be 0, .* Received: layer=True"),
        ({"layer": "vector"}, r"`layer` must be 0, .* Received: layer='vector'"),
        ({"layer": 1, "head": None}, r"`layer` must be 0, .* at most 0\. Received: layer=1"),
        ({"head": projection_head(7)}, r"`head` must take the encoder's vector, \(6,\)"),
        ({"num_classes": 1}, r"`num_classes` must be an integer of at least 2"),
        ({"dropout": 1}, r"`dropout` must be a share"),
    ],
    ids=str,
)
def test_impossible_arguments_are_refused(parts, options, message):
    given = {"encoder": parts[0], "head": parts[1]} | options
    with pytest.raises(ValueError, match=message):
        fine_tuned(**given)
