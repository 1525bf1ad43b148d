"""Adversarial regularisation: the perturbation in closed form, and a batch norm that never hears of it."""

import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from sertk.learning import AdversarialRegularization, nsl
from sertk.models import BatchNormalization, from_features

CLASSES = 3
WEIGHTS = np.array([[1.0, -1, 0.5], [0.2, 0.4, -0.6], [-0.3, 0.1, 0.9], [2.0, 0.5, -1.0]])
CLIPS = np.array([[1.0, 2, -0.5, 0.3], [0.5, -1, 1.5, 0.8]])
LABELS = np.eye(CLASSES)[[2, 0]]


def config(multiplier=0.5, step=0.1, norm="l2", **options):
    return nsl.configs.make_adv_reg_config(multiplier=multiplier, adv_step_size=step, adv_grad_norm=norm, **options)


def linear(**options):
    """A softmax of a product: the gradient of its loss can be written down."""
    inputs = keras.Input((4,), name="features")
    logits = layers.Dense(CLASSES, use_bias=False, name="logits", **options)
    model = keras.Model(inputs, layers.Softmax(dtype="float32")(logits(inputs)))
    logits.set_weights([WEIGHTS])
    return model


def probabilities(clips):
    exponents = np.exp(clips @ WEIGHTS)
    return exponents / exponents.sum(axis=1, keepdims=True)


def cross_entropy(clips, labels=LABELS):
    return -(labels * np.log(probabilities(clips))).sum(axis=1)


def steepest(clips, norm, mask=1.0):
    """The direction of unit norm in which the loss grows fastest: along W (p - y)."""
    gradient = (probabilities(clips) - LABELS) @ WEIGHTS.T * mask
    if norm == "infinity":
        return np.sign(gradient)
    if norm == "l2":
        return gradient / np.linalg.norm(gradient, axis=1, keepdims=True)
    return np.sign(gradient) * (np.abs(gradient) == np.abs(gradient).max(axis=1, keepdims=True))


def step(model, configuration, inputs=CLIPS, labels=LABELS, loss="categorical_crossentropy", **options):
    """What one training step at a learning rate of 0 logs."""
    wrapped = AdversarialRegularization(model, configuration)
    wrapped.compile(keras.optimizers.SGD(0.0), loss=loss, metrics=["accuracy"], run_eagerly=True)
    return wrapped.train_on_batch(inputs, labels, return_dict=True, **options)


@pytest.mark.parametrize("norm", ["l1", "l2", "infinity"])
def test_one_step_goes_where_the_loss_of_a_linear_model_grows_fastest(norm):
    log = step(linear(), config(norm=norm))
    neighbours = CLIPS + 0.1 * steepest(CLIPS, norm)
    np.testing.assert_allclose(log["adversarial_loss"], cross_entropy(neighbours).mean(), rtol=1e-6)
    expected = cross_entropy(CLIPS).mean() + 0.5 * cross_entropy(neighbours).mean()
    np.testing.assert_allclose(log["loss"], expected, rtol=1e-6)
    assert log["adversarial_loss"] > cross_entropy(CLIPS).mean()
    np.testing.assert_allclose(log["accuracy"], (probabilities(CLIPS).argmax(axis=1) == [2, 0]).mean())


def test_masks_and_bounds_hold_the_step_back():
    mask = np.array([1.0, 0, 1, 0.5], "float32")
    log = step(linear(), config(norm="infinity", feature_mask=mask, clip_value_max=1.0, clip_value_min=-1.0))
    neighbours = np.clip(CLIPS + 0.1 * steepest(CLIPS, "infinity", mask), -1, 1)
    np.testing.assert_allclose(log["adversarial_loss"], cross_entropy(neighbours).mean(), rtol=1e-6)


def test_several_steps_stay_in_their_ball():
    log = step(linear(), config(pgd_iterations=3, pgd_epsilon=0.15))
    neighbours = CLIPS
    for _ in range(3):
        moved = neighbours + 0.1 * steepest(neighbours, "l2") - CLIPS
        length = np.linalg.norm(moved, axis=1, keepdims=True)
        neighbours = CLIPS + moved * np.minimum(1, 0.15 / length)
    np.testing.assert_allclose(log["adversarial_loss"], cross_entropy(neighbours).mean(), rtol=1e-5)


