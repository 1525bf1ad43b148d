"""Graph regularisation: the loss of eq. (2) by hand and by NSL, and a batch norm that never hears of neighbours."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from sertk.learning import GraphRegularization, nsl
from sertk.models import BatchNormalization, MaskedPooling, from_features
from sertk.models.exposed import exposing

NEIGHBOURS = 2
SHAPE = (6, 5)
CLASSES = 3


def config(multiplier=0.5, distance="cosine", neighbours=NEIGHBOURS, axis=-1, **options):
    return nsl.configs.make_graph_reg_config(
        max_neighbors=neighbours, multiplier=multiplier, distance_type=distance, sum_over_axis=axis, **options
    )


@keras.saving.register_keras_serializable(package="tests")
class Block(layers.Layer):
    """Batch norm where no model lists it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.norm = layers.BatchNormalization()

    def build(self, input_shape):
        self.norm.build(input_shape)

    def call(self, inputs, training=None):
        return self.norm(inputs, training=training)


NORMS = {
    "sertk channels": lambda: BatchNormalization(name="norm"),
    "sertk rows": lambda: BatchNormalization(axis=1, name="norm"),
    "keras": lambda: layers.BatchNormalization(name="norm"),
    "keras without weights": lambda: layers.BatchNormalization(scale=False, center=False, name="norm"),
    "inside a layer": lambda: Block(name="block"),
    "frozen": lambda: layers.BatchNormalization(trainable=False, name="norm"),
    "none": lambda: layers.Identity(),
}


def classifier(norm="sertk channels", dropout=0.0, seed=0):
    """A network inside a model with normalisation before it, as `fit` gets them."""
    keras.utils.set_random_seed(seed)
    features = keras.Input(SHAPE, name="features")
    x = layers.Reshape((*SHAPE, 1))(features)
    x = layers.Conv2D(4, 3, padding="same", name="conv")(x)
    x = NORMS[norm]()(x)
    x = layers.ReLU()(x)
    x = layers.Dropout(dropout, seed=3)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(8, name="fc1")(x)
    x = layers.Activation("relu", name="fc1_relu")(x)
    x = layers.Dense(CLASSES, name="fc2")(x)
    network = keras.Model(features, layers.Softmax(name="probabilities", dtype="float32")(x), name="network")
    normalization = layers.Normalization()
    normalization.adapt(np.random.default_rng(9).normal(0.2, 1.5, (20, *SHAPE)))
    return from_features(network, normalization=normalization)


