"""An ensemble beside its members: figures with intervals, differences, and whether it beats the best of them."""

import numpy as np
import pandas as pd

from sertk.evaluation import by_clip
from sertk.evaluation.aligned import align
from sertk.evaluation.measures import metrics
from sertk.evaluation.significance import mcnemar

SIGNIFICANT = 0.05


def compare(ensemble, tables, names, best, *, resamples=1000, seed=0):
    """Sets an ensemble beside its members, and tests it against the best of them.

    Of chunks all figures are those of clips, `sertk.evaluation.by_clip`.

    Args:
        ensemble: DataFrame, what `sertk.evaluation.vote` returned.
        tables: list of predictions tables, the members.
        names: list of str, what the members are called.
        best: int, the place of the best member in the list, as `sertk.evaluation.best_member` finds it, if possible on
            another part.
        resamples: of the bootstrap, as in `sertk.evaluation.metrics`. Defaults to 1000.
        seed: of the bootstrap. Defaults to 0.

    Returns:
        DataFrame with a row for the ensemble and then one a member: `name`, `accuracy`, `accuracy_low`,
        `accuracy_high`, `uar`, `uar_low`, `uar_high` (95 % intervals, NaN where none can be given),
        `accuracy_difference` and `uar_difference` to the best member, and `best`, bool. And a dict, `mcnemar` of the
        ensemble and the best member.

    Raises:
        ValueError: if the tables are not about the same clips, or the ensemble's name is a member's.
    """
    if "ensemble" in names:
        raise ValueError(f'`names` must not hold "ensemble", which the vote is called. Received: names={list(names)}')
    voted, *members = align([ensemble, *tables], ["ensemble", *names])
    rows = []
    for name, table in zip(("ensemble", *names), (voted, *members), strict=True):
        figures = metrics(by_clip(table) if "chunk_start" in table else table, resamples=resamples, seed=seed)
        row = {"name": name}
        for measure in ("accuracy", "uar"):
            low, high = figures["interval"][measure] or (np.nan, np.nan)
            row |= {measure: figures[measure], f"{measure}_low": low, f"{measure}_high": high}
        rows.append(row)
    table = pd.DataFrame(rows)
    for measure in ("accuracy", "uar"):
        table[f"{measure}_difference"] = table[measure] - table[measure][1 + best]
    table["best"] = np.arange(len(table)) == 1 + best
    return table, mcnemar(voted, members[best], names=["ensemble", names[best]])


def verdict(test, best):
    """McNemar's test of an ensemble and its best member, in a sentence or two.

    Args:
        test: dict, what `sertk.evaluation.mcnemar` said of the ensemble and the best member, in this order.
        best: str, the best member's name.

    Returns:
        str.
    """
    first, second, p = test["only_first"], test["only_second"], test["p"]
    how = "exact" if test["exact"] else "chi-square with continuity correction"
    counts = (
        f"Of {test['clips']:,} clips the ensemble alone is right on {first:,}, the best member, {best}, alone on "
        f"{second:,}. McNemar's test, {how}: p = {_p(p)}"
    )
    if p >= SIGNIFICANT:
        return f"{counts}, not below {SIGNIFICANT}: the ensemble is not shown to differ from its best member."
    so = "beats" if first > second else "is worse than"
    return (
        f"{counts}, below {SIGNIFICANT}: the ensemble {so} its best member. "
        "The test takes clips to be independent; those of one speaker are alike, so p is likely too small."
    )


def _p(p):
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1e}"
