"""Transfer from incomplete sources against what else one would do, on constructed domains; and what large ones take.

    python benchmarks/transfer.py --json transfer.json
    python benchmarks/transfer.py --seeds 2 --clips 1000 --channels 256

- First, two sources that are turned and moved and lack two of six classes each, and a target: who labels it best? The
  defaults were chosen on seeds 0 to 7, so these begin at 100.
- Then two sources and a target of so many clips and channels, in a process of its own, with the peak of its memory.
"""

import json
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import scipy.linalg
import scipy.stats
from rounds import machine, parser, peak_memory, print_machine, print_table, whole, write_json
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

FIRST_SEED, OURS = 100, "incomplete multisource"


def main(arguments=None):
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--seeds", type=whole, default=8, help="how many constructed sets (default: 8)")
    options.add_argument("--clips", type=whole, default=5_000, help="of each large domain (default: 5000)")
    options.add_argument("--channels", type=whole, default=2_048, help="of each large domain (default: 2048)")
    options.add_argument("--alone", action="store_true", help="fit the large domains and print what it takes")
    options = options.parse_args(arguments)
    if options.alone:
        print(json.dumps(alone(options.clips, options.channels)))
        return

    about = machine("scikit-learn")
    print_machine(about)
    rows = [measured(seed) for seed in range(FIRST_SEED, FIRST_SEED + options.seeds)]
    print(f"Accuracy on the target (%), {options.seeds} constructed sets\n")
    print_table(summary([row["accuracies"] for row in rows]))
    print("Discrepancies, mean over sets and sources\n")
    print_table(fallen([row["discrepancies"] for row in rows]))
    command = [sys.executable, __file__, "--alone", "--clips", str(options.clips), "--channels", str(options.channels)]
    large = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    print_table([large])
    write_json(options.json, machine=about, constructed=rows, large=large)


def turned_and_moved(
    seed, *, lacking=((4, 5), (0, 1)), classes=6, channels=30, clips=40, angle=1.5, shift=8.0, apart=4.0
):
    """A target of clusters, and sources that lack classes and are each turned and moved in their own way.

    Args:
        seed: int.
        lacking: tuple with a tuple of int for each source, the classes that it has no clip of.
        classes: int. Their means are the corners of a regular simplex. Defaults to 6.
        channels: int. Defaults to 30.
        clips: int, of a class in a domain. Defaults to 40.
        angle: float, by how many radians a source is turned in the plane that turns most. Defaults to 1.5.
        shift: float, how far it is moved, where the noise of a channel is 1. Defaults to 8.
        apart: float, of the means from their middle. Defaults to 4.

    Returns:
        namespace: `sources`, list of pairs (float array `(clips, channels)`, int array of classes); `target` and its
        `truth`.
    """
    random = np.random.default_rng(seed)
    corners = np.eye(classes) - 1 / classes
    corners *= apart / np.linalg.norm(corners[0])
    means = corners @ scipy.stats.ortho_group.rvs(channels, random_state=random)[:classes]

    def domain(kinds, turn, move):
        labels = np.repeat(kinds, clips)
        points = means[labels] + random.standard_normal((len(labels), channels))
        plane = random.standard_normal((channels, channels))
        plane -= plane.T
        direction = random.standard_normal(channels)
        turned = points @ scipy.linalg.expm(turn * plane / np.linalg.norm(plane, 2))
        return turned + move * direction / np.linalg.norm(direction), labels

    sources = [domain([c for c in range(classes) if c not in without], angle, shift) for without in lacking]
    target, truth = domain(range(classes), 0, 0)
    return SimpleNamespace(sources=sources, target=target, truth=truth)


