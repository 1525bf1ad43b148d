"""Times the building of graphs against neural-structured-learning, and what it takes at up to 100,000 clips.

    python benchmarks/graphs.py --json graphs.json
    python benchmarks/graphs.py --clips 5000 --sizes 10000

The embeddings are clouds of some twenty clips each, about half of whose pairs have a cosine similarity over 0.99.

- First, sertk and NSL's builder go from the same embeddings to a file of edges. They are compared before they are
  timed: the edges must be the same, and their weights as far as NSL writes them. NSL's builder compares two clips at a
  time in Python; with locality-sensitive hashing, here with the settings of paper 003's published code, it looks at
  fewer pairs and misses some, so its row says how many edges it finds.
- Then sertk alone, in a process for each size, with the peak of its memory.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rounds import (
    machine,
    parser,
    peak_memory,
    print_machine,
    print_table,
    take_turns,
    times_as_fast,
    whole,
    write_json,
)

THRESHOLD, CLOUD, SPREAD = 0.99, 20, 0.1
OURS, THEIRS, HASHED = "sertk", "NSL, all pairs", "NSL, hashing as published"
# NSL writes weights with six decimals.
TOLERANCE = 1e-6


def main(arguments=None):
    options = parser(__doc__.splitlines()[0], rounds=3)
    options.add_argument("--clips", type=whole, default=2_000, help="beside NSL (default: 2000)")
    options.add_argument("--channels", type=whole, default=256, help="of an embedding (default: 256)")
    options.add_argument("--sizes", nargs="*", type=whole, default=[10_000, 30_000, 100_000], help="numbers of clips")
    options.add_argument("--alone", type=whole, metavar="CLIPS", help="build one graph and print what it takes")
    options = options.parse_args(arguments)
    if options.alone is not None:
        print(json.dumps(alone(options.alone, options.channels)))
        return

    about = machine("neural-structured-learning")
    print_machine(about)
    with tempfile.TemporaryDirectory() as folder:
        builders = contestants(options.clips, options.channels, Path(folder))
        found = {name: edges_of(build()) for name, build in builders.items()}
        check(found)
        seconds = take_turns(builders, options.rounds, measure=once)
    print(f"{options.clips:,} clips of {options.channels} channels, median of {options.rounds} rounds\n")
    print_table(table(found, seconds))
    grown = [in_a_process(clips, options.channels) for clips in options.sizes]
    if grown:
        print(f"sertk alone, {options.channels} channels\n")
        print_table(grown)
    edges = {name: len(pairs) for name, pairs in found.items()}
    write_json(options.json, machine=about, clips=options.clips, seconds=seconds, edges=edges, sizes=grown)


def clouds(clips, channels):
    """Embeddings, float32 `(clips, channels)`, and their keys."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((max(clips // CLOUD, 1), channels), dtype="float32")
    noise = random.standard_normal((clips, channels), dtype="float32")
    return centres[random.integers(0, len(centres), clips)] + SPREAD * noise, [f"{i:06}" for i in range(clips)]


def contestants(clips, channels, folder):
    """Functions by name, each of which writes a file of edges and gives its path."""
    import tensorflow as tf

    from sertk.graphs import build_graph, save_graph
    from sertk.learning import nsl

    embeddings, keys = clouds(clips, channels)
    records = str(folder / "embeddings.tfr")
    with tf.io.TFRecordWriter(records) as writer:
        for key, vector in zip(keys, embeddings, strict=True):
            features = {
                "id": tf.train.Feature(bytes_list=tf.train.BytesList(value=[key.encode()])),
                "embedding": tf.train.Feature(float_list=tf.train.FloatList(value=vector)),
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())

    def ours():
        graph = build_graph(embeddings, keys, threshold=THRESHOLD, max_neighbors=None, progress=False)
        return save_graph(graph, folder / "ours.tsv")

    def theirs(name, **hashing):
        path = folder / name
        nsl.tools.build_graph([records], str(path), similarity_threshold=THRESHOLD, random_seed=0, **hashing)
        return path

    return {
        OURS: ours,
        THEIRS: lambda: theirs("theirs.tsv"),
        HASHED: lambda: theirs("hashed.tsv", lsh_splits=2, lsh_rounds=4),
    }


def edges_of(path):
    """A dict from two keys to the weight of their edge."""
    from sertk.graphs import load_graph

    graph = load_graph(path)
    ends = zip(graph.sources, graph.targets, graph.weights, strict=True)
    return {(graph.keys[source], graph.keys[target]): float(weight) for source, target, weight in ends}


def check(found):
    """Refuses to time what does not find the same.

    Raises:
        SystemExit: if sertk's edges are not NSL's, or weigh something else, or hashing finds others.
    """
    ours, theirs = found[OURS], found[THEIRS]
    odd = ours.keys() ^ theirs.keys()
    if odd:
        raise SystemExit(f"{OURS}: has {len(ours):,} edges, NSL {len(theirs):,}; {len(odd):,} are not the other's")
    apart = max(abs(weight - theirs[edge]) for edge, weight in ours.items())
    if not apart <= TOLERANCE:
        raise SystemExit(f"{OURS}: a weight is {apart:.2g} from NSL's; {TOLERANCE:g} are allowed")
    if not found[HASHED].keys() <= theirs.keys():
        raise SystemExit(f"{HASHED}: has edges that are none")


def once(build):
    """How long a function takes, in seconds."""
    begin = time.perf_counter()
    build()
    return time.perf_counter() - begin


def table(found, seconds):
    """One row a builder: its time, and how many of the edges it finds."""
    return [
        {
            "builder": name,
            "seconds": float(np.median(times)),
            "times NSL's rate": times_as_fast(seconds, name, THEIRS),
            "edges": len(found[name]),
            "of all (%)": 100 * len(found[name]) / len(found[THEIRS]),
        }
        for name, times in seconds.items()
    ]


def in_a_process(clips, channels):
    """What `alone` gives, in a process of its own."""
    command = [sys.executable, __file__, "--alone", str(clips), "--channels", str(channels)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def alone(clips, channels):
    """Builds one graph with the default nine neighbours; gives its time, its edges and the peak of memory."""
    from sertk.graphs import build_graph

    embeddings, keys = clouds(clips, channels)
    begin, processor = time.perf_counter(), time.process_time()
    graph = build_graph(embeddings, keys, threshold=THRESHOLD, progress=False)
    seconds, processor = time.perf_counter() - begin, time.process_time() - processor
    return {
        "clips": clips,
        "edges": len(graph.weights),
        "seconds": seconds,
        "processor time (s)": processor,
        "peak memory (MB)": peak_memory(),
    }


if __name__ == "__main__":
    sys.exit(main())
