"""How good a model is, and how sure that is: predictions, metrics with an interval, plots, the report."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "aligned": ["align"],
        "by_clip": ["by_clip"],
        "combinations": ["all_combinations", "best_member"],
        "comparison": ["compare", "verdict"],
        "folds": ["over_folds"],
        "graph_plot": ["plot_graph_statistics"],
        "measures": ["metrics"],
        "members_page": ["write_members"],
        "members_plot": ["plot_members"],
        "paired": ["paired_test"],
        "paired_page": ["write_pairs"],
        "paired_plot": ["plot_pairs"],
        "paired_words": ["paired_sentences", "paired_tests"],
        "plots": ["plot_confusion", "plot_learning_curves", "plot_waveform_and_features"],
        "predictions": ["class_names", "load_predictions", "predictions_table", "save_predictions"],
        "report": ["write_report"],
        "sensitivity_plot": ["plot_sensitivity"],
        "significance": ["mcnemar", "mcnemar_of_counts"],
        "voting": ["vote"],
        "z_test": ["uar_z_test"],
    },
)
