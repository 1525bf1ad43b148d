"""A page to try a model on: record or upload, and see what it hears and what it makes of it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "looking": ["Look", "look_at"],
        "page": ["build_page", "serve"],
    },
)
