"""Times an epoch of training as sertk does it against the plain Keras way, after checking that both learn the same.

    python benchmarks/training.py --json training.json

The plain Keras way is what `model.compile` and `model.fit` do if nothing is said: `keras.layers.BatchNormalization`,
`jit_compile="auto"` (XLA in some releases, not in others: the table says), the features as a part of the model and
tf.data's autotuning on. Between the two stand runs in which one thing alone is done otherwise than sertk does it. All
train on the same clips, in the same order, with the same weights at the start.
"""

import sys
import tempfile
import time
from dataclasses import dataclass
from unittest import mock

import numpy as np
from rounds import machine, parser, print_machine, print_table, take_turns, times_as_fast, whole, write_json

SAMPLES, CLASSES = 48_000, ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
NETWORKS = {"one CNN": "cnn", "parallel network": "cnn_transformer"}
# How far the losses may be apart, relative to themselves: float32, summed in another order, over an epoch of steps.
CLOSE = 1e-3


@dataclass(frozen=True)
class Way:
    """A way to train: what is done as sertk does it, and what as Keras does.

    Args:
        keras_norm: bool, Keras's batch norm in place of sertk's.
        jit_compile: bool or "auto", Keras's.
        in_model: bool, features computed in the model, in every epoch anew, in place of once.
        tuned: bool, with tf.data's autotuning.
    """

    keras_norm: bool = False
    jit_compile: bool | str = False
    in_model: bool = False
    tuned: bool = False


WAYS = {
    "sertk": Way(),
    "sertk, Keras's batch norm": Way(keras_norm=True),
    "sertk, features in the model": Way(in_model=True),
    "sertk, autotuned input": Way(tuned=True),
    "plain Keras": Way(True, "auto", True, True),
}
# On a CPU an epoch of this one takes minutes.
XLA = {"sertk, compiled by XLA": Way(jit_compile=True)}


def main(arguments=None):
    options = parser(__doc__.splitlines()[0], rounds=5)
    options.add_argument("--clips", type=whole, default=256, help="clips an epoch (default: 256)")
    options.add_argument("--batch", type=whole, default=32, help="clips a step (default: 32)")
    options.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS), help="default: both")
    options.add_argument("--xla", action="store_true", help="time sertk compiled by XLA too, which takes long on a CPU")
    options = options.parse_args(arguments)

    about = machine()
    print_machine(about)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        manifest = corpus(folder, options.clips)
        for network in options.networks:
            contestants, losses, compiled = {}, {}, {}
            for name, way in (WAYS | (XLA if options.xla else {})).items():
                clips = clips_of(manifest, folder, way, options.batch)
                losses[name] = second_loss(network, clips, way)
                model = trainable(network, way)
                compiled[name] = bool(model.jit_compile)
                contestants[name] = trainer(model, clips.dataset, way)
            check_losses(losses)
            seconds = take_turns(contestants, options.rounds, lambda train: train())
            print(f"{network}: an epoch of {options.clips} clips, median of {options.rounds} rounds\n")
            print_table(table(seconds, losses, compiled, options.clips))
            results[network] = {"seconds": seconds, "losses": losses}
    write_json(options.json, machine=about, clips=options.clips, batch=options.batch, **results)


def corpus(folder, clips, seconds=(3.0, 4.0)):
    """A manifest of that many synthetic clips, newly written into the folder."""
    from sertk.corpora import load, write_synthetic

    each = -(-clips // (7 * 10))
    return load("synthetic", write_synthetic(f"{folder}/corpus", 10, each, seconds)).iloc[:clips]


def clips_of(manifest, folder, way, batch):
    """The clips of a manifest as a way to train takes them."""
    from sertk.audio import FixedLength, WaveformCache
    from sertk.pipeline import Clips

    return Clips(
        manifest,
        CLASSES,
        WaveformCache(f"{folder}/cache"),
        FixedLength(SAMPLES),
        batch_size=batch,
        shuffle=True,
        features=None if way.in_model else mfcc(),
        progress=False,
    )


def mfcc():
    """The features of paper 004's networks."""
    from sertk.features import MFCC

    return MFCC(n_mfcc=128, name="mfcc")


def trainable(network, way, **dropout):
    """One of the networks, compiled for a way to train.

    Args:
        network: a name of `NETWORKS`.
        way: `Way`.
        **dropout: the builder's options, such as `dropout=0.0`.
    """
    import keras

    import sertk.models
    import sertk.models.cnn_block

    keras.utils.set_random_seed(0)
    norm = keras.layers.BatchNormalization if way.keras_norm else sertk.models.cnn_block.BatchNormalization
    with mock.patch.object(sertk.models.cnn_block, "BatchNormalization", norm):
        model = getattr(sertk.models, NETWORKS[network])(num_classes=len(CLASSES), **dropout)
    if way.in_model:
        model = sertk.models.from_waveform(model, mfcc(), samples=SAMPLES)
    optimizer = keras.optimizers.Adam(1e-4)
    model.compile(optimizer, loss="categorical_crossentropy", metrics=["accuracy"], jit_compile=way.jit_compile)
    return model


def trainer(model, dataset, way):
    """A function that trains the model for two epochs more and gives the last one's seconds; compiled already."""
    import keras

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.begin = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            self.seconds = time.perf_counter() - self.begin

    clock, dataset = Clock(), dataset.with_options(tuning(way.tuned))

    def train():
        # Of two epochs, since the first one pays for what `fit` sets up.
        model.fit(dataset, epochs=2, shuffle=False, verbose=0, callbacks=[clock])
        return clock.seconds

    train()
    return train


def tuning(on):
    """tf.data's options with its autotuning on or off."""
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = on
    return options


def second_loss(network, clips, way):
    """The training loss of the second epoch, without dropout, whose random numbers depend on the compiler."""
    none = {"dropout": 0.0} | ({"encoder_dropout": 0.0} if network == "parallel network" else {})
    history = trainable(network, way, **none).fit(clips.dataset, epochs=2, shuffle=False, verbose=0)
    return history.history["loss"][-1]


def check_losses(losses):
    """Ends the benchmark where two ways to train learn different things: their times could not be compared.

    Raises:
        SystemExit: names the first.
    """
    for name, loss in losses.items():
        if not abs(loss - losses["plain Keras"]) <= CLOSE * abs(losses["plain Keras"]):
            raise SystemExit(f"{name}: comes to a loss of {loss:.6f}, plain Keras to {losses['plain Keras']:.6f}")


def table(seconds, losses, compiled, clips):
    """One row a way to train: its rate, what that is of plain Keras's, and the loss that it comes to."""
    return [
        {
            "way": name,
            "XLA": "yes" if compiled[name] else "no",
            "clips/s": clips / float(np.median(seconds[name])),
            "times plain Keras": times_as_fast(seconds, name, "plain Keras"),
            "loss after two epochs": f"{losses[name]:.5f}",
        }
        for name in seconds
    ]


if __name__ == "__main__":
    sys.exit(main())
