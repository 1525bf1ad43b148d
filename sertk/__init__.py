"""sertk: speech emotion recognition with Keras, from a folder of speech to a served model."""

import lazy_loader

from sertk._version import __version__  # noqa: F401  (part of the public face)

# TensorFlow takes seconds to load, so a room loads when its first name is used.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "audio",
        "augment",
        "corpora",
        "demo",
        "embeddings",
        "evaluation",
        "export",
        "features",
        "graphs",
        "images",
        "inference",
        "learning",
        "models",
        "pipeline",
        "recipes",
        "tuning",
    ],
    submod_attrs={
        "export": ["export_litert", "export_saved_model"],
        "inference": ["Predictor", "Stream", "explain", "predict", "timeline"],
        "recipes": ["Run", "evaluate", "train"],
    },
)
