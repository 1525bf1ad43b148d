"""Where a number was measured: machine, packages, time."""

import datetime
import importlib.metadata
import os
import platform
from pathlib import Path

PACKAGES = (
    "sertk",
    "tensorflow",
    "keras",
    "keras-nlp",
    "numpy",
    "pandas",
    "scikit-learn",
    "librosa",
    "soundfile",
    "soxr",
)


def describe():
    """The machine and the versions that a run stands on.

    Returns:
        dict: `time` (UTC), `python`, `system`, `processor`, `cores`, `gpus`, `packages` (name to version).
    """
    import tensorflow as tf

    return {
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "gpus": [device.name for device in tf.config.list_physical_devices("GPU")],
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
