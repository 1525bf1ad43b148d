"""The book of recipes: every experiment that sertk knows by name."""

import difflib

from sertk.recipes.papers.own import OWN
from sertk.recipes.papers.paper_000 import PAPER_000
from sertk.recipes.papers.paper_001 import PAPER_001
from sertk.recipes.papers.paper_002 import PAPER_002
from sertk.recipes.papers.paper_003 import PAPER_003
from sertk.recipes.papers.paper_004 import PAPER_004
from sertk.recipes.papers.paper_004_images import PAPER_004_IMAGES
from sertk.recipes.papers.wav2vec2 import WAV2VEC2

RECIPES = {
    recipe.name: recipe
    for recipe in (*PAPER_000, *PAPER_001, *PAPER_002, *PAPER_003, *PAPER_004, *PAPER_004_IMAGES, *WAV2VEC2, *OWN)
}


def get(name):
    """The recipe of that name.

    Args:
        name: str, one of `RECIPES`.

    Returns:
        `Recipe`.

    Raises:
        ValueError: if there is none; the message names those that are called alike, or all.
    """
    if name not in RECIPES:
        near = difflib.get_close_matches(str(name), RECIPES, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"choose one of {', '.join(RECIPES)}."
        raise ValueError(f"There is no recipe {name!r}; {hint} Received: {name!r}")
    return RECIPES[name]
