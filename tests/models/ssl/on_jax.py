"""What test_jax.py runs in a process of its own, on Keras's JAX backend: folder of models in, file of numbers out."""

import sys
from pathlib import Path

import jax
import keras
import numpy as np

from sertk.models import load, ssl_classifier, with_hidden_states, with_lengths, without_lengths

RANDOM = {"dropout": 0.3, "layer_drop": 0.4, "seed": 0}


def gradients(backbone, inputs, *, gradient_checkpointing):
    """The gradient of a training step with dropout, masks and layer drop, and whether it is computed anew."""
    keras.utils.set_random_seed(0)
    model = ssl_classifier(
        (inputs[0].shape[1],),
        3,
        backbone=backbone,
        padded=True,
        gradient_checkpointing=gradient_checkpointing,
        **RANDOM,
    )

    def loss(weights):
        others = [variable.value for variable in model.non_trainable_variables]
        outputs, _ = model.stateless_call(weights, others, inputs, training=True)
        return (outputs**2).sum()

    weights = [variable.value for variable in model.trainable_variables]
    traced = jax.jit(jax.grad(loss)).trace(weights)
    found = [np.asarray(slope) for slope in traced.lower().compile()(weights)]
    return found, "remat" in str(traced.jaxpr) or "checkpoint" in str(traced.jaxpr)


def refused(function, *inputs):
    try:
        function(*inputs)
    except ValueError as error:
        return str(error)
    return ""


def main(folder):
    given = np.load(folder / "inputs.npz")
    waveforms, lengths = given["waveforms"], given["lengths"]
    model = load(folder / "model.keras")
    numbers = {"backend": keras.backend.backend()}
    # Compiled, as `predict` does, all is much faster than step by step.
    numbers["padded"] = model.predict({"waveform": waveforms, "lengths": lengths}, verbose=0)
    numbers["whole"] = without_lengths(model).predict(waveforms, verbose=0)
    numbers["states"] = np.stack(with_hidden_states(model).predict([waveforms, lengths], verbose=0))
    numbers["short"] = refused(without_lengths(model), waveforms[:, :399])
    numbers["no_length"] = refused(with_lengths(model), [waveforms, np.zeros_like(lengths)])
    backbone = (folder / "config.json").resolve()
    for name, option in (("plain", False), ("anew", True)):
        slopes, numbers[f"{name}_remat"] = gradients(backbone, [waveforms, lengths], gradient_checkpointing=option)
        numbers |= {f"{name}_{number}": slope for number, slope in enumerate(slopes)}
    model.compile(keras.optimizers.Adam(1e-3), loss="categorical_crossentropy")
    labels = np.eye(3, dtype="float32")[np.arange(len(waveforms))]
    before = [np.asarray(weight) for weight in model.trainable_variables]
    numbers["losses"] = [float(model.train_on_batch([waveforms, lengths], labels)) for _ in range(2)]
    after = [np.asarray(weight) for weight in model.trainable_variables]
    numbers["moved"] = [not np.array_equal(old, new) for old, new in zip(before, after, strict=True)]
    numbers["names"] = [weight.path for weight in model.trainable_variables]
    np.savez(folder / "numbers.npz", **{name: np.asarray(value) for name, value in numbers.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
