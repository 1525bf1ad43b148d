"""The papers' experiments by name, as data, and the run that carries one out."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "book": ["RECIPES", "get"],
        "several.compared": ["compare_runs"],
        "drawn": ["draw"],
        "transfer.embedded": ["embed_corpus"],
        "experiment": ["evaluate", "train"],
        "transfer.graphs": ["graph_of_corpus", "write_graph"],
        "papers.paper_002_ensembles": ["ENSEMBLES"],
        "groups": [
            "Adversarial",
            "Audio",
            "Augmentation",
            "Chunks",
            "Contrastive",
            "Features",
            "Graph",
            "Model",
            "Noise",
            "Split",
            "Start",
            "Teacher",
            "Training",
            "Upstream",
        ],
        "recipe": ["Recipe", "override"],
        "run": ["Run"],
        "staged.algorithm": ["SMALL", "simclrv2"],
        "several.run_costs": ["costs"],
        "several.sensitivity_points": ["best_point", "sensitivity"],
        "several.voted": ["evaluate_ensemble"],
    },
)
