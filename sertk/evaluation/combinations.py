"""Which members make the best ensemble: all combinations, chosen on one part and measured on another."""

import itertools
import math

import numpy as np
import pandas as pd

from sertk.evaluation import by_clip
from sertk.evaluation.aligned import align, member_names, shared_classes
from sertk.evaluation.bootstrap import confusions
from sertk.evaluation.voting import ballots, check_vote, count

LIMIT = 10_000
MEASURES = ("accuracy", "uar")


def all_combinations(validation, test, k, *, how="hard", ties="probability", by="accuracy", names=None):
    """Tries all ensembles of k members, to choose one on the validation part and know it on the test part.

    To choose on the test part, as paper 002 does ("We tested all possible five model voting ensembles and report ...
    the most promising"), flatters: the best of many is partly the luckiest. Both parts' figures are given, so that it
    shows by how much.

    Args:
        validation: list of predictions tables, one a member, about the validation part.
        test: list of predictions tables of the same members in the same order, about the test part.
        k: int, members of an ensemble, from 2 to all.
        how: "hard" or "soft", as in `sertk.evaluation.vote`. Defaults to "hard".
        ties: as in `sertk.evaluation.vote`. Defaults to "probability".
        by: "accuracy" or "uar", the figure to choose by; of equals the other one decides, then the order of the
            members. Defaults to "accuracy".
        names: list of str, what the members are called. Defaults to "member 1", "member 2", ...

    Returns:
        DataFrame with a row a combination, the best on the validation part first: `members`, a tuple of names,
        `validation_accuracy`, `validation_uar`, `test_accuracy` and `test_uar`; of chunks the figures are those of
        clips.

    Raises:
        ValueError: if `k` is out of range, there are more than 10,000 combinations, the tables of a part are not about
            the same clips, the parts have other classes, or an option is another word.

    Example:
        >>> all_combinations(validation, test, 3, names=["a", "b", "c", "d"]).iloc[0]["members"]
        ('a', 'c', 'd')
    """
    check_vote(how, ties)
    check_measure(by)
    names = member_names(test, names)
    if len(validation) != len(test):
        raise ValueError(
            f"`validation` must hold a table for each of the {len(test)} members. Received: {len(validation)} tables"
        )
    check_combinations(len(test), k)
    parts = {"validation": align(validation, names), "test": align(test, names)}
    classes = {part: shared_classes(tables, names) for part, tables in parts.items()}
    if set(classes["validation"]) != set(classes["test"]):
        raise ValueError(
            "`validation` and `test` must have the same classes; they are to be of the same models. "
            f"Received: {', '.join(classes['validation'])}; and {', '.join(classes['test'])}"
        )
    chosen = list(itertools.combinations(range(len(test)), k))
    columns = {"members": [tuple(names[member] for member in members) for members in chosen]}
    for part, tables in parts.items():
        figures = _scores(tables, classes[part], chosen, how, ties)
        columns |= {f"{part}_{measure}": figures[:, i] for i, measure in enumerate(MEASURES)}
    first, second = (by, *(measure for measure in MEASURES if measure != by))
    order = [f"validation_{first}", f"validation_{second}"]
    return pd.DataFrame(columns).sort_values(order, ascending=False, kind="stable", ignore_index=True)


def check_combinations(members, k):
    """Refuses a number of members that can't be chosen, or that can be in too many ways.

    Args:
        members: int, how many there are.
        k: int, how many are to vote.
    """
    if not isinstance(k, int) or isinstance(k, bool) or not 2 <= k <= members:
        raise ValueError(f"`k` must be a whole number from 2 to the {members} members. Received: k={k!r}")
    number = math.comb(members, k)
    if number > LIMIT:
        raise ValueError(
            f"`k` of {members} members must make at most {LIMIT:,} combinations; leave out members that are weak on "
            f"the validation part. Received: k={k}, {number:,} combinations"
        )


def check_measure(by):
    """Refuses figures to choose by that there are not."""
    if by not in MEASURES:
        raise ValueError(f"`by` must be one of {', '.join(MEASURES)}. Received: by={by!r}")


def best_member(tables, by="accuracy"):
    """Which of several predictions tables is the best one.

    Args:
        tables: list of predictions tables in one order, as `align` gives them.
        by: "accuracy" or "uar"; of equals the other one decides, then the order. Defaults to "accuracy".

    Returns:
        int, its place in the list.
    """
    check_measure(by)
    tables = [by_clip(table) if "chunk_start" in table else table for table in tables]
    classes = shared_classes(tables)
    truth = pd.Index(classes).get_indexer(tables[0]["emotion"])
    figures = [_figures(truth, pd.Index(classes).get_indexer(table["predicted"]), len(classes)) for table in tables]
    first = MEASURES.index(by)
    return max(range(len(tables)), key=lambda member: (figures[member][first], figures[member][1 - first], -member))


def _scores(tables, classes, chosen, how, ties):
    """Accuracy and UAR of each combination, float array `(combinations, 2)`."""
    said, probabilities = ballots(tables, classes, how, ties)
    clips = _clips_of_chunks(tables[0])
    truth = pd.Index(classes).get_indexer(tables[0]["emotion"])
    if clips is not None:
        truth = truth[np.unique(clips, return_index=True)[1]]
    figures = []
    for members in map(list, chosen):
        given = None if probabilities is None else probabilities[members]
        shares, winners = count(said[members], given, classes, how, ties)
        if clips is not None:  # a clip is what its chunks are on average, as in `by_clip`
            sums = np.zeros((len(truth), len(classes)))
            np.add.at(sums, clips, shares)
            winners = sums.argmax(axis=1)
        figures.append(_figures(truth, winners, len(classes)))
    return np.array(figures)


def _clips_of_chunks(table):
    """Of chunks the number of the clip that each is of, int array `(chunks,)`; else None."""
    if "chunk_start" not in table:
        return None
    return table.groupby([*{"fold"} & set(table), "path"], sort=False).ngroup().to_numpy()


def _figures(truth, predicted, class_count):
    matrix = confusions(truth, predicted, np.zeros_like(truth), class_count)[0]
    support = matrix.sum(axis=1)
    recalls = matrix.diagonal()[support > 0] / support[support > 0]
    return matrix.diagonal().sum() / len(truth), recalls.mean()
