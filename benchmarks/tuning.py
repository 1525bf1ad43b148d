"""Memory over the trials of a search: what the process holds after each of them.

    python benchmarks/tuning.py --trials 30

The trials are short: the one CNN of paper 004, one epoch of an invented corpus, in graphs as on any other day. What
stays of a trial would add up all the same.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

CHANGES = {
    "split.kind": "speaker",
    "split.fractions": [0.5, 0.25, 0.25],
    "audio.seconds": 1.0,
    "features.n_mels": 32,
    "features.n_mfcc": 32,
}


def resident():
    """The memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(trials, folder):
    """Searches, and gives the memory after each trial in MB."""
    from sertk.corpora import load, write_synthetic
    from sertk.tuning import tune, tuner

    corpus = load("synthetic", write_synthetic(Path(folder, "corpus"), speakers=6, clips=2, seconds=(0.8, 1.2)))
    train_trial, rows = tuner.train_trial, []

    def measured(*arguments):
        figures = train_trial(*arguments)
        rows.append(resident())
        print(f"trial {len(rows):3d}: {rows[-1]:7.1f} MB", flush=True)
        return figures

    tuner.train_trial = measured
    options = {"recipe": "004-cnn-mfcc", "method": "random", "trials": trials, "max_epochs": 1, "verbose": 0}
    tune("parallel-cnn", corpus, Path(folder, "search"), changes=CHANGES, cache=Path(folder, "cache"), **options)
    return rows


def main(arguments=None):
    """Measures, prints a line a trial, and how much came after the first five."""
    parser = argparse.ArgumentParser(description="Memory over the trials of a search.")
    parser.add_argument("--trials", type=int, default=30, help="how many (default 30)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(chosen.trials, folder)
    warm = min(5, len(rows)) - 1
    print(f"from trial {warm + 1} to {len(rows)}: {rows[-1] - rows[warm]:+.1f} MB")
    if chosen.json:
        chosen.json.write_text(json.dumps(rows) + "\n")


if __name__ == "__main__":
    main()