def test_weights_of_clips_and_smoothed_labels_count_for_neighbours_too():
    of_clips = np.array([1.0, 3.0])
    smoothed = 0.7 * LABELS + 0.1
    gradient = (probabilities(CLIPS) - smoothed) @ WEIGHTS.T
    neighbours = CLIPS + 0.1 * np.sign(gradient)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.3)
    log = step(linear(), config(norm="infinity"), loss=loss, sample_weight=of_clips)
    both = [(of_clips * cross_entropy(clips, smoothed)).sum() / 2 for clips in (CLIPS, neighbours)]
    np.testing.assert_allclose(log["adversarial_loss"], both[1], rtol=1e-6)
    np.testing.assert_allclose(log["loss"], both[0] + 0.5 * both[1], rtol=1e-6)


def test_weights_are_penalised_once():
    log = step(linear(kernel_regularizer=keras.regularizers.L2(0.01)), config())
    neighbours = CLIPS + 0.1 * steepest(CLIPS, "l2")
    expected = cross_entropy(CLIPS).mean() + 0.5 * cross_entropy(neighbours).mean() + 0.01 * (WEIGHTS**2).sum()
    np.testing.assert_allclose(log["loss"], expected, rtol=1e-6)


def test_the_gradient_passes_through_clips_and_neighbours_but_not_through_the_direction():
    """One step of gradient descent, in NumPy: the neighbours are constants of it."""
    model = linear()
    wrapped = AdversarialRegularization(model, config(2.0))
    wrapped.compile(keras.optimizers.SGD(0.3), loss="categorical_crossentropy")
    wrapped.train_on_batch(CLIPS, LABELS)
    neighbours = CLIPS + 0.1 * steepest(CLIPS, "l2")
    gradients = [clips.T @ (probabilities(clips) - LABELS) / 2 for clips in (CLIPS, neighbours)]
    expected = WEIGHTS - 0.3 * (gradients[0] + 2 * gradients[1])
    np.testing.assert_allclose(model.get_layer("logits").get_weights()[0], expected, atol=1e-6)


def classifier(norm=BatchNormalization, dropout=0.0, axis=-1):
    keras.utils.set_random_seed(0)
    features = keras.Input((6, 5), name="features")
    x = layers.Conv2D(4, 3, padding="same")(layers.Reshape((6, 5, 1))(features))
    x = layers.ReLU()(norm(axis=axis, name="norm")(x))
    x = layers.Dropout(dropout, seed=3)(x)
    x = layers.Dense(CLASSES, name="logits")(layers.Flatten()(x))
    return from_features(keras.Model(features, layers.Softmax(name="probabilities")(x), name="network"))


