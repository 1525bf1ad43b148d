"""Ensembles of predictions: several models vote on each clip."""

import numpy as np
import pandas as pd

from sertk.evaluation.aligned import align, shared_classes
from sertk.evaluation.predictions import PREFIX, class_names, predictions_table

VOTES = ("hard", "soft")
TIES = ("probability", "first")


def vote(tables, how="hard", ties="probability", names=None):
    """Lets several models vote on each clip, by their labels or by their probabilities.

    A hard vote goes to the class that most members predicted (`predicted`), a soft one to the class with the highest
    mean probability. Each member counts the same. The order of the members and of their rows does not matter; clips
    are joined as `sertk.evaluation.align` says.

    Args:
        tables: list of at least two predictions tables, as `sertk.evaluation.load_predictions` reads them.
        how: "hard" or "soft". Defaults to "hard", as paper 002 votes.
        ties: who wins a hard vote that several classes lead. "probability": of these the class with the highest mean
            probability among all members. "first": the first one in alphabetical order, which is what the mode of the
            labels is in pandas and SciPy, and so paper 002's rule. Equal probabilities go by the alphabet too.
            Defaults to "probability".
        names: list of str, what the members are called in errors. Defaults to "member 1", "member 2", ...

    Returns:
        DataFrame as `sertk.evaluation.predictions_table` makes it, with the rows and the further columns of the first
        table. `p_<class>` is the share of the votes, or the mean probability. Where a hard vote is tied, `predicted`
        is by the rule above.

    Raises:
        ValueError: if there are fewer than two tables, they are not about the same clips with the same truths and
            classes, probabilities are needed that a table does not have, or `how` or `ties` is another word.

    Example:
        >>> table = vote([load_predictions(path) for path in ("a.csv", "b.csv", "c.csv")], how="soft")
        >>> metrics(table)["uar"]

    Source: Gavali and Verma, Ensemble of Large Self-Supervised Transformers for Improving Speech Emotion Recognition
    (paper 002), sections 3.5 and 5.2; Kuncheva (2014), Combining Pattern Classifiers, chapters 4 and 5.
    """
    check_vote(how, ties)
    if not isinstance(tables, list | tuple) or len(tables) < 2:
        received = f"{len(tables)} table(s)" if isinstance(tables, list | tuple) else type(tables).__name__
        raise ValueError(f"`tables` must be a list of at least two predictions tables. Received: {received}")
    aligned = align(tables, names)
    classes = shared_classes(aligned, names)
    said, probabilities = ballots(aligned, classes, how, ties)
    shares, winners = count(said, probabilities, classes, how, ties)
    own = [name for name in aligned[0] if name == "predicted" or str(name).startswith(PREFIX)]
    table = predictions_table(aligned[0].drop(columns=own), shares, classes)
    table["predicted"] = pd.array([classes[winner] for winner in winners], dtype="string")
    return table


def check_vote(how, ties):
    """Refuses ways to vote and rules for ties that there are not."""
    if how not in VOTES:
        raise ValueError(f"`how` must be one of {', '.join(VOTES)}. Received: how={how!r}")
    if ties not in TIES:
        raise ValueError(f"`ties` must be one of {', '.join(TIES)}. Received: ties={ties!r}")


def ballots(tables, classes, how="hard", ties="probability"):
    """What the members say, as arrays.

    Args:
        tables: list of predictions tables in one order, as `align` gives them.
        classes: list of str, their classes.
        how: as in `vote`.
        ties: as in `vote`.

    Returns:
        int array `(members, clips)`, the index of each predicted class; float array `(members, clips, classes)`, the
        probabilities, or None where the tables have none.

    Raises:
        ValueError: if the vote needs probabilities and the tables have none.
    """
    said = np.stack([pd.Index(classes).get_indexer(table["predicted"]) for table in tables])
    if class_names(tables[0]):
        columns = [PREFIX + name for name in classes]
        return said, np.stack([table[columns].to_numpy("float64") for table in tables])
    if how == "soft" or ties == "probability":
        raise ValueError(
            "`tables` must have p_<class> columns for a soft vote, and for ties by probability; without them choose "
            f'how="hard" and ties="first". Received: how={how!r}, ties={ties!r}'
        )
    return said, None


def count(said, probabilities, classes, how="hard", ties="probability"):
    """Counts the ballots of `ballots`.

    Returns:
        float array `(clips, classes)`, shares of the votes or mean probabilities; int array `(clips,)`, the index of
        the class that won.
    """
    # Sorted, so that rounding does not depend on the order of the members.
    mean = None if probabilities is None else np.sort(probabilities, axis=0).mean(axis=0)
    if how == "soft":
        return mean, _highest(mean, classes)
    votes = (said[:, :, None] == np.arange(len(classes))).sum(axis=0)
    if ties == "first":
        winners = _highest(votes, classes)
    else:
        leading = votes == votes.max(axis=1, keepdims=True)
        winners = _highest(np.where(leading, mean, -1), classes)
    return votes / len(said), winners


def _highest(scores, classes):
    """The class with the highest score in each row; of equals the first one in alphabetical order."""
    order = np.argsort(classes)
    return order[scores[:, order].argmax(axis=1)]
