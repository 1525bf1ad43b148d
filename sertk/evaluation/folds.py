"""Figures over the folds of a cross-validation."""

import statistics

FIGURES = ("uar", "accuracy", "macro_f1", "weighted_f1")


def over_folds(metrics, names=None):
    """Mean and standard deviation of the folds' figures.

    Each fold counts the same, whatever its size. The standard deviation is that of a sample (n - 1 in the
    denominator): how far apart the folds lie, which is not the uncertainty of their mean.

    Args:
        metrics: list of dicts, one a fold, as `sertk.evaluation.metrics` makes them; at least two.
        names: list of str, what the folds are called. Defaults to "fold-1", "fold-2", ...

    Returns:
        dict: `names`, and for each of `uar`, `accuracy`, `macro_f1` and `weighted_f1` a dict of `mean`, `sd` and
        `values`, in the order of the folds.

    Raises:
        ValueError: if there are fewer than two folds, or not as many names.

    Example:
        >>> over_folds([metrics(first), metrics(second)])["uar"]
        {'mean': 0.55, 'sd': 0.0707..., 'values': [0.6, 0.5]}
    """
    names = [f"fold-{number}" for number in range(1, len(metrics) + 1)] if names is None else list(names)
    if len(metrics) < 2 or len(names) != len(metrics):
        raise ValueError(
            "`metrics` must be those of at least two folds, with as many `names`. "
            f"Received: {len(metrics)} folds and {len(names)} names"
        )
    figures = {"names": names}
    for figure in FIGURES:
        values = [fold[figure] for fold in metrics]
        figures[figure] = {"mean": statistics.fmean(values), "sd": statistics.stdev(values), "values": values}
    return figures
