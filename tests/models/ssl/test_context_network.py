"""The transformer's training: recomputation changes no number, layers drop out as often as said."""

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from sertk.models.ssl.attention import SelfAttention
from sertk.models.ssl.context_network import ContextNetwork
from sertk.models.ssl.encoder_block import EncoderBlock

LENGTHS = np.array([20, 13])


def frames(seed=0):
    return np.random.default_rng(seed).standard_normal((2, 20, 12)).astype("float32")


def network(**options):
    defaults = {"depth": 2, "heads": 2, "units": 20, "kernel": 4, "groups": 3, "seed": 0}
    layer = ContextNetwork(**defaults | options)
    layer.build((None, None, 12))
    return layer


def training_step(layer, in_graph):
    """The output and the gradient of each weight and of the input, with dropout and layer drop on."""

    def step(inputs, lengths):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            output = layer(inputs, lengths=lengths, training=True)[-1]
            loss = tf.reduce_sum(tf.square(output))
        weights = [weight.value for weight in layer.trainable_variables]
        return output, tape.gradient(loss, [inputs, *weights])

    return (tf.function(step) if in_graph else step)(tf.constant(frames()), tf.constant(LENGTHS))


RANDOM = {"dropout": 0.3, "attention_dropout": 0.2, "activation_dropout": 0.1, "layer_drop": 0.4}


@pytest.mark.slow
@pytest.mark.parametrize(("pre_norm", "in_graph"), [(False, False), (True, True)], ids=["eager", "graph"])
def test_recomputation_changes_no_number(pre_norm, in_graph):
    """Dropout must draw again what it drew, or the gradient is that of another network."""
    keras.utils.set_random_seed(0)
    plain = network(pre_norm=pre_norm, **RANDOM)
    other = network(pre_norm=pre_norm, gradient_checkpointing=True, **RANDOM)
    other.set_weights(plain.get_weights())
    for _ in range(2):  # the second step draws what follows
        output, gradients = training_step(plain, in_graph)
        same, recomputed = training_step(other, in_graph)
        np.testing.assert_allclose(same, output, atol=1e-6)
        assert len(gradients) == 1 + len(plain.trainable_variables)
        for actual, expected in zip(recomputed, gradients, strict=True):
            np.testing.assert_allclose(actual, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("gradient_checkpointing", "in_graph", "times"),
    [(False, False, 1), (True, False, 2), (True, True, 2)],
    ids=["off", "eager", "graph"],
)
def test_recomputation_is_on_where_it_is_asked_for(gradient_checkpointing, in_graph, times, monkeypatch):
    """Each of the two layers is called once for the output, and once more for the gradient."""
    calls, call = [], EncoderBlock.call
    monkeypatch.setattr(
        EncoderBlock, "call", lambda self, *inputs, **options: calls.append(1) or call(self, *inputs, **options)
    )
    layer = network(gradient_checkpointing=gradient_checkpointing, dropout=0.1)
    training_step(layer, in_graph)
    assert len(calls) == 2 * times
    layer(frames(), training=False)
    assert len(calls) == 2 * times + 2


@pytest.mark.parametrize(("gradient_checkpointing", "kept"), [(False, 2), (True, 0)])
def test_what_is_recomputed_is_not_kept(gradient_checkpointing, kept, monkeypatch):
    """What goes into each layer's attention is needed for the gradient: it is there until then, or it is not."""
    inputs, call = [], SelfAttention.call

    def recorded(self, frames, *rest, **options):
        inputs.append(weakref.ref(frames))
        return call(self, frames, *rest, **options)

    monkeypatch.setattr(SelfAttention, "call", recorded)
    layer = network(gradient_checkpointing=gradient_checkpointing, pre_norm=True)
    with tf.GradientTape() as tape:
        output = layer(frames(), training=True)[-1]
        gc.collect()
        assert sum(reference() is not None for reference in inputs) == kept
    assert tape.gradient(output, layer.blocks[0].inner.kernel.value) is not None


def test_layers_drop_out_as_often_as_said():
    """With weights of which each layer adds 1: the sums count the layers that stay."""
    layer = network(depth=11, layer_drop=0.3, pre_norm=True)
    for block in layer.blocks:
        for weight in block.weights:
            weight.assign(np.zeros(weight.shape))
        block.outer.bias.assign(np.ones(12))
    layer.positional.bias.assign(np.zeros(12))
    zeros = tf.zeros((2, 5, 12))
    # The last state is normalised; the one before it has been through ten layers.
    step = tf.function(lambda: layer(zeros, training=True)[-2])
    steps = np.stack([step() for _ in range(200)])
    counts = steps[:, 0, 0, 0]
    assert (steps == counts[:, None, None, None]).all()
    # Seven of ten stay, with a deviation of 1.45 a draw.
    assert abs(counts.mean() - 7) < 4 * 1.45 / np.sqrt(200)
    assert counts.std() > 1
    np.testing.assert_array_equal(layer(zeros, training=False)[-2], np.full((2, 5, 12), 10))


@pytest.mark.parametrize("pre_norm", [False, True])
def test_padding_changes_nothing_and_is_attended_to_by_none(pre_norm):
    """A clip alone has the states that it has behind another, longer one, whatever fills its padding."""
    layer = network(pre_norm=pre_norm)
    padded = frames()
    padded[1, 13:] = 1e3
    together = layer(padded, lengths=LENGTHS)
    for alone, batch in zip(layer(frames()[1:, :13]), together, strict=True):
        np.testing.assert_allclose(batch[1, :13], alone[0], atol=1e-5)


def test_clips_without_frames_stay_finite():
    for state in network()(frames(), lengths=np.array([20, 0])):
        assert np.isfinite(state).all()


def test_its_configuration_rebuilds_it():
    layer = network(pre_norm=True, gradient_checkpointing=True, epsilon=1e-3, initializer_range=0.1, **RANDOM)
    rebuilt = ContextNetwork.from_config(layer.get_config())
    assert rebuilt.get_config() == layer.get_config()
    rebuilt.build((None, None, 12))
    rebuilt.set_weights(layer.get_weights())
    np.testing.assert_array_equal(rebuilt(frames())[-1], layer(frames())[-1])
