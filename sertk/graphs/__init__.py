"""Graphs: which clips a network finds alike, built, kept in files and counted."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "building": ["build_graph"],
        "degree": ["threshold_for_degree"],
        "files": ["load_graph", "save_graph"],
        "graph": ["Graph"],
        "statistics": ["graph_statistics"],
    },
)
