"""How much goes into each part: shares of the clips, or whole numbers of clips or speakers."""

import math
from dataclasses import dataclass

import numpy as np

from sertk.corpora.splits.parts import PARTS


@dataclass(frozen=True)
class Shares:
    """What each part is to get.

    Args:
        parts: the names of the parts, in order.
        values: a number a part: shares that sum to 1, or counts.
        counts: whether the values are counts.
    """

    parts: tuple
    values: tuple
    counts: bool

    def sizes(self, total, what="clips"):
        """The number of clips (or speakers) of each part.

        Raises:
            ValueError: if the values are counts that do not sum to `total`.
        """
        if not self.counts:
            held_out = [round(total * share) for share in self.values[1:]]
            return (total - sum(held_out), *held_out)
        if sum(self.values) != total:
            raise ValueError(
                f"`fractions`, where they are counts, must sum to the number of {what}, {total}. "
                f"Received: fractions={self.values}, the sum of which is {sum(self.values)}"
            )
        return self.values


def shares_of(fractions):
    """Reads `fractions`: two or three shares that sum to 1, or two or three whole numbers.

    Raises:
        ValueError: if they are anything else.
    """
    try:
        values = [float(share) for share in fractions]
    except (TypeError, ValueError):
        values = []
    if 2 <= len(values) <= 3:
        parts = PARTS if len(values) == 3 else ("train", "test")
        if all(0 < share < 1 for share in values) and math.isclose(sum(values), 1):
            return Shares(parts, tuple(values), counts=False)
        if all(value >= 1 and value.is_integer() for value in values):
            return Shares(parts, tuple(map(int, values)), counts=True)
    raise ValueError(
        "`fractions` must be three numbers above 0 that sum to 1, the shares of train, validation and test; or two, "
        "without validation; or whole numbers, which are counts of clips where kind is 'random' and of speakers where "
        f"it is 'speaker'. Received: fractions={fractions!r}"
    )


def check_validation(validation):
    """Refuses what is neither a share below 1 nor a whole number."""
    number = not isinstance(validation, bool) and isinstance(validation, int | float | np.integer | np.floating)
    if not number or not (0 <= validation < 1 or (validation >= 1 and float(validation).is_integer())):
        raise ValueError(
            "`validation` must be a share of the clips that are not tested on, from 0 (no validation part) to below "
            "1, or a whole number of speakers (of clips where kind is 'k-fold'). "
            f"Received: validation={validation!r}"
        )


def validation_shares(validation, total, what):
    """The `Shares` of train and validation among `total` clips or speakers.

    Raises:
        ValueError: if nothing would be left to train on.
    """
    if total < 2 or validation >= total:
        raise ValueError(
            "`validation` must leave something to train on; ask for less, or for 0, which is none. "
            f"Received: validation={validation!r}, of {total} {what} that are not tested on"
        )
    if validation < 1:
        return Shares(("train", "validation"), (1 - validation, validation), counts=False)
    return Shares(("train", "validation"), (total - int(validation), int(validation)), counts=True)


def check_seed(seed):
    """Refuses what can't seed NumPy's generator."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(f"`seed` must be a whole number from 0 to 2**32 - 1. Received: seed={seed!r}")


def check_k(k):
    """Refuses what is no number of folds."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 2:
        raise ValueError(f"`k` must be a whole number of folds, 2 or more. Received: k={k!r}")
