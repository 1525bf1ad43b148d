"""Embeddings: what a frozen network makes of each clip of a corpus, computed once and kept on disk."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "computing": ["embed"],
        "embedder": ["embedder"],
        "of_classifier": ["classifier_embedder"],
        "store": ["EmbeddingStore"],
        "table": ["load_embeddings", "save_embeddings"],
    },
)
