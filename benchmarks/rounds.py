"""What the benchmarks share: contestants timed by turns, tables, and the machine that they ran on."""

import argparse
import importlib.metadata
import json
import os
import random
import time
from pathlib import Path

import numpy as np


def warm(contestant):
    """How long a function takes, in seconds, when its data is in the processor's caches: it runs twice."""
    contestant()
    begin = time.perf_counter()
    contestant()
    return time.perf_counter() - begin


def peak_memory():
    """The most memory that this process has held, in MB; None where the system does not tell.

    Not `getrusage`, which counts the memory of the process that started this one.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((round(int(line.split()[1]) / 1024) for line in lines if line.startswith("VmHWM:")), None)


def take_turns(contestants, rounds, measure=warm, seed=0):
    """Times contestants by turns, so that whatever else the machine does falls on all of them alike.

    The order is drawn anew each round.

    Args:
        contestants: dict from a name to a function without arguments.
        rounds: int.
        measure: function from a contestant to seconds. Defaults to `warm`.
        seed: int, of the order. Defaults to 0.

    Returns:
        dict from a name to float array `(rounds,)`, seconds.
    """
    order, seconds = list(contestants), {name: [] for name in contestants}
    shuffle = random.Random(seed).shuffle
    for _ in range(rounds):
        shuffle(order)
        for name in order:
            seconds[name].append(measure(contestants[name]))
    return {name: np.array(times) for name, times in seconds.items()}


def times_as_fast(seconds, name, peer):
    """How many times the peer's rate a contestant reached: the median over the rounds of the ratio in each."""
    return float(np.median(seconds[peer] / seconds[name]))


def print_table(rows):
    """Prints rows, dicts with the same keys, as a Markdown table: texts to the left, numbers to the right."""
    names = list(rows[0])
    cells = [[_shown(row[name]) for name in names] for row in rows]
    widths = [max(3, *(len(line[i]) for line in [names, *cells])) for i in range(len(names))]
    numeric = [all(isinstance(row[name], int | float | None) for row in rows) for name in names]

    def line(values):
        placed = [v.rjust(w) if n else v.ljust(w) for v, w, n in zip(values, widths, numeric, strict=True)]
        print(f"| {' | '.join(placed)} |")

    line(names)
    line(["-" * (width - 1) + ":" if number else "-" * width for width, number in zip(widths, numeric, strict=True)])
    for values in cells:
        line(values)
    print(flush=True)


def machine(*packages):
    """Where and with what it was measured.

    Args:
        *packages: names of further packages whose versions belong to the result.

    Returns:
        dict: what `sertk.recipes.environment.describe` gives, and `load`, how many processes wanted to run on average
        in the last minute: above the benchmark's own share, the machine had other work to do.
    """
    from sertk.recipes.environment import describe

    about = describe()
    about["load"] = round(os.getloadavg()[0], 2)
    for package in packages:
        try:
            about["packages"][package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            about["packages"][package] = None
    return about


def print_machine(about):
    """Prints what `machine` gave, in three lines."""
    print(f"{about['time']}, load {about['load']}")
    print(f"{about['processor']}, {about['cores']} cores, {about['system']}, Python {about['python']}")
    print(", ".join(f"{name} {version or 'absent'}" for name, version in about["packages"].items()), end="\n\n")


def parser(description, **defaults):
    """An argument parser with the options that all benchmarks have: `--rounds` and `--json`."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--rounds", type=whole, default=defaults.get("rounds", 7), help="turns of each contestant")
    options.add_argument("--json", type=Path, metavar="FILE", help="write every figure to this file too")
    return options


def whole(text):
    """A positive whole number from the command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more. Received: {number}")
    return number


def write_json(path, **results):
    """Writes results to a file, if there is to be one."""
    if path is not None:
        path.write_text(json.dumps(results, indent=1, default=_jsonable) + "\n")


def _jsonable(value):
    return value.tolist()


def _shown(value):
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.1e}" if 0 < abs(value) < 0.01 else f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