def data(clips=13, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.eye(CLASSES, dtype="float32")[rng.integers(0, CLASSES, clips)]
    return rng.standard_normal((clips, 6, 5)).astype("float32"), labels


def trained(model, inputs, labels, epochs=3, run_eagerly=True, **options):
    """Batches of 5, 5 and 3; the log and the weights. Graphs take seconds to trace."""
    options = {"run_eagerly": run_eagerly, **options}
    model.compile(keras.optimizers.SGD(0.1), loss="categorical_crossentropy", metrics=["accuracy"], **options)
    batches = tf.data.Dataset.from_tensor_slices((inputs, labels)).batch(5)
    log = model.fit(batches, epochs=epochs, shuffle=False, verbose=0).history
    return log, getattr(model, "base_model", model).get_weights()


@pytest.mark.parametrize("norm", [BatchNormalization, layers.BatchNormalization])
@pytest.mark.parametrize("axis", [1, -1])
@pytest.mark.parametrize("iterations", [1, 3])
def test_batch_norm_averages_the_clips_alone(norm, axis, iterations):
    """Steps a thousand times as large as the clips, and a learning rate of 0."""
    features, labels = data()

    def averages(wrap):
        model = classifier(norm, axis=axis)
        wrapped = wrap(model)
        wrapped.compile(keras.optimizers.SGD(0.0), loss="categorical_crossentropy", run_eagerly=True)
        wrapped.fit(features, labels, batch_size=5, epochs=2, shuffle=False, verbose=0)
        layer = model.layers[-1].get_layer("norm")
        return np.stack([layer.moving_mean, layer.moving_variance])

    configuration = config(step=1e3, pgd_iterations=iterations)
    wrapped = averages(lambda model: AdversarialRegularization(model, configuration))
    np.testing.assert_allclose(wrapped, averages(lambda model: model), rtol=1e-6)


def test_neighbours_are_normalised_with_the_clips_statistics():
    """By NumPy, from a linear softmax model behind batch norm, of which the clips decide all."""
    rng = np.random.default_rng(0)
    clips, labels = rng.normal(3, 2, (6, 4)), np.eye(CLASSES)[rng.integers(0, CLASSES, 6)]
    mean, deviation = clips.mean(axis=0), np.sqrt(clips.var(axis=0) + 0.01)
    inputs = keras.Input((4,), name="features")
    logits = layers.Dense(CLASSES, use_bias=False)
    x = layers.BatchNormalization(epsilon=0.01, scale=False, center=False)(inputs)
    model = keras.Model(inputs, layers.Softmax()(logits(x)))
    logits.set_weights([WEIGHTS])

    normalised = (clips - mean) / deviation
    # The gradient of the loss by what is normalised, then back through the normalisation, Ioffe and Szegedy (2015).
    inner = (probabilities(normalised) - labels) @ WEIGHTS.T
    gradient = (inner - inner.mean(axis=0) - normalised * (inner * normalised).mean(axis=0)) / deviation
    neighbours = clips + 0.2 * np.sign(gradient)
    expected = cross_entropy((neighbours - mean) / deviation, labels).mean()
    log = step(model, config(step=0.2, norm="infinity"), clips, labels)
    np.testing.assert_allclose(log["adversarial_loss"], expected, rtol=1e-4)


def test_a_multiplier_of_0_trains_the_plain_model_dropout_and_all():
    features, labels = data()
    plain = trained(classifier(dropout=0.3), features, labels)
    wrapped = trained(AdversarialRegularization(classifier(dropout=0.3), config(0)), features, labels)
    assert wrapped[0].keys() == plain[0].keys()  # nothing was measured: no adversarial_loss
    np.testing.assert_allclose(wrapped[0]["loss"], plain[0]["loss"], rtol=1e-6)
    for a, b in zip(wrapped[1], plain[1], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_what_is_saved_knows_nothing_of_it(tmp_path):
    features, labels = data()
    base = classifier()
    wrapped = AdversarialRegularization(base, config())
    trained(wrapped, features, labels)
    wrapped.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(base)
    assert b"egulari" not in zipfile.ZipFile(tmp_path / "model.keras").read("config.json").replace(b"_regularizer", b"")
    expected = base.predict(features, verbose=0)
    np.testing.assert_allclose(loaded.predict(features, verbose=0), expected, atol=1e-6)
    np.testing.assert_array_equal(wrapped.predict(features, verbose=0), expected)
    assert len(wrapped.evaluate(features, labels, verbose=0)) == 2


@pytest.mark.slow
def test_xla_gives_the_same():
    features, labels = data()
    eagerly, compiled = (
        trained(AdversarialRegularization(classifier(), config()), features, labels, **options)[1]
        for options in ({}, {"run_eagerly": False, "jit_compile": True})
    )
    for a, b in zip(compiled, eagerly, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_half_precision_finds_the_direction_of_small_gradients():
    """A gradient of 1e-9 is 0 in float16, unless the loss is scaled before."""
    keras.config.set_dtype_policy("mixed_float16")
    try:
        inputs = keras.Input((2,), name="features")
        logits = layers.Dense(2, use_bias=False)
        model = keras.Model(inputs, layers.Softmax(dtype="float32")(logits(inputs)))
        wrapped = AdversarialRegularization(model, config(step=1.0, norm="infinity"))
        wrapped.compile(keras.optimizers.SGD(0.0), loss="categorical_crossentropy", run_eagerly=True)
    finally:
        keras.config.set_dtype_policy("float32")
    kernel = np.array([[4.0, -4.0], [0.0, 0.0]])
    logits.set_weights([kernel])
    # exp(-20.8) is 9e-10: so sure is the model of the label.
    log = wrapped.train_on_batch(np.array([[2.6, 0.0]]), np.eye(2)[:1], return_dict=True)
    np.testing.assert_allclose(log["adversarial_loss"], np.log1p(np.exp(-8 * 1.6)), rtol=0.02)


def test_lengths_are_left_as_they_are():
    """The mean over each clip's own samples: those of padding do not move, and the sum of squares is 1."""
    waveform, lengths = keras.Input((None,), name="waveform"), keras.Input((), dtype="int32", name="lengths")

    @keras.saving.register_keras_serializable(package="tests")
    class Total(layers.Layer):
        def call(self, waveform, lengths):
            valid = tf.sequence_mask(lengths, tf.shape(waveform)[1], dtype=waveform.dtype)
            return tf.reduce_sum(waveform * valid, axis=1, keepdims=True)

    logits = layers.Dense(2, use_bias=False)
    total = Total()(waveform, lengths)
    model = keras.Model({"waveform": waveform, "lengths": lengths}, layers.Softmax()(logits(total)))
    logits.set_weights([np.array([[1.0, -1.0]])])
    batch = {"waveform": np.array([[0.1, 0.2, 0.0, 0.0], [0.1, 0.1, 0.1, 0.1]]), "lengths": np.array([2, 4])}
    log = step(model, config(step=1.0), batch, np.eye(2)[[0, 0]])
    # The steepest step of length 1 takes 1 / sqrt(n) from each of n samples: sqrt(n) from their sum.
    sums = np.array([0.3 - 2**0.5, 0.4 - 2])
    np.testing.assert_allclose(log["adversarial_loss"], np.log1p(np.exp(-2 * sums)).mean(), rtol=1e-5)


@pytest.mark.slow
def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(batches, resumes):
    features, labels = data()
    parts = batches(features, labels, 5)
    log = resumes(lambda: AdversarialRegularization(classifier(dropout=0.3), config()), parts, parts)
    assert {"loss", "accuracy", "adversarial_loss", "val_loss", "val_accuracy"} < set(log)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"multiplier": -1}, r"`multiplier` must be a number, 0 or more\. Received: multiplier=-1"),
        ({"step": 0}, r"`adv_step_size` must be a number above 0\. Received: adv_step_size=0"),
        ({"pgd_epsilon": -1.0}, r"`pgd_epsilon` must be a number above 0"),
        ({"pgd_iterations": 0}, r"`pgd_iterations` must be a positive integer\. Received: 0"),
        ({"norm": "l1", "pgd_epsilon": 1.0}, r"`adv_grad_norm` must be \"l2\" or \"infinity\" with a `pgd_epsilon`"),
        ({"random_init": True}, r"`random_init` must be False: .* Received: random_init=True"),
        ({"feature_mask": {"features": 1.0}}, r"`feature_mask` must be an array or a number, as the model has its"),
    ],
    ids=str,
)
def test_what_can_be_no_regularisation(options, message):
    with pytest.raises(ValueError, match=message):
        AdversarialRegularization(linear(), config(**options))


def test_masks_of_several_inputs_go_by_their_names():
    inputs = {name: keras.Input((2,), name=name) for name in ("features", "embedding")}
    model = keras.Model(inputs, layers.Dense(2)(layers.Add()(list(inputs.values()))))
    AdversarialRegularization(model, config(feature_mask={"embedding": 0.0}))
    for mask in (0.5, {"waveform": 0.5}):
        with pytest.raises(ValueError, match=r"`feature_mask` must be a dict by .*embedding"):
            AdversarialRegularization(model, config(feature_mask=mask))


def test_other_things_than_a_configuration_and_a_model():
    with pytest.raises(ValueError, match=r"`config` must be an `nsl.configs.AdvRegConfig`.* Received: a GraphRegConf"):
        AdversarialRegularization(linear(), nsl.configs.GraphRegConfig())
    with pytest.raises(ValueError, match=r"`base_model` must be a functional .* Received: a str"):
        AdversarialRegularization("cnn")
    words = keras.Input((3,), dtype="int32")
    with pytest.raises(ValueError, match=r"an input of floats, .* Received: inputs of int32"):
        AdversarialRegularization(keras.Model(words, layers.Flatten()(layers.Embedding(5, 2)(words))))
