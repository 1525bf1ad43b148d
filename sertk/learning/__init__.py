"""How a network learns: supervised training that survives being killed, with neighbours of a graph or without."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["multisource", "nsl"],
    submod_attrs={
        "adversarial_regularization": ["AdversarialRegularization"],
        "contrastive": ["Contrastive"],
        "distillation": ["Distillation"],
        "graph_regularization": ["GraphRegularization"],
        "mixed_labels": ["MixedLabels"],
        "nt_xent": ["NTXent", "contrastive_accuracy", "nt_xent"],
        "run_log": ["RunLog"],
        "supervised": ["fit"],
        "supervised_contrastive": ["SupervisedContrastive", "supervised_contrastive"],
    },
)
