"""Who said what, and how: readers that turn a corpus into a manifest, label maps, splits, the synthetic corpus."""

import lazy_loader

# scikit-learn and SciPy take a second to load: only splits and the synthetic corpus pay for them.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "splits.auditing": ["Audit", "audit", "load_split"],
        "chunks": ["cut_chunks", "draw_chunks", "scatter_chunks"],
        "checking": ["Check", "check"],
        "splits.cross_validation": ["folds"],
        "downloads.downloading": ["download"],
        "emotions": ["LABEL_MAPS", "map_labels"],
        "splits.few_labels": ["keep_labels"],
        "joining": ["join"],
        "splits.leaks": ["KINDS", "check_split", "speakers_apart"],
        "manifest": ["load_manifest", "save_manifest", "speaker_keys"],
        "splits.protocols": ["PROTOCOLS", "Protocol", "divide"],
        "readers.official": ["Official"],
        "readers.registry": ["OFFICIAL", "READERS", "load"],
        "splits.single": ["split"],
        "synthetic": ["write_synthetic"],
    },
)