def baselines(data):
    """Accuracies on the target of what else one would do with the same clips: a dict by name."""

    def accuracy(points, kinds, target=data.target):
        return LogisticRegression(max_iter=1000).fit(points, kinds).score(target, data.truth)

    kinds = np.concatenate([labels for _, labels in data.sources])
    pooled = np.concatenate([points for points, _ in data.sources])
    pca = PCA(0.95, whiten=True).fit(np.concatenate([pooled, data.target]))
    middle = [points - points.mean(axis=0) for points, _ in data.sources]
    return {
        # Chosen on the target: nobody could know which it is.
        "best source": max(accuracy(*source) for source in data.sources),
        "pooled": accuracy(pooled, kinds),
        "PCA, pooled": accuracy(pca.transform(pooled), kinds, pca.transform(data.target)),
        "CORAL, pooled": accuracy(np.concatenate([coral(p, data.target) for p, _ in data.sources]), kinds),
        "centred, pooled": accuracy(np.concatenate(middle), kinds, data.target - data.target.mean(axis=0)),
    }


def coral(source, target):
    """The source with the target's mean and covariance.

    Source: Sun, Feng, Saenko (2016), Return of frustratingly easy domain adaptation, AAAI; centred as well.
    """
    inner, outer = (np.cov(clips.T) + np.eye(clips.shape[1]) for clips in (source, target))
    whiten = np.linalg.inv(np.real(scipy.linalg.sqrtm(inner)))
    return (source - source.mean(axis=0)) @ whiten @ np.real(scipy.linalg.sqrtm(outer)) + target.mean(axis=0)


def measured(seed):
    """One constructed set: everybody's accuracy, and MD and CD before and after."""
    from sertk.learning.multisource import IncompleteMultisourceTransfer

    data = turned_and_moved(seed)
    found = IncompleteMultisourceTransfer().fit(data.sources, data.target)
    accuracies = {**baselines(data), OURS: float(np.mean(found.labels_ == data.truth))}
    return {
        "seed": seed,
        "accuracies": accuracies,
        "discrepancies": {kind: values["mean"] for kind, values in found.discrepancies_.items()},
    }


def summary(accuracies):
    """One row a contestant: mean, least and most over the sets, in per cent."""
    return [
        {
            "labelled by": name,
            "mean": 100 * float(np.mean([one[name] for one in accuracies])),
            "lowest": 100 * min(one[name] for one in accuracies),
            "highest": 100 * max(one[name] for one in accuracies),
        }
        for name in accuracies[0]
    ]


def fallen(discrepancies):
    """One row each for MD and CD."""
    return [
        {"": kind, **{when: float(np.mean([one[kind][when] for one in discrepancies])) for when in ("before", "after")}}
        for kind in ("MD", "CD")
    ]


def alone(clips, channels):
    """Fits two sources of five of eight classes and a target, all of so many clips; gives time, memory and accuracy."""
    from sertk.learning.multisource import IncompleteMultisourceTransfer

    data = large_domains(clips, channels)
    begin, processor, before = time.perf_counter(), time.process_time(), peak_memory()
    found = IncompleteMultisourceTransfer().fit(data.sources, data.target)
    return {
        "clips a domain": len(data.target),
        "channels": channels,
        "rounds": found.n_iter_,
        "seconds": time.perf_counter() - begin,
        "processor time (s)": time.process_time() - processor,
        "memory before (MB)": before,
        "peak memory (MB)": peak_memory(),
        "accuracy (%)": 100 * float(np.mean(found.labels_ == data.truth)),
    }


def large_domains(clips, channels, classes=8):
    """Domains of float32 embeddings that differ by class in the 30 channels that vary most; the sources are moved and
    stretched."""
    random = np.random.default_rng(0)
    means = np.zeros((classes, channels), "float32")
    means[:, :30] = 0.6 * random.standard_normal((classes, min(30, channels)))
    spread = (np.arange(1, channels + 1) ** -0.5).astype("float32") * 3

    def domain(kinds, changed):
        labels = np.resize(kinds, clips)
        points = means[labels] + spread * random.standard_normal((clips, channels), dtype="float32")
        stretch = 1 + changed * random.standard_normal(channels, dtype="float32")
        return stretch * points + 4 * changed * spread * random.standard_normal(channels, dtype="float32"), labels

    sources = [domain(np.arange(5), np.float32(0.2)), domain(np.arange(3, 8), np.float32(0.2))]
    target, truth = domain(np.arange(classes), np.float32(0))
    return SimpleNamespace(sources=sources, target=target, truth=truth)


if __name__ == "__main__":
    sys.exit(main())
