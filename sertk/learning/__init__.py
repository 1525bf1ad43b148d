"""How a network learns: supervised training that survives being killed."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={"run_log": ["RunLog"], "supervised": ["fit"]},
)
