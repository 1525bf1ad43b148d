"""Whether one way to train is better than another over seeds and folds: paired t-tests and sign flips."""

import math

import numpy as np
import scipy.stats

LEVEL = 0.95
# Up to so many pairs all flips are tried: 2^20 are a million.
MOST_EXACT = 20
FLIPS = 100_000
BATCH = 10_000
SHOWN = 3


def paired_test(scores, baseline, *, test_to_train=None, seed=0):
    """Tests whether scores differ from those of a baseline that was trained with the same seeds on the same folds.

    The scores of a pair share what makes them vary, so only their difference counts. Two tests look at the differences:

    - the paired t-test, which takes them to be independent and normally distributed;
    - sign flips: were neither better, each difference could as well have had the other sign. All 2^k combinations of
      signs of k pairs are tried, for more than 20 pairs 100,000 random ones. The p of k pairs can't come below 2 / 2^k:
      with three it is never under 0.25, with six never under 0.031.

    Neither knows more than the pairs: over seeds on one split they say how much is luck of the weights, nothing about
    other clips or speakers. Folds share most of their training clips, so their scores are not independent and both
    tests are optimistic (Nadeau and Bengio, 2003). With `test_to_train` the corrected resampled t-test is given too,
    whose variance grows by that ratio: for folds that is the one to trust.

    Args:
        scores: dict from a pair's key, such as (seed, fold), to the score.
        baseline: dict with the same keys, the scores to beat.
        test_to_train: float above 0, clips of a fold's test part by those of its training part: 1 / (k - 1) for k
            folds. Defaults to None: no correction, as for seeds on one split.
        seed: int, of the random flips. Defaults to 0.

    Returns:
        dict:

        - `pairs`, int; `mean` and `baseline_mean`; `difference`, the mean one; `sd`, the differences' standard
          deviation (n - 1 in the denominator)
        - `t`, `p` (two-sided), `p_greater` (one-sided: the scores are above the baseline's) and `interval`, 95 % of the
          mean difference, by the paired t-test
        - `corrected`: a dict of `t`, `p`, `p_greater` and `interval` by the corrected resampled t-test, or None
        - `flips`: dict of `exact`, whether all were tried; `count`; `p`; `p_greater`; `smallest_p`, which two-sided p
          can't come below
        - `why`: None, or why there is no t-test (all of its entries are then None): a single pair has no spread, nor
          have equal differences. Of a single pair `sd` and `flips` are None too.

    Raises:
        ValueError: if there is no pair, a score is missing or extra on either side, or not finite.

    Example:
        >>> nsl, base = {0: 0.55, 1: 0.61, 2: 0.58}, {0: 0.52, 1: 0.55, 2: 0.57}
        >>> said = paired_test(nsl, base)
        >>> round(said["difference"], 4), round(said["p"], 3), said["flips"]["p"]
        (0.0333, 0.149, 0.25)

    Source: Nadeau and Bengio (2003), Inference for the Generalization Error, Machine Learning 52; Bouckaert and Frank
    (2004), PAKDD, for repeated cross-validation; Fisher (1935), The Design of Experiments, chapter 3, for sign flips.
    """
    keys = match_pairs(scores, baseline)
    if test_to_train is not None and not 0 < test_to_train < math.inf:
        raise ValueError(
            "`test_to_train` must be above 0, the clips of a test part by those of a training part. "
            f"Received: test_to_train={test_to_train!r}"
        )
    values, others = (_checked(name, side, keys) for name, side in (("scores", scores), ("baseline", baseline)))
    differences = values - others
    said = {
        "pairs": len(keys),
        "mean": float(values.mean()),
        "baseline_mean": float(others.mean()),
        "difference": float(differences.mean()),
        "sd": None,
        "t": None,
        "p": None,
        "p_greater": None,
        "interval": None,
        "corrected": None,
        "flips": None,
        "why": "there is a single pair, from which nothing can be said: train with more seeds or folds",
    }
    if len(keys) == 1:
        return said
    spread = float(differences.std(ddof=1))
    said |= {"sd": spread, "flips": _flips(differences, seed), "why": None}
    # Differences that are equal but for rounding have no spread either.
    if spread <= 1e-12 * np.abs(differences).max():
        return said | {"sd": 0.0, "why": "all differences are the same, so they have no spread to go by"}
    said |= _t_test(differences.mean(), spread / math.sqrt(len(keys)), len(keys))
    if test_to_train is not None:
        error = spread * math.sqrt(1 / len(keys) + test_to_train)
        said["corrected"] = _t_test(differences.mean(), error, len(keys))
    return said


def match_pairs(scores, baseline, names=("scores", "baseline")):
    """The keys that two dicts share, in the order of the second.

    Args:
        scores: dict, or any collection of keys.
        baseline: another one.
        names: what the two are called in errors.

    Returns:
        list of keys.

    Raises:
        ValueError: if there is none, or a key is in only one of the two.
    """
    missing, extra = (
        [key for key in one if key not in other] for one, other in ((baseline, scores), (scores, baseline))
    )
    if missing or extra:
        found = [f"{names[0]} lacks {_shown(missing)} of {names[1]}"] if missing else []
        found += [f"{names[0]} has {_shown(extra)}, which {names[1]} lacks"] if extra else []
        raise ValueError(
            f"`{names[0]}` and `{names[1]}` must have the same pairs, each with the same seed and fold on both sides; "
            f"add the missing ones, or leave out the extra ones. Received: {'; '.join(found)}"
        )
    if not baseline:
        raise ValueError(f"`{names[0]}` and `{names[1]}` must hold at least one pair. Received: none")
    return list(baseline)


def _checked(name, scores, keys):
    values = np.array([scores[key] for key in keys], dtype="float64")
    bad = ~np.isfinite(values)
    if bad.any():
        raise ValueError(f"`{name}` must be finite. Received: {scores[keys[bad.argmax()]]} for {keys[bad.argmax()]}")
    return values


def _t_test(mean, error, pairs):
    law = scipy.stats.t(pairs - 1)
    t = mean / error
    reach = law.ppf((1 + LEVEL) / 2) * error
    return {
        "t": float(t),
        "p": float(2 * law.sf(abs(t))),
        "p_greater": float(law.sf(t)),
        "interval": [float(mean - reach), float(mean + reach)],
    }


def _flips(differences, seed):
    """p by sign flips. SciPy's `permutation_test` gives the same; of twenty pairs it takes a minute, this 20 ms."""
    exact = len(differences) <= MOST_EXACT
    if exact:
        sums = np.zeros(1)
        for difference in differences:
            sums = np.concatenate([sums + difference, sums - difference])
    else:
        generator = np.random.default_rng(seed)
        sums = np.concatenate(
            [generator.choice([-1.0, 1.0], (BATCH, len(differences))) @ differences for _ in range(0, FLIPS, BATCH)]
        )
    # Sums that are equal but for rounding are equal.
    found = differences.sum() - 1e-12 * np.abs(differences).sum()
    greater = int((sums >= found).sum())
    either = int((np.abs(sums) >= abs(differences.sum()) - 1e-12 * np.abs(differences).sum()).sum())
    # The flip that was found is one of all; among random ones it is counted for itself, so that p is never 0.
    ours = 0 if exact else 1
    count = len(sums) + ours
    return {
        "exact": exact,
        "count": len(sums),
        "p": (either + ours) / count,
        "p_greater": (greater + ours) / count,
        "smallest_p": 2 / count if exact else 1 / count,
    }


def _shown(keys):
    return ", ".join(map(str, keys[:SHOWN])) + ", ..." * (len(keys) > SHOWN)
