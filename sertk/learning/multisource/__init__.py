"""Transfer from several labelled sources, each of which may lack classes, to a target without labels."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "discrepancy": ["conditional_discrepancy", "mmd"],
        "estimator": ["IncompleteMultisourceTransfer"],
    },
)
