"""Where a network's own gradients run and where they don't, and that they change no number and no file."""

import zipfile

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from sertk.models import load, ssl_classifier
from sertk.models.ssl import convolution, gelu, group_norm
from sertk.models.ssl.feature_encoder import FeatureEncoder

SAMPLES = 2_000
STEPS = (convolution, gelu, group_norm)


@pytest.fixture
def classifier(script):
    """A small classifier with random weights, whose gradients are computed anew, as `recomputed` does it."""
    rates = dict.fromkeys(("hidden_dropout", "attention_dropout", "activation_dropout", "layerdrop"), 0.0)
    sizes = {"num_hidden_layers": 1, "apply_spec_augment": False}
    keras.utils.set_random_seed(0)
    backbone = {"model_type": "wav2vec2", **script.SMALL, **script.FORMS["base"], **rates, **sizes}
    return ssl_classifier((SAMPLES,), 3, backbone=backbone, gradient_checkpointing=True)


def batch(clips=4):
    noise = 0.1 * np.random.default_rng(0).standard_normal((clips, SAMPLES)).astype("float32")
    return noise, np.eye(3, dtype="float32")[np.arange(clips) % 3]


def switch_off(monkeypatch):
    for module in STEPS:
        monkeypatch.setattr(module, "own_gradient_pays", lambda *_, **__: False)


def gradients(model, waveforms, labels):
    """As `fit` computes them, in a graph; a list with None for weights that have none."""

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(keras.losses.categorical_crossentropy(labels, model(waveforms, training=True)))
        return tape.gradient(loss, [weight.value for weight in model.trainable_weights])

    return step()


def nodes(graph):
    """All operations of a graph, those of its functions too."""
    return [*graph.node, *(node for function in graph.library.function for node in function.node_def)]


def compiled_by_xla(graph):
    return any(node.attr["_XlaMustCompile"].b for node in nodes(graph))


def with_own_gradient(graph):
    return any(node.attr["_gradient_op_type"].s.startswith(b"CustomGradient") for node in nodes(graph))


def traced(layer, *shape, dtype="float32", training=True):
    call = tf.function(lambda inputs: layer(inputs, training=training))
    return call.get_concrete_function(tf.TensorSpec(shape, dtype)).graph.as_graph_def()


def test_all_gradients_equal_those_of_keras(classifier, monkeypatch):
    model = classifier
    found = gradients(model, *batch())
    switch_off(monkeypatch)
    expected = gradients(model, *batch())
    for weight, ours, theirs in zip(model.trainable_weights, found, expected, strict=True):
        if theirs is None:
            assert ours is None, weight.path
            continue
        np.testing.assert_allclose(ours, theirs, atol=1e-5 * max(np.abs(theirs).max(), 0.1), err_msg=weight.path)
    assert any(np.abs(slope).max() > 0.01 for slope in expected if slope is not None)


def encoder(**options):
    return FeatureEncoder((6, 5), (10, 3), (5, 2), **options)


def small_model():
    """An encoder as the models hold it."""
    waveform = keras.Input((None,), name="waveform")
    return keras.Model(waveform, encoder(name="feature_encoder")(waveform))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_batches_of_all_sizes_equal_keras_with_and_without_xla_around_them(jit_compile, monkeypatch):
    """XLA compiles another shape at the end of an epoch; the graph is the same."""
    network = encoder()
    network.build((None, None))
    weights = [weight.value for weight in network.trainable_weights]
    waveforms = np.random.default_rng(0).standard_normal((4, 200)).astype("float32")

    def found(jit_compile):
        @tf.function(input_signature=[tf.TensorSpec((None, 200))], jit_compile=jit_compile)
        def step(inputs):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(network(inputs, training=True) ** 2)
            return tape.gradient(loss, weights)

        return [*step(waveforms[:3]), *step(waveforms[3:])]

    ours = found(jit_compile)
    switch_off(monkeypatch)
    for actual, expected in zip(ours, found(False), strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-5 * np.abs(expected).max())


def gelu_in_double(x):
    return 0.5 * x * (1 + tf.math.erf(x / np.sqrt(2)))


