"""From a finished run to a model that others serve: decoding, features and limits are in its graph."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "litert": ["export_litert"],
        "saved_model": ["export_saved_model"],
        "resampling": ["RATES"],
    },
)
