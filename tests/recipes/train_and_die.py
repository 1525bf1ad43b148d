"""Trains again and again, each time in a process that kills itself with SIGKILL at its moment; run by test_killed.py.

Arguments: the corpus, the run's folder, the settings as JSON, and the moments: "FILE:N:before" or "FILE:N:after", the
N-th time that a file of this name is put in its place, "step:N", in the N-th training step, or "never".

Prints a line of JSON for each: how the process ended, and how many epochs the logs of the two folds then had.
"""

import json
import os
import signal
import sys
from pathlib import Path

import pandas as pd
import tensorflow as tf

from sertk.corpora import load
from sertk.learning import RunLog
from sertk.recipes import train

ordinary_replace = os.replace


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def arrange(moment):
    """Has this process die at the moment."""
    seen = 0

    def count():
        nonlocal seen
        seen += 1
        return seen

    name, _, rest = moment.partition(":")

    def replace(source, target):
        due = Path(target).name == name and f"{count()}" == rest.partition(":")[0]
        if due and rest.endswith("before"):
            os.truncate(source, Path(source).stat().st_size // 2)  # as if it had happened while the file was written
            die()
        ordinary_replace(source, target)
        if due:
            die()

    os.replace = replace
    if name == "step":
        RunLog.on_train_batch_end = lambda self, batch, logs=None: die() if f"{count()}" == rest else None


def epochs(directory):
    logs = [Path(directory, name, "training", "log.csv") for name in ("fold-1", "fold-2")]
    return [len(pd.read_csv(path)) if path.exists() else 0 for path in logs]


def main(corpus, directory, changes, *moments):
    for moment in moments:
        # A child has loaded all that its parent has, which takes most of the time. No TensorFlow ran in the parent, so
        # that there is no thread that the child would miss.
        child = os.fork()
        if not child:
            tf.config.run_functions_eagerly(True)  # as test_killed.py does
            arrange(moment)
            train("004-cnn-mfcc", load("synthetic", corpus), directory, changes=json.loads(changes), verbose=0)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps([moment, status, epochs(directory)]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
