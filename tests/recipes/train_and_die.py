"""Trains in a process of its own, which kills itself with SIGKILL at the moment that it is told; run by test_killed.py.

Arguments: the corpus, the run's folder, the settings as JSON, and a moment: "FILE:N:before" or "FILE:N:after", the N-th
time that a file of this name is put in its place, "step:N", in the N-th training step, or "never".
"""

import json
import os
import signal
import sys
from pathlib import Path

import sertk
from sertk.learning import RunLog

corpus, directory, changes, moment = sys.argv[1:]
seen = 0


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def count():
    global seen
    seen += 1
    return seen


ordinary_replace = os.replace
name, _, rest = moment.partition(":")


def replace(source, target):
    due = Path(target).name == name and f"{count()}" == rest.partition(":")[0]
    if due and rest.endswith("before"):
        os.truncate(source, Path(source).stat().st_size // 2)  # as if it had happened while the file was being written
        die()
    ordinary_replace(source, target)
    if due:
        die()


os.replace = replace
if name == "step":
    RunLog.on_train_batch_end = lambda self, batch, logs=None: die() if f"{count()}" == rest else None

run = sertk.train(
    "004-cnn-mfcc", sertk.corpora.load("synthetic", corpus), directory, changes=json.loads(changes), verbose=0
)
print("finished", [len(fold.log) for fold in run.folds or [run]])