def normalised_in_double(x):
    centred = x - tf.reduce_mean(x, 1, keepdims=True)
    return centred / tf.sqrt(tf.reduce_mean(centred**2, 1, keepdims=True) + 1e-5)


@pytest.mark.parametrize(
    ("layer", "in_double"),
    [
        (gelu.gelu, gelu_in_double),
        (group_norm.GroupNormalization(-1, epsilon=1e-5), normalised_in_double),
        (
            convolution.Conv1D(3, 2, 2, kernel_initializer="ones"),
            lambda x: tf.nn.conv1d(x, np.ones((2, 4, 3)), 2, "VALID"),
        ),
    ],
    ids=["gelu", "group norm", "convolution"],
)
def test_second_derivatives_are_right(layer, in_double):
    """Not against Keras: its moments hold the mean still, so that the second derivative of its group norm is wrong."""
    values = np.random.default_rng(0).standard_normal((2, 9, 4))

    @tf.function
    def second(function, inputs):
        with tf.GradientTape() as outer:
            outer.watch(inputs)
            with tf.GradientTape() as inner:
                inner.watch(inputs)
                loss = tf.reduce_sum(function(inputs) ** 3)
            penalty = tf.reduce_sum(inner.gradient(loss, inputs) ** 2)
        return outer.gradient(penalty, inputs)

    layer(values.astype("float32"))  # which builds it
    expected = second(in_double, tf.constant(values))
    found = second(lambda x: layer(x, training=True), tf.constant(values, "float32"))
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_xla_compiles_training_on_clips_of_one_length_and_nothing_else():
    assert compiled_by_xla(traced(encoder(), None, 200))
    assert not compiled_by_xla(traced(encoder(), None, None))
    assert not compiled_by_xla(traced(encoder(), None, 200, training=False))
    assert not compiled_by_xla(traced(encoder(dtype="mixed_bfloat16"), None, 200))


def test_step_by_step_nothing_is_compiled(monkeypatch):
    """Where no graph is traced, each length of a clip would be compiled when it comes."""
    monkeypatch.setattr(gelu, "_fused_gelu", None)
    monkeypatch.setattr(group_norm, "_normalisation", None)
    assert encoder()(np.ones((2, 60), "float32"), training=True).shape == (2, 5, 5)


def test_clips_of_any_length_still_get_the_kernels_own_gradient():
    assert with_own_gradient(traced(encoder(), None, None))
    assert not with_own_gradient(traced(encoder(), None, None, training=False))
    assert not with_own_gradient(traced(encoder(dtype="mixed_float16"), None, None))


def test_where_there_is_a_gpu_keras_own_code_runs(monkeypatch):
    from sertk.models.ssl import own_gradients

    monkeypatch.setattr(own_gradients, "_only_cpu", lambda: False)
    graph = traced(encoder(), None, 200)
    assert not compiled_by_xla(graph)
    assert not with_own_gradient(graph)


def test_an_exported_model_holds_ordinary_operations_alone(tmp_path):
    """After a training step, whose graphs must not be saved with it."""
    model, waveforms = small_model(), batch()[0]
    model.compile("sgd", loss="mse")
    model.train_on_batch(waveforms, np.zeros_like(model(waveforms)))
    model.export(tmp_path / "1", verbose=False)
    saved = saved_model_pb2.SavedModel.FromString((tmp_path / "1" / "saved_model.pb").read_bytes())
    assert not compiled_by_xla(saved.meta_graphs[0].graph_def)
    assert not with_own_gradient(saved.meta_graphs[0].graph_def)
    restored = tf.saved_model.load(tmp_path / "1")  # its functions need it alive
    np.testing.assert_allclose(restored.serve(waveforms), model.predict_on_batch(waveforms), atol=1e-5)


def test_weights_lie_where_they_lay_with_keras_own_layers(tmp_path):
    """Files that were saved before these layers must load, so that the names in them are fixed."""
    model, waveforms = small_model(), batch()[0]
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file, h5py.File(file.open("model.weights.h5")) as weights:
        places = weights["layers/feature_encoder"]
        assert set(places["convolutions"]) == {"conv1d", "conv1d_1"}
        assert set(places["norms"]) == {"group_normalization"}
    loaded = load(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(waveforms), model(waveforms))
