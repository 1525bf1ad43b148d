"""Whether one model is better than another, or was lucky: McNemar's test."""

import scipy.stats

from sertk.evaluation import by_clip
from sertk.evaluation.aligned import align

# With fewer clips on which just one of the two is right, chi-square is a poor approximation of the binomial law.
FEW = 25


def mcnemar(first, second, exact=None, names=None):
    """Tests whether two models are right equally often on the same clips.

    Clips on which both are right, or both wrong, say nothing about which is the better one. If neither is, each of the
    others is as likely to be one's as the other's. Where a clip was cut into chunks, its mean probability counts.

    The test takes clips to be independent. Those of one speaker are alike, so p is smaller than it should be: one that
    is not below 0.05 settles the matter, one just below does not.

    Args:
        first: DataFrame, a predictions table.
        second: DataFrame, a predictions table about the same clips, in any order.
        exact: bool, whether p is that of the binomial law; else that of chi-square with continuity correction.
            Defaults to None: exact if fewer than 25 clips are one's alone.
        names: list of str, what the two are called in errors. Defaults to "member 1" and "member 2".

    Returns:
        dict: `clips`; `only_first` and `only_second`, on how many clips just that one is right; `exact`; `statistic`,
        chi-square with one degree of freedom, None where exact; `p`, two-sided.

    Raises:
        ValueError: if the tables are not about the same clips, with the same truths and classes.

    Example:
        >>> mcnemar(load_predictions("ensemble.csv"), load_predictions("best.csv"))
        {'clips': 288, 'only_first': 15, 'only_second': 4, 'exact': True, 'statistic': None, 'p': 0.0192...}

    Source: McNemar (1947), Psychometrika 12(2); Dietterich (1998), Neural Computation 10(7).
    """
    tables = [by_clip(table) if "chunk_start" in table else table for table in align([first, second], names)]
    right = [(table["emotion"] == table["predicted"]).to_numpy(bool) for table in tables]
    only_first, only_second = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    return {"clips": len(right[0]), **mcnemar_of_counts(only_first, only_second, exact)}


def mcnemar_of_counts(only_first, only_second, exact=None):
    """McNemar's test of two counts: the clips on which just the first, and just the second, is right.

    Args:
        only_first: int.
        only_second: int.
        exact: as in `mcnemar`.

    Returns:
        dict as `mcnemar`'s, without `clips`.

    Raises:
        ValueError: if a count is below 0.
    """
    if min(only_first, only_second) < 0:
        raise ValueError(f"`only_first` and `only_second` must be counts. Received: {only_first} and {only_second}")
    either = only_first + only_second
    exact = either < FEW if exact is None else exact
    if either == 0:
        statistic, p = None if exact else 0.0, 1.0
    elif exact:
        statistic, p = None, scipy.stats.binomtest(only_first, either).pvalue
    else:
        statistic = max(abs(only_first - only_second) - 1, 0) ** 2 / either
        p = scipy.stats.chi2.sf(statistic, 1)
    return {
        "only_first": only_first,
        "only_second": only_second,
        "exact": exact,
        "statistic": statistic,
        "p": float(p),
    }
