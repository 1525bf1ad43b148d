"""The parts of a split by name, in whatever words people write them."""

import pandas as pd

PARTS = ("train", "validation", "test")
SPELLINGS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "development": "validation",
    "test": "test",
    "testing": "test",
}
# The test part of corpora that call the other one dev; what validates where there is a test part beside it.
EITHER = ("eval", "evaluation")


def canonical_parts(words, name="part"):
    """The words train, validation and test for what people call them: dev, val, valid, eval; in any letter case.

    Args:
        words: Series of strings, one a clip.
        name: what the column is called in errors.

    Returns:
        Series of strings with the index of `words`.

    Raises:
        ValueError: if a word is missing or is none of a part.
    """
    words = words.astype("string").str.strip().str.lower()
    known = dict(SPELLINGS) | dict.fromkeys(EITHER, "validation" if (words.map(SPELLINGS) == "test").any() else "test")
    parts = words.map(known).astype("string")
    if parts.isna().any():
        others = sorted(words[parts.isna()].fillna("(none)").unique())
        raise ValueError(
            f"`{name}` must hold only the words {', '.join(PARTS)} (dev, val, valid and eval are understood too). "
            f"Received: {', '.join(others[:5])}"
        )
    return parts


def parts_present(parts):
    """Those of train, validation and test that have a clip, in this order.

    Args:
        parts: Series of strings, one a clip.

    Returns:
        list of str.
    """
    there = set(pd.Series(parts).dropna())
    return [part for part in PARTS if part in there]
