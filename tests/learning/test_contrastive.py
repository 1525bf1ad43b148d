"""Contrastive learning: what is learnt from two views, what is logged of it, and what is saved."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from sertk.learning import fit
from sertk.learning.contrastive import Contrastive
from sertk.learning.nt_xent import contrastive_accuracy, nt_xent
from sertk.learning.supervised_contrastive import supervised_contrastive
from sertk.models import load
from sertk.models.encoder import encoder
from sertk.models.fine_tuned import fine_tuned
from sertk.models.projection_head import encoder_and_head, projection_head

SHAPE = (6, 8)
CLASSES = 3


@keras.saving.register_keras_serializable(package="tests")
class NoisyBands(layers.Layer):
    """Noise, louder than the clips, in all bands but the first two."""

    def __init__(self, level=2.0, seed=4, **kwargs):
        super().__init__(**kwargs)
        self.level = level
        self.noise = layers.GaussianNoise(1.0, seed=seed)

    def call(self, features, training=None):
        loud = keras.ops.cast(keras.ops.arange(features.shape[-1]) > 1, features.dtype)
        return features + self.level * loud * self.noise(keras.ops.zeros_like(features), training=training)


def network(batch_norm=True, dropout=0.0, seed=0):
    """A residual block of 4 channels, then a classifier."""
    keras.utils.set_random_seed(seed)
    features = keras.Input(SHAPE, name="features")
    x = layers.Reshape((*SHAPE, 1))(features)
    x = layers.Conv2D(4, 3, strides=(1, 2), padding="same", name="conv1")(x)
    x = layers.BatchNormalization(name="norm1")(x) if batch_norm else x
    x = layers.ReLU()(x)
    x = layers.Add()([x, layers.Conv2D(4, 3, padding="same", name="conv2")(x)])
    x = layers.Dropout(dropout, seed=3)(x)
    x = layers.Flatten(name="vector")(x)
    x = layers.Dense(CLASSES, name="logits")(x)
    return keras.Model(features, layers.Softmax(name="probabilities")(x), name="network")


def wrapped(augmentation=None, head=(8, 4), seed=0, batch_norm=True, dropout=0.0, **options):
    body = encoder(network(batch_norm, dropout, seed))
    augmentation = NoisyBands() if augmentation is None else augmentation
    return Contrastive(body, projection_head(body.output_shape[-1], head), augmentation, **options)


def data(clips=12, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((clips, *SHAPE)).astype("float32"), np.eye(CLASSES, dtype="float32")[
        np.arange(clips) % CLASSES
    ]


def embedded(model, features):
    return keras.ops.convert_to_numpy(model.base_model(features))


def still(model, clips, size):
    """Trains for an epoch at a rate of 0, on features and labels in batches of a size; the log."""
    model.compile(keras.optimizers.SGD(0.0), loss="categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    batches = tf.data.Dataset.from_tensor_slices(clips).batch(size)
    log = model.fit(batches, validation_data=batches, shuffle=False, verbose=0).history
    return {name: values[0] for name, values in log.items()}


@pytest.mark.slow
def test_learns_to_tell_clips_apart_by_what_their_views_have_in_common(batches, tmp_path):
    """Each of 16 clips has two bands of its own, beside six of noise twice as loud that is another in each view."""
    features, labels = data(16)
    train, validation = (
        batches(np.tile(features, (20, 1, 1)), np.tile(labels, (20, 1)), 16),
        batches(features, labels, 16),
    )
    model = wrapped(head=(32, 16), temperature=0.2)
    model.compile(run_eagerly=True)
    before = model.evaluate(validation.dataset, verbose=0, return_dict=True)
    assert before["contrastive_accuracy"] < 0.3
    options = {"optimizer": keras.optimizers.Adam(0.01), "epochs": 8, "patience": None, "verbose": 0}
    log = fit(model, train, validation, tmp_path, **options).log
    names = {"epoch", "contrastive_accuracy", "loss", "val_contrastive_accuracy", "val_loss", "seconds"}
    assert set(log.columns) == names
    last = log.iloc[-1]
    assert last["val_contrastive_accuracy"] > 0.9
    assert last["contrastive_accuracy"] > 0.9
    assert last["val_loss"] < 0.5 * before["loss"]


def test_the_log_is_the_loss_and_the_accuracy_of_the_batch():
    features, labels = data(5)
    model = wrapped(layers.Identity(), batch_norm=False, temperature=0.4)
    log = still(model, (features, labels), 5)
    z = embedded(model, features)
    for part in ("", "val_"):
        np.testing.assert_allclose(log[f"{part}loss"], nt_xent(z, z, 0.4), rtol=1e-5)
        assert log[f"{part}contrastive_accuracy"] == 1
    assert len(log) == 4


def test_labels_make_clips_of_a_class_each_others_positives():
    features, labels = data(7)
    model = wrapped(layers.Identity(), batch_norm=False, temperature=0.4, labels=True)
    log = still(model, (features, labels), 7)
    z = embedded(model, features)
    expected = supervised_contrastive(np.concatenate([z, z]), labels, 0.4)
    for part in ("", "val_"):
        np.testing.assert_allclose(log[f"{part}loss"], expected, rtol=1e-5)


def test_a_last_batch_of_one_counts_for_nothing_in_the_log():
    features, labels = data(7)
    model = wrapped(layers.Identity(), batch_norm=False, temperature=0.4)
    log = still(model, (features, labels), 3)
    z = embedded(model, features)
    expected = np.mean([nt_xent(part, part, 0.4) for part in (z[:3], z[3:6])])
    accuracy = np.mean([contrastive_accuracy(part, part) for part in (z[:3], z[3:6])])
    for part in ("", "val_"):
        np.testing.assert_allclose(log[f"{part}loss"], expected, rtol=1e-5)
        np.testing.assert_allclose(log[f"{part}contrastive_accuracy"], accuracy, rtol=1e-6)


def test_a_batch_of_one_teaches_nothing():
    model = wrapped()
    model.compile(keras.optimizers.SGD(1.0), run_eagerly=True)
    before = [weight.numpy() for weight in model.trainable_variables]
    model.train_on_batch(*data(1))
    for weight, old in zip(model.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_two_views_are_drawn_of_each_clip_and_go_through_in_one_pass():
    """Seen by an encoder that keeps what it is given."""
    seen = []

    class Seen(layers.Layer):
        def call(self, inputs):
            seen.append(inputs)
            return inputs

    features = keras.Input(SHAPE)
    body = keras.Model(features, layers.Flatten()(Seen()(features)))
    model = Contrastive(body, projection_head(48, (4,)), layers.GaussianNoise(0.1, seed=1))
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    clips, labels = data(5)
    seen.clear()
    model.train_on_batch(clips, labels)
    (views,) = seen
    views = views.numpy().reshape(2, 5, *SHAPE)
    assert not np.allclose(views[0], views[1])
    np.testing.assert_allclose(views, np.stack([clips, clips]), atol=0.6)
    seen.clear()
    model.test_on_batch(clips, labels)
    assert not np.allclose(*seen[0].numpy().reshape(2, 5, *SHAPE))
    seen.clear()
    model.predict_on_batch(clips)
    np.testing.assert_array_equal(seen[0], clips)


def test_views_for_validation_are_the_same_in_every_epoch_and_leave_training_as_it_is(batches, tmp_path):
    features, labels = data(8)
    train = batches(features, labels, 4)

    def log(folder, validation):
        model = wrapped(batch_norm=False)
        options = {"optimizer": keras.optimizers.SGD(0.0), "epochs": 3, "patience": None, "verbose": 0}
        return fit(model, train, validation, tmp_path / folder, **options).log

    with_validation, without = log("with", train), log("without", None)
    assert with_validation["val_loss"].nunique() == 1
    assert with_validation["loss"].nunique() == 3
    np.testing.assert_array_equal(with_validation["loss"], without["loss"])
    assert not np.isclose(with_validation["loss"], with_validation["val_loss"]).any()


@pytest.mark.slow
def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(batches, resumes):
    features, labels = data(13)
    log = resumes(lambda: wrapped(dropout=0.3), batches(features, labels, 4), batches(features, labels, 5))
    assert {"loss", "contrastive_accuracy", "val_loss", "val_contrastive_accuracy"} < set(log)


def test_encoder_and_head_are_saved_as_one_model_to_fine_tune_from(tmp_path):
    model = wrapped()
    features, labels = data()
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    model.train_on_batch(features, labels)
    model.save(tmp_path / "pretrained.keras")
    loaded = load(tmp_path / "pretrained.keras")
    z = model.predict(features, verbose=0)
    assert z.shape == (12, 4)
    np.testing.assert_allclose(loaded(features), z, atol=1e-5)
    body, head = encoder_and_head(loaded)
    np.testing.assert_allclose(body(features), model.encoder(features), atol=1e-6)
    vector = np.asarray(
        fine_tuned(body, head, 1, CLASSES).get_layer("projection_1_relu")(head.layers[1](body(features)))
    )
    kernel, bias = model.head.get_layer("projection_1").get_weights()
    np.testing.assert_allclose(vector, np.maximum(model.encoder(features) @ kernel + bias, 0), atol=1e-5)


def test_the_export_gives_z(tmp_path):
    model = wrapped()
    model.export(tmp_path / "export", verbose=False)
    features, _ = data(3)
    served = tf.saved_model.load(tmp_path / "export")
    np.testing.assert_allclose(served.serve(features), embedded(model, features), atol=1e-5)


def test_a_front_makes_features_of_what_comes_in():
    """Waveforms as features are these, and z of waveforms is z of features."""
    waveform = keras.Input((48,), name="waveform")
    front = keras.Model(waveform, layers.Reshape(SHAPE)(2 * waveform))
    model = wrapped(layers.Identity(), batch_norm=False, front=front, temperature=0.4)
    features, labels = data(5)
    log = still(model, (features.reshape(5, 48) / 2, labels), 5)
    z = embedded(model, features)
    np.testing.assert_allclose(log["loss"], nt_xent(z, z, 0.4), rtol=1e-5)
    np.testing.assert_allclose(model.predict(features.reshape(5, 48) / 2, verbose=0), z, atol=1e-5)
    assert (model.input_shape, model.output_shape) == ((None, 48), (None, 4))


def test_a_front_that_draws_does_so_for_each_view():
    waveform = keras.Input((48,), name="waveform")
    front = keras.Model(waveform, layers.Reshape(SHAPE)(5 * layers.GaussianNoise(1.0, seed=2)(waveform / 5)))
    features, labels = data(5)
    loss = still(wrapped(layers.Identity(), front=front), (features.reshape(5, 48), labels), 5)["loss"]
    assert loss > 1


@pytest.mark.slow
def test_learns_in_half_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = wrapped(temperature=0.01)
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    features, labels = data()
    features[0] = 0
    losses = [model.train_on_batch(features, labels, return_dict=True)["loss"] for _ in range(30)]
    assert np.isfinite(losses).all()
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    assert model.contrastive_loss.dtype == "float32"


@pytest.mark.parametrize("part", ["training", "validation"])
def test_batches_of_one_are_refused_before_training(part, batches, tmp_path):
    sizes = {"training": 4, "validation": 4, part: 1}
    train, validation = (batches(*data(4), sizes[name]) for name in ("training", "validation"))
    with pytest.raises(ValueError, match=r"^A batch must hold two clips or more: .* Received: batches of one$"):
        fit(wrapped(), train, validation, tmp_path, verbose=0)


def test_labels_that_are_not_one_hot_are_refused():
    model = wrapped(labels=True)
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    with pytest.raises(ValueError, match=r"`labels` must be one-hot, \(clips, classes\).* Received: shape \(4,\)"):
        model.train_on_batch(data(4)[0], np.arange(4))


def body():
    return encoder(network())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, r"`temperature` must be a finite number above 0\. Received: temperature=0"),
        ({"temperature": -1.0, "labels": True}, r"`temperature` must be a finite number above 0"),
        ({"encoder": layers.Dense(3)}, r"`encoder` must be a functional .* Received: a Dense"),
        ({"encoder": "cnn6"}, r"`encoder` must be a functional .* Received: a str"),
        ({"head": projection_head(7)}, r"`head` must take the encoder's vector, \(96,\).* Received: .*\(7,\)"),
        ({"head": None}, r"`head` must be a functional .* Received: a NoneType"),
        ({"augmentation": None}, r"`augmentation` must be a Keras layer.* Received: a NoneType"),
        ({"augmentation": layers.Flatten()}, r"`augmentation` must give what the encoder takes, \(6, 8\).*: \(48,\)"),
        ({"front": layers.Flatten()}, r"`front` must be a `keras.Model` without weights .* Received: a Flatten"),
        (
            {"front": keras.Sequential([keras.Input((6, 3)), layers.Dense(8)])},
            r"`front` must be a `keras.Model` without weights to be learnt.* Received: a Sequential",
        ),
        (
            {"front": keras.Sequential([keras.Input((48,)), layers.Reshape((8, 6))])},
            r"`front` must give what the encoder takes, \(6, 8\) a clip\. Received: \(8, 6\)",
        ),
    ],
    ids=str,
)
def test_what_does_not_fit(options, message):
    given = {"encoder": body(), "head": projection_head(96), "augmentation": layers.Identity()} | options
    with pytest.raises(ValueError, match=message):
        Contrastive(given.pop("encoder"), given.pop("head"), given.pop("augmentation"), **given)
