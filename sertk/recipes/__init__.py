"""The papers' experiments by name, as data, and the run that carries one out."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "book": ["RECIPES", "get"],
        "drawn": ["draw"],
        "experiment": ["evaluate", "train"],
        "recipe": ["Audio", "Chunks", "Features", "Model", "Noise", "Recipe", "Split", "Training", "override"],
        "run": ["Run"],
    },
)
