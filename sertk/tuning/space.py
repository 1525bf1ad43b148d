"""A search space: the recipes that it is made for, and a function that chooses settings for them."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class SearchSpace:
    """What a search varies, and where it begins.

    Args:
        name: str, by which `sertk tune` knows it.
        title: str, what is varied.
        source: str, the paper and its section.
        recipes: tuple of str, names of the recipes that it is made for; the first is the default.
        choose: function of a `keras_tuner.HyperParameters` that gives the changes of a trial, as
            `sertk.recipes.override` takes them, by their full names. It asks for the same parameters whatever their
            values are.
        changes: dict, what the search changes in the recipe for all trials. Defaults to nothing.
        objective: str, what is to be as high as possible: "val_accuracy", the accuracy on the validation part in the
            epoch whose weights are kept, or "val_linear_accuracy", that of a linear classifier on the encoder's
            vectors, `sertk.tuning.linear_evaluation`. Defaults to "val_accuracy".

    Example:
        >>> space = SearchSpace(
        ...     "dropout", "the CNN's dropout", "mine", ("004-cnn-mfcc",),
        ...     lambda hp: {"model.dropout": hp.Float("model.dropout", 0.0, 0.5)},
        ... )
    """

    name: str
    title: str
    source: str
    recipes: tuple
    choose: Callable
    changes: dict = field(default_factory=dict)
    objective: str = "val_accuracy"

    def recipe_name(self, name=None):
        """The name of a recipe of this space.

        Args:
            name: str, one of `recipes`, or None for the first one. Defaults to None.

        Raises:
            ValueError: if the space is not made for that recipe.
        """
        if name is None:
            return self.recipes[0]
        if name not in self.recipes:
            raise ValueError(
                f"`recipe` must be one that the space {self.name} is made for: {', '.join(self.recipes)}. "
                f"Received: recipe={name!r}"
            )
        return name
