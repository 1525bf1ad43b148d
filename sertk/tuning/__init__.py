"""Searching for settings: Keras Tuner over the recipes, trial by trial, on the training and validation parts alone."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "book": ["SPACES", "get_space"],
        "hypermodel": ["RecipeHyperModel"],
        "linear_evaluation": ["linear_evaluation"],
        "search": ["Search"],
        "space": ["SearchSpace"],
        "tuning": ["tune"],
    },
)
