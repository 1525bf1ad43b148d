"""How good a model is, and how sure that is: predictions, metrics with an interval, plots, the report."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "by_clip": ["by_clip"],
        "folds": ["over_folds"],
        "measures": ["metrics"],
        "plots": ["plot_confusion", "plot_learning_curves", "plot_waveform_and_features"],
        "predictions": ["class_names", "load_predictions", "predictions_table", "save_predictions"],
        "report": ["write_report"],
    },
)
