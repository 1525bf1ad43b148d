"""Shows what the network waits for: input beside training steps, tf.data's tuner, and what grows with the corpus.

    python benchmarks/pipeline.py input tuner growth --json pipeline.json

- `input`: clips a second of the input alone, from an empty cache and from a full one, of the training steps alone, on
  batches that lie in memory, and of both together. Where the two together are as fast as the steps alone, the network
  is the bottleneck.
- `tuner`: how long an epoch lasts whose steps take a given time, with tf.data's autotuning and without.
- `growth`: time and memory of each step from manifest to batches, for corpora of several sizes.
"""

import itertools
import sys
import tempfile
import time

import numpy as np
from rounds import machine, parser, print_machine, print_table, take_turns, whole, write_json
from training import NETWORKS, Way, clips_of, corpus, trainable, trainer, tuning

INPUTS = {"waveforms, features in the model": Way(in_model=True), "features kept in memory": Way()}
PARTS = ("input", "tuner", "growth")


def main(arguments=None):
    options = parser(__doc__.splitlines()[0], rounds=5)
    options.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    options.add_argument("--clips", type=whole, default=512, help="input: clips of 3 to 4 s an epoch (default: 512)")
    options.add_argument("--batch", type=whole, default=32, help="input: clips a step (default: 32)")
    options.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS), help="default: both")
    options.add_argument(
        "--sizes", nargs="+", type=whole, default=[1_000, 10_000, 100_000], help="growth: numbers of clips"
    )
    chosen = options.parse_args(arguments)
    unknown = sorted(set(chosen.parts) - set(PARTS))
    if unknown:
        options.error(f"PART must be one of {', '.join(PARTS)}. Received: {unknown[0]}")

    about = machine()
    print_machine(about)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for part in chosen.parts or PARTS:
            results[part] = {"input": input_and_steps, "tuner": tuner, "growth": growth}[part](chosen, folder)
    write_json(chosen.json, machine=about, **results)


def input_and_steps(options, folder):
    """Clips a second of input, steps and both, for each network and each kind of input."""
    manifest = corpus(folder, options.clips)
    contestants = {}
    for kind, way in INPUTS.items():
        clips = clips_of(manifest, folder, way, options.batch)
        contestants[kind, "cold"] = from_nothing(manifest, folder, way, options.batch)
        contestants[kind, "warm"] = passing(clips.dataset)
        in_memory = at_hand(clips.dataset)
        for network in options.networks:
            contestants[kind, network, "steps"] = trainer(trainable(network, way), in_memory, way)
            contestants[kind, network, "both"] = trainer(trainable(network, way), clips.dataset, way)
    seconds = take_turns(contestants, options.rounds, measure=lambda contestant: contestant())

    rates = {name: options.clips / times for name, times in seconds.items()}
    rows = [
        {
            "network": network,
            "input": kind,
            "input alone, cold": float(np.median(rates[kind, "cold"])),
            "input alone, warm": float(np.median(rates[kind, "warm"])),
            "steps alone": float(np.median(rates[kind, network, "steps"])),
            "both": float(np.median(rates[kind, network, "both"])),
            "both of steps": float(np.median(rates[kind, network, "both"] / rates[kind, network, "steps"])),
        }
        for network in options.networks
        for kind in INPUTS
    ]
    print(f"Clips a second: {options.clips} clips of 3 to 4 s, median of {options.rounds} rounds\n")
    print_table(rows)
    return rows


def from_nothing(manifest, folder, way, batch):
    """A function that gives the seconds from an empty cache to the end of the first pass over all batches."""
    numbers = itertools.count()

    def begin_anew():
        begin = time.perf_counter()
        clips = clips_of(manifest, f"{folder}/cold-{next(numbers)}", way, batch)
        passing(clips.dataset)()
        return time.perf_counter() - begin

    return begin_anew


def passing(dataset):
    """A function that gives the seconds of a pass over a dataset."""

    def once():
        begin = time.perf_counter()
        for _ in dataset:
            pass
        return time.perf_counter() - begin

    return once


def at_hand(dataset):
    """The same batches, in memory: what is left of the input then is next to nothing."""
    import tensorflow as tf

    waveforms, labels = (np.concatenate(parts) for parts in zip(*dataset.as_numpy_iterator(), strict=True))
    batch = len(next(dataset.as_numpy_iterator())[1])
    with tf.device("CPU"):
        return (
            tf.data.Dataset.from_tensor_slices((waveforms, labels)).batch(batch).prefetch(2).with_options(tuning(False))
        )


def tuner(options, folder):
    """Seconds of an epoch of a hundred steps, with tf.data's autotuning and without."""
    paces = (0.4, 0.8, 1.4, 2.7)
    contestants = {(pace, tuned): at_a_pace(pace, tuned) for pace in paces for tuned in (True, False)}
    seconds = take_turns(contestants, options.rounds, measure=lambda contestant: contestant())
    rows = [held_back(pace, seconds[pace, True], seconds[pace, False]) for pace in paces]
    print(f"An epoch whose hundred steps take a given time, {options.rounds} times\n")
    print_table(rows)
    return rows


def held_back(pace, tuned, untuned):
    """One row: how long epochs lasted, and how many of the tuned ones ended a tenth too late or more."""
    usual = float(np.median(untuned))
    return {
        "steps (s)": pace,
        "epoch, not tuned (s)": usual,
        "tuned, median (s)": float(np.median(tuned)),
        "tuned, longest (s)": float(tuned.max()),
        "held back": int((tuned > 1.1 * usual).sum()),
    }


def at_a_pace(pace, tuned):
    """A function that gives the seconds of an epoch whose steps take `pace` seconds together."""
    import tensorflow as tf

    dataset = tf.data.Dataset.range(3_200).map(_next).batch(32).map(_next).prefetch(2).with_options(tuning(tuned))

    def once():
        begin = time.perf_counter()
        for _ in dataset:
            time.sleep(pace / 100)
        return time.perf_counter() - begin

    return once


def _next(x):
    return x + 1


def growth(options, folder):
    """Time and memory of each step from manifest to batches, a process for each number of clips."""
    from growth import measure, write_corpus

    table = write_corpus(folder, max(options.sizes))
    rows = [row for size in sorted(options.sizes) for row in measure(table, size, folder)]
    print("Growth: short clips, all of one length\n")
    print_table(by_size(rows))
    return rows


def by_size(rows):
    """One row a step, with seconds and memory for each number of clips beside each other."""
    found = {}
    for row in rows:
        step = found.setdefault(row["step"], {"step": row["step"]})
        step[f"{row['clips']:,}: s"] = row["seconds"]
        step[f"{row['clips']:,}: MB"] = row["peak"]
    return list(found.values())


if __name__ == "__main__":
    sys.exit(main())