def data(clips=13, neighbours=NEIGHBOURS, weights=None, level=1.0, seed=0, shape=SHAPE):
    """Clips, their labels, and the same with neighbours of a level of their own."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((clips, *shape)).astype("float32")
    labels = np.eye(CLASSES, dtype="float32")[rng.integers(0, CLASSES, clips)]
    batch = {"features": features}
    for number in range(neighbours):
        batch[f"NL_nbr_{number}_features"] = (level * rng.standard_normal((clips, *shape)) + level).astype("float32")
        edges = rng.uniform(0.2, 1, (clips, 1)) if weights is None else np.full((clips, 1), weights)
        batch[f"NL_nbr_{number}_weight"] = edges.astype("float32")
    return features, batch, labels


def trained(model, inputs, labels, epochs=3, optimizer=None, run_eagerly=True, **options):
    """Batches of 5, 5 and 3; the log and the weights, those of batch norm too. Graphs take seconds to trace."""
    model.compile(
        optimizer or keras.optimizers.SGD(0.1, momentum=0.9),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        metrics=["accuracy"],
        run_eagerly=run_eagerly,
        **options,
    )
    data = tf.data.Dataset.from_tensor_slices((inputs, labels)).batch(5)
    log = model.fit(data, epochs=epochs, shuffle=False, verbose=0).history
    return log, getattr(model, "base_model", model).get_weights()


def assert_same(actual, expected):
    for name, values in expected[0].items():
        np.testing.assert_allclose(actual[0][name], values, rtol=1e-5, err_msg=name)
    for a, b in zip(actual[1], expected[1], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize(
    ("norm", "layer", "eagerly"), [*((norm, None, True) for norm in NORMS), ("sertk channels", "fc1", False)]
)
def test_neighbours_without_weight_change_nothing(norm, layer, eagerly):
    """They are a hundred times as loud as the clips: any that got into a moment would be seen."""
    features, batch, labels = data(weights=0, level=100)
    plain = trained(classifier(norm), features, labels, run_eagerly=eagerly)
    wrapped = GraphRegularization(classifier(norm), config(), layer)
    log, weights = trained(wrapped, batch, labels, run_eagerly=eagerly)
    assert log.pop("graph_loss") == [0, 0, 0]
    assert_same((log, weights), plain)


def test_a_multiplier_of_0_trains_the_plain_model_dropout_and_all():
    features, batch, labels = data(level=100)
    plain = trained(classifier(dropout=0.3), features, labels)
    wrapped = trained(GraphRegularization(classifier(dropout=0.3), config(multiplier=0)), batch, labels)
    assert_same(wrapped, plain)
    assert wrapped[0].keys() == plain[0].keys()  # nothing was measured: no graph_loss
    without = trained(GraphRegularization(classifier(dropout=0.3), config(multiplier=0)), features, labels)
    assert_same(without, plain)


@pytest.mark.parametrize("kind", [BatchNormalization, layers.BatchNormalization])
@pytest.mark.parametrize("axis", [1, -1])
def test_neighbours_are_normalised_with_the_clips_statistics(kind, axis):
    """By NumPy, from a network that is batch norm and a mean over the picture's places."""
    pictures = keras.Input((3, 4, 2), name="features")
    norm = kind(axis=axis, epsilon=0.01)
    model = keras.Model(pictures, layers.GlobalAveragePooling2D()(norm(pictures)))
    gamma, beta = np.array([1.5, -0.5, 2.0][: norm.gamma.shape[0]]), np.array([0.5, 1.0, -1.0][: norm.gamma.shape[0]])
    norm.gamma.assign(gamma)
    norm.beta.assign(beta)
    features, batch, _ = data(5, neighbours=1, level=3, shape=(3, 4, 2))

    wrapped = GraphRegularization(model, config(1.0, "l2", neighbours=1))
    wrapped.compile(keras.optimizers.SGD(0.0), loss="mse", run_eagerly=True)
    log = wrapped.train_on_batch(batch, np.zeros((5, 2)), return_dict=True)

    axes = (0, 2, 3) if axis == 1 else (0, 1, 2)
    spread = [-1, 1, 1] if axis == 1 else [-1]
    mean, variance = (np.reshape(value, spread) for value in (features.mean(axes), features.var(axes)))

    def embedded(x):
        normalised = (x - mean) / np.sqrt(variance + 0.01)
        return (normalised * gamma.reshape(spread) + beta.reshape(spread)).mean(axis=(1, 2))

    edges = batch["NL_nbr_0_weight"][:, 0]
    squares = ((embedded(features) - embedded(batch["NL_nbr_0_features"])) ** 2).sum(axis=1)
    np.testing.assert_allclose(log["graph_loss"], (edges * squares).mean(), rtol=1e-4)
    np.testing.assert_allclose(norm.moving_mean, 0.01 * features.mean(axes), atol=1e-6)
    np.testing.assert_allclose(norm.moving_variance, 0.99 + 0.01 * features.var(axes), rtol=1e-5)


