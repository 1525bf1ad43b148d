"""How far accuracy and UAR could have come out otherwise: a percentile bootstrap over speakers or clips."""

import numpy as np

LEVEL = 0.95


def bootstrap_interval(truth, predicted, class_count, groups=None, resamples=1000, seed=0, level=LEVEL):
    """The percentile interval of accuracy and UAR when whole groups (speakers) are drawn anew.

    Clips of one speaker are alike, so the test set holds fewer independent facts than it holds clips. Each resample
    draws as many speakers as there are, with replacement, takes all their clips, and scores the pool. The UAR of a
    resample is over the classes that occur in it.

    Args:
        truth: int array `(clips,)`, the index of each clip's class.
        predicted: int array `(clips,)`, the index of the class that the model said.
        class_count: how many classes there are.
        groups: int array `(clips,)`, 0 to the number of speakers - 1: whose clip it is. None: every clip stands for
            itself.
        resamples: how many times to draw.
        seed: of the draws; the same seed gives the same interval.
        level: how much of the resamples the interval holds. Defaults to 0.95.

    Returns:
        Two pairs of floats: `[low, high]` of the accuracy and of the UAR.

    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.
    """
    generator = np.random.default_rng(seed)
    # All that a resample needs is its confusion matrix, and that is a weighted sum of the speakers' matrices.
    if groups is None:
        cells = confusions(truth, predicted, np.zeros_like(truth), class_count)[0]
        # Drawing clips with replacement is drawing cells of the matrix: the same law, without a row a clip.
        drawn = generator.multinomial(len(truth), cells.ravel() / len(truth), size=resamples)
        drawn = drawn.reshape(resamples, class_count, class_count)
        hits, support = drawn.diagonal(axis1=1, axis2=2), drawn.sum(axis=2)
    else:
        matrices = confusions(truth, predicted, groups, class_count)
        times = generator.multinomial(len(matrices), np.full(len(matrices), 1 / len(matrices)), size=resamples)
        hits, support = times @ matrices.diagonal(axis1=1, axis2=2), times @ matrices.sum(axis=2)

    accuracy = hits.sum(axis=1) / support.sum(axis=1)
    present = support > 0
    recalls = np.divide(hits, support, out=np.zeros(hits.shape), where=present)
    uar = recalls.sum(axis=1) / present.sum(axis=1)
    tails = [(1 - level) / 2, (1 + level) / 2]
    return np.quantile(accuracy, tails).tolist(), np.quantile(uar, tails).tolist()


def confusions(truth, predicted, groups, class_count):
    """Confusion matrices, int array `(groups, truth, predicted)`, from the indices that `bootstrap_interval` takes."""
    shape = (groups.max() + 1, class_count, class_count)
    flat = np.ravel_multi_index((groups, truth, predicted), shape)
    return np.bincount(flat, minlength=np.prod(shape)).reshape(shape)
