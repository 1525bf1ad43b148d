"""What a run cost: parameters, size on disk, time."""

import math

import numpy as np

from sertk.plain_csv import read_figures
from sertk.recipes.run import Run


def costs(run):
    """What a finished run cost, in the figures of paper 002's tables 5 and 6.

    Of a cross-validation, parameters and size are those of the first fold's model, and times are those of all folds.
    Members of an ensemble in one run, and second trainings, count like the first.

    Args:
        run: `Run`, or its folder.

    Returns:
        dict: `parameters` and `trainable_parameters`, ints; `megabytes`, float, the size of `model.keras` in 10^6
        bytes; `seconds_per_100_steps`, float, the median over the epochs, or over the rounds of a run that is judged
        every so many steps, with the validation at their end, where a step changes the weights once; `total_seconds`,
        float, of all epochs; `machine`, str, and `environment`, dict, what `environment.json` holds.

    Raises:
        ValueError: if training has not ended.

    Example:
        >>> costs("runs/first")["trainable_parameters"]
        27495

    Source: Gavali and Verma, Ensemble of Large Self-Supervised Transformers for Improving Speech Emotion Recognition
    (paper 002), section 6.2.3.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    runs = run.folds or [run]
    model = runs[0].model()
    seconds, rates = [], []
    for one in runs:
        steps = _steps_an_epoch(one)
        for path in sorted(one.directory.glob("*training*/log.csv")):
            log = read_figures(path, ["seconds"])
            seconds.append(log["seconds"].sum())
            done = log["step"].diff().fillna(log["step"]) if "step" in log else steps
            rates.append(log["seconds"] / done)
    there = run.environment
    return {
        "parameters": int(model.count_params()),
        "trainable_parameters": sum(math.prod(weight.shape) for weight in model.trainable_weights),
        "megabytes": runs[0].path("model.keras").stat().st_size / 1e6,
        "seconds_per_100_steps": float(100 * np.median(np.concatenate(rates))),
        "total_seconds": float(sum(seconds)),
        "machine": (
            f"{there['processor']}, {there['cores']} cores, {len(there['gpus'])} GPUs, "
            f"TensorFlow {there['packages']['tensorflow']}"
        ),
        "environment": there,
    }


def _steps_an_epoch(run):
    recipe = run.recipe
    examples = (run.split["part"] == "train").sum() * (1 + recipe.noise.copies)
    return math.ceil(examples / recipe.training.batch_size) / recipe.training.accumulation