@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask")
def test_masked_places_stay_out_of_the_statistics_for_the_neighbours():
    """Frames of zeros are masked; the others of a clip are normalised to mean 0 and variance 1."""
    frames = keras.Input((4, 2), name="features")
    x = layers.BatchNormalization(epsilon=1e-6)(layers.Masking()(frames))
    model = keras.Model(frames, layers.Reshape((8,))(x))
    rng = np.random.default_rng(0)
    clips = rng.normal(5, 2, (6, 4, 2)).astype("float32")
    clips[:3, 2:] = 0
    batch = {"features": clips, "NL_nbr_0_features": clips, "NL_nbr_0_weight": np.ones((6, 1))}
    wrapped = GraphRegularization(model, config(1.0, "l2", neighbours=1))
    wrapped.compile(keras.optimizers.SGD(0.0), loss="mse", run_eagerly=True)
    log = wrapped.train_on_batch(batch, np.zeros((6, 8)), return_dict=True)
    np.testing.assert_allclose(log["graph_loss"], 0, atol=1e-6)


class Calls(layers.Layer):
    """Counts how often it runs, and keeps how many rows it saw."""

    rows = []  # noqa: RUF012  (of the class: models copy nothing)

    def call(self, inputs):
        Calls.rows.append(inputs.shape[0])
        return inputs


@pytest.mark.parametrize("layer", [None, "inner"])
def test_one_pass_a_step_over_clips_and_neighbours_together(layer):
    features = keras.Input(SHAPE, name="features")
    x = layers.Dense(4, name="inner")(layers.Flatten()(Calls()(features)))
    model = from_features(keras.Model(features, layers.Dense(CLASSES, activation="softmax")(x)))
    wrapped = GraphRegularization(model, config(), layer)
    wrapped.compile("sgd", loss="categorical_crossentropy", run_eagerly=True)
    _, batch, labels = data(10)
    wrapped.train_on_batch({name: value[:5] for name, value in batch.items()}, labels[:5])
    Calls.rows.clear()
    for part in (slice(0, 5), slice(5, 10)):
        wrapped.train_on_batch({name: value[part] for name, value in batch.items()}, labels[part])
    assert Calls.rows == [15, 15]


