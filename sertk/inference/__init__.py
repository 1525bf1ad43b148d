"""Asking a trained model: about files, about every moment of a long recording, about sound as it comes in; and why."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "explanation.explaining": ["explain"],
        "explanation.explanation": ["Explanation"],
        "explanation.picture": ["plot_explanation"],
        "files": ["predict"],
        "listening": ["listen"],
        "loading": ["METADATA"],
        "microphone": ["Microphone"],
        "over_time": ["summary", "timeline"],
        "pcm": ["read_pcm"],
        "predictor": ["Predictor"],
        "stream": ["Moment", "Stream"],
        "timeline_files": ["write_timeline"],
        "timeline_plot": ["plot_timeline"],
    },
)