def test_the_loss_is_eq_2_with_weights_of_the_clips_and_smoothed_labels():
    """A linear softmax model, its loss written down in NumPy."""
    inputs = keras.Input((2,), name="features")
    logits = layers.Dense(3, use_bias=False, name="logits")
    model = keras.Model(inputs, layers.Softmax()(logits(inputs)))
    weights = np.array([[1.0, -1, 0.5], [0.2, 0.4, -0.6]])
    logits.set_weights([weights])
    clips, neighbours = np.array([[1.0, 2], [0.5, -1]]), np.array([[0.0, 1], [2, 2], [-1, 0], [3, 1]])
    edges = np.array([0.9, 0.0, 0.8, 0.4])
    labels, of_clips = np.eye(3)[[2, 0]], np.array([1.0, 3.0])
    batch = {
        "features": clips,
        "NL_nbr_0_features": neighbours[[0, 2]],
        "NL_nbr_1_features": neighbours[[1, 3]],
        "NL_nbr_0_weight": edges[[0, 2]],  # without the second axis that NSL wants
        "NL_nbr_1_weight": edges[[1, 3]][:, None],
    }
    wrapped = GraphRegularization(model, config(0.25, "cosine"), "logits")
    smoothed = keras.losses.CategoricalCrossentropy(label_smoothing=0.3)
    wrapped.compile(keras.optimizers.SGD(0.0), smoothed, metrics=["accuracy"], run_eagerly=True)
    log = wrapped.train_on_batch(batch, labels, sample_weight=of_clips, return_dict=True)

    scores = clips @ weights
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    supervised = -((0.7 * labels + 0.1) * np.log(probabilities)).sum(axis=1)

    def cosine(a, b):
        return a @ b / np.linalg.norm(a) / np.linalg.norm(b)

    distances = [1 - cosine(scores[place // 2], other @ weights) for place, other in enumerate(neighbours)]
    graph = (edges * distances).sum() / 3
    np.testing.assert_allclose(log["graph_loss"], graph, rtol=1e-5)
    np.testing.assert_allclose(log["loss"], (of_clips * supervised).sum() / 2 + 0.25 * graph, rtol=1e-5)
    np.testing.assert_allclose(log["accuracy"], (probabilities.argmax(axis=1) == [2, 0]).mean())


class NslGraphRegularization:
    """NSL's own wrapper: Keras 3 has no `add_metric`, which it calls for its log."""

    def __new__(cls, *args):
        original = nsl._nsl.keras.GraphRegularization
        return type("Nsl", (original,), {"add_metric": lambda *args, **kwargs: None})(*args)


@pytest.mark.filterwarnings("ignore:The structure of `inputs`", "ignore:.build... was called on layer")
@pytest.mark.parametrize("distance", ["l1", "l2", "cosine", "kl_divergence", "jensen_shannon_divergence"])
def test_without_batch_norm_it_trains_as_nsl_does(distance):
    _, batch, labels = data(level=2)
    ours = GraphRegularization(classifier("none"), config(2.0, distance))
    theirs = NslGraphRegularization(classifier("none"), config(2.0, distance))
    actual, expected = (trained(model, batch, labels)[1] for model in (ours, theirs))
    plain = trained(classifier("none"), batch["features"], labels)[1]
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)
    assert not np.allclose(actual[-2], plain[-2], atol=1e-3)


@pytest.mark.parametrize("layer", ["conv", "fc1", "fc1_relu", "fc2", "probabilities"])
def test_the_distance_is_between_the_named_layers_outputs(layer):
    model = classifier("none")
    _, batch, labels = data(5, neighbours=1)
    if layer == "conv":
        message = r"`layer` must be one that gives a vector a clip, .* Received: layer='conv', .*\(None, 6, 5, 4\)"
        with pytest.raises(ValueError, match=message):
            GraphRegularization(model, config(neighbours=1), layer)
        return
    clips, neighbours = (
        ops.convert_to_numpy(exposing(model, layer)(batch[name])[1]) for name in ("features", "NL_nbr_0_features")
    )
    wrapped = GraphRegularization(model, config(0.1, "l1", neighbours=1), layer)
    wrapped.compile(keras.optimizers.SGD(0.0), loss="categorical_crossentropy", run_eagerly=True)
    log = wrapped.train_on_batch(batch, labels, return_dict=True)
    expected = (batch["NL_nbr_0_weight"] * np.abs(clips - neighbours)).sum() / 5
    np.testing.assert_allclose(log["graph_loss"], expected, rtol=1e-4)


def test_the_log_weighs_batches_by_their_clips_and_validation_has_no_graph_loss():
    _, batch, labels = data(13)
    features, _, others = data(4, seed=2)
    wrapped = GraphRegularization(classifier("none"), config(0.1))
    wrapped.compile(keras.optimizers.SGD(0.0), loss="categorical_crossentropy", metrics=["accuracy"])
    alone = []
    for part in (slice(0, 5), slice(5, 10), slice(10, 13)):
        wrapped.reset_metrics()
        piece = {name: value[part] for name, value in batch.items()}
        alone.append(wrapped.train_on_batch(piece, labels[part], return_dict=True)["graph_loss"])
    log = trained(wrapped, batch, labels, 1, keras.optimizers.SGD(0.0), run_eagerly=False)[0]
    np.testing.assert_allclose(log["graph_loss"][0], np.average(alone, weights=[5, 5, 3]), rtol=1e-5)

    history = wrapped.fit(batch, labels, validation_data=(features, others), verbose=0).history
    assert set(history) == {"accuracy", "graph_loss", "loss", "val_accuracy", "val_loss"}
    assert set(wrapped.evaluate(features, others, verbose=0, return_dict=True)) == {"accuracy", "loss"}
    assert len(wrapped.evaluate(features, others, verbose=0)) == 2


def test_evaluation_and_prediction_are_the_base_models():
    base = classifier()
    features, batch, labels = data()
    wrapped = GraphRegularization(base, config(), "fc2")
    trained(wrapped, batch, labels)
    expected = base.predict(features, verbose=0)
    np.testing.assert_array_equal(wrapped.predict(features, verbose=0), expected)
    np.testing.assert_array_equal(wrapped(batch, training=False), expected)
    base.compile(loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1), metrics=["accuracy"])
    np.testing.assert_allclose(
        wrapped.evaluate(features, labels, verbose=0), base.evaluate(features, labels, verbose=0), rtol=1e-6
    )


def test_what_is_saved_knows_nothing_of_graphs(tmp_path):
    features, batch, labels = data()
    base = classifier()
    described = base.get_config(), [weight.path for weight in base.weights]
    wrapped = GraphRegularization(base, config(), "fc1")
    trained(wrapped, batch, labels)
    assert (base.get_config(), [weight.path for weight in base.weights]) == described
    wrapped.save(tmp_path / "model.keras")
    wrapped.export(tmp_path / "exported", verbose=False)
    expected = base.predict(features, verbose=0)
    np.save(tmp_path / "features.npy", features)
    np.save(tmp_path / "expected.npy", expected)
    code = """
import sys, keras, numpy as np, tensorflow as tf
import sertk.models.batch_norm
features, expected = np.load("features.npy"), np.load("expected.npy")
model = keras.saving.load_model("model.keras")
assert type(model).__name__ == "Functional", type(model)
np.testing.assert_allclose(model.predict(features, verbose=0), expected, atol=1e-6)
exported = tf.saved_model.load("exported")
np.testing.assert_allclose(exported.serve(features), expected, atol=1e-6)
assert not any(name.startswith(("sertk.learning", "neural_structured")) for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_a_failed_step_leaves_the_base_model_as_it_was():
    class Unlucky(layers.Layer):
        def call(self, inputs, training=None):
            if training:
                raise RuntimeError("out of luck")
            return inputs

    features = keras.Input((4,), name="features")
    norm = layers.BatchNormalization()
    base = keras.Model(features, Unlucky()(norm(features)))
    _, batch, _ = data(6, neighbours=1, shape=(4,))
    wrapped = GraphRegularization(base, config(neighbours=1))
    wrapped.compile("sgd", loss="mse")
    with pytest.raises(RuntimeError, match="out of luck"):
        wrapped.train_on_batch(batch, np.zeros((6, 4)))
    assert "call" not in vars(norm)
    assert base(batch["features"]).shape == (6, 4)


def test_the_layers_of_a_base_model_can_be_asked_for_their_outputs_afterwards():
    base = classifier()
    GraphRegularization(base, config(), "fc1")
    network = base.layers[-1]
    assert network.get_layer("fc1").output.shape == (None, 8)


@pytest.mark.slow
def test_xla_gives_the_same():
    _, batch, labels = data()
    eagerly, compiled = (
        trained(GraphRegularization(classifier("keras"), config(), "fc1"), batch, labels, **options)
        for options in ({}, {"run_eagerly": False, "jit_compile": True})
    )
    for a, b in zip(compiled[1], eagerly[1], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


@pytest.mark.parametrize(
    ("dtype", "distance", "clip", "neighbour", "expected"),
    [
        ("mixed_float16", "l2", 300.0, 0.0, 90_000.0),  # the square is beyond float16's 65,504
        ("float32", "l1", 2049.0, 2048.0, 1.0),  # float16 has no 2049
    ],
)
def test_mixed_precision_measures_and_hands_inputs_on_in_single_precision(dtype, distance, clip, neighbour, expected):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        features = keras.Input((2,), name="features")
        x = layers.Dense(2, use_bias=False, kernel_initializer="identity", name="fc1", dtype=dtype)(features)
        base = keras.Model(features, layers.Softmax(dtype="float32")(x))
    finally:
        keras.config.set_dtype_policy("float32")
    wrapped = GraphRegularization(base, config(1e-9, distance, neighbours=1), "fc1")
    wrapped.compile(keras.optimizers.SGD(0.0), loss="categorical_crossentropy", run_eagerly=True)
    assert isinstance(wrapped.optimizer, keras.optimizers.LossScaleOptimizer)
    batch = {
        "features": np.array([[clip, 0]]),
        "NL_nbr_0_features": np.array([[neighbour, 0]]),
        "NL_nbr_0_weight": np.ones((1, 1)),
    }
    log = wrapped.train_on_batch(batch, np.eye(2)[:1], return_dict=True)
    assert log["graph_loss"] == expected


def test_padded_clips_may_have_longer_and_shorter_neighbours():
    """The mean over each one's own samples, by NumPy."""
    waveform, lengths = keras.Input((None,), name="waveform"), keras.Input((), dtype="int32", name="lengths")
    x = MaskedPooling()(layers.Reshape((-1, 1))(waveform), lengths=lengths)
    base = keras.Model({"waveform": waveform, "lengths": lengths}, layers.Dense(2, use_bias=False, name="fc1")(x))
    base.get_layer("fc1").set_weights([np.array([[1.0, 2.0]])])
    rng = np.random.default_rng(0)

    def padded(*lengths):
        waveforms = np.zeros((len(lengths), max(lengths)), "float32")
        for row, length in enumerate(lengths):
            waveforms[row, :length] = rng.standard_normal(length)
        return waveforms, np.array(lengths, "int32"), waveforms.sum(axis=1) / lengths

    clips, long, short = padded(5, 7), padded(9, 3), padded(2, 1)
    batch = {"waveform": clips[0], "lengths": clips[1]}
    for number, (waveforms, lengths, _) in enumerate((long, short)):
        edges = {f"NL_nbr_{number}_weight": np.ones((2, 1), "float32")}
        batch |= {f"NL_nbr_{number}_waveform": waveforms, f"NL_nbr_{number}_lengths": lengths, **edges}
    wrapped = GraphRegularization(base, config(1.0, "l1"))
    wrapped.compile(keras.optimizers.SGD(0.0), loss="mse", run_eagerly=True)
    log = wrapped.train_on_batch(batch, np.zeros((2, 2)), return_dict=True)
    expected = 3 * np.mean([np.abs(clips[2] - long[2]), np.abs(clips[2] - short[2])])
    np.testing.assert_allclose(log["graph_loss"], expected, rtol=1e-5)


@pytest.mark.slow
def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(batches, resumes):
    features, batch, labels = data(level=2)
    validation = batches(features, labels, 5)
    log = resumes(
        lambda: GraphRegularization(classifier(dropout=0.3), config(), "fc2"), batches(batch, labels, 5), validation
    )
    assert {"loss", "accuracy", "graph_loss", "val_loss", "val_accuracy"} < set(log)


@pytest.mark.parametrize(
    ("options", "layer", "message"),
    [
        ({"multiplier": -0.1}, None, r"`multiplier` must be a number, 0 or more\. Received: multiplier=-0\.1"),
        ({"multiplier": float("nan")}, None, r"`multiplier` must be a number"),
        ({"neighbours": 0}, None, r"`max_neighbors` must be a positive integer\. Received: max_neighbors=0"),
        ({"neighbours": 1.5}, None, r"`max_neighbors` must be a positive integer"),
        ({}, "fc3", r"`layer` must name one layer, .*fc1, .*fc2.*\. Received: layer='fc3', the name of none of them"),
        ({"axis": None}, None, r"`sum_over_axis` must be -1, .* distance_type='cosine'.* Received: sum_over_axis=None"),
        ({"distance": "l2", "axis": 0}, None, r"`sum_over_axis` must be -1.* Received: sum_over_axis=0"),
        ({"reduction": "none"}, None, r"`reduction` must make one number .* Received: reduction='none'"),
        ({"distance": "kl_divergence"}, "fc2", r"`transform_fn` must be \"softmax\" .* Received: layer='fc2'"),
        ({"distance": "jensen_shannon_divergence"}, "fc1_relu", r"`transform_fn` must be \"softmax\""),
    ],
    ids=str,
)
def test_what_can_be_no_regularisation(options, layer, message):
    with pytest.raises(ValueError, match=message):
        GraphRegularization(classifier(), config(**options), layer)


def test_divergences_take_probabilities_and_logits_made_into_them():
    _, batch, labels = data()
    for layer, options in ((None, {}), ("probabilities", {}), ("fc2", {"transform_fn": "softmax"})):
        wrapped = GraphRegularization(classifier(), config(distance="kl_divergence", **options), layer)
        log = trained(wrapped, batch, labels, epochs=1)[0]
        assert log["graph_loss"][0] > 0
    features = keras.Input(SHAPE, name="features")
    logits = keras.Model(features, layers.Dense(3)(layers.Flatten()(features)))
    with pytest.raises(ValueError, match=r"`transform_fn` must be \"softmax\".* Received: layer=None"):
        GraphRegularization(from_features(logits), config(distance="kl_divergence"))


def test_other_things_than_a_configuration_and_a_model():
    with pytest.raises(ValueError, match=r"`config` must be an `nsl.configs.GraphRegConfig`.* Received: a dict"):
        GraphRegularization(classifier(), {})
    with pytest.raises(ValueError, match=r"`base_model` must be a functional .* Received: a Dense"):
        GraphRegularization(layers.Dense(3), config())
    with pytest.raises(ValueError, match=r"`base_model` must be a functional .* Received: a Sequential"):
        GraphRegularization(keras.Sequential([layers.Dense(3)]), config())
    renorm = keras.Sequential([keras.Input((3,)), layers.BatchNormalization(renorm=True, name="odd")])
    with pytest.raises(ValueError, match=r"without `renorm` .* Received: renorm=True in the layer odd"):
        GraphRegularization(renorm, config())


def test_a_sequential_model_with_defaults_learns():
    base = keras.Sequential([keras.Input((4,), name="features"), layers.Dense(3, activation="softmax")])
    wrapped = GraphRegularization(base)
    assert wrapped.config.neighbor_config.max_neighbors == 3
    _, batch, labels = data(neighbours=3, shape=(4,))
    log = trained(wrapped, batch, labels, epochs=4)[0]
    assert log["loss"][-1] < log["loss"][0]


@pytest.mark.parametrize("missing", ["features", "NL_nbr_1_features", "NL_nbr_0_weight"])
def test_a_batch_that_lacks_something_is_refused_in_one_sentence(missing):
    _, batch, labels = data()
    del batch[missing]
    wrapped = GraphRegularization(classifier(), config())
    message = rf"^A batch for training must be a dict with {missing}: clips, .*Received: .*NL_nbr_0.*$"
    with pytest.raises(ValueError, match=message):
        trained(wrapped, batch, labels)


def test_a_batch_of_plain_inputs_is_refused_in_training():
    features, _, labels = data()
    with pytest.raises(ValueError, match=r"must be a dict with features, NL_nbr_0_features.* Received: no dict$"):
        trained(GraphRegularization(classifier(), config()), features, labels)


def test_neighbours_of_another_shape_are_refused():
    _, batch, labels = data()
    batch["NL_nbr_1_features"] = batch["NL_nbr_1_features"][:, 1:]
    message = r"^`NL_nbr_1_features` must have the shape of `features`, \(5, 6, 5\)\. Received: \(5, 5, 5\)$"
    with pytest.raises(ValueError, match=message):
        trained(GraphRegularization(classifier(), config()), batch, labels)


def test_another_backend_is_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match=r"runs on TensorFlow; .* Received: the backend jax"):
        GraphRegularization(classifier("keras"), config())
