"""Training data made harder: Keras layers that change clips while a network trains and leave them alone after."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "awgn": ["AWGN", "add_noise"],
        "image_augmentation": ["ImageAugmentation"],
        "masks": ["FrequencyMask", "TimeMask"],
        "spectrogram_augmentation": ["SpectrogramAugmentation"],
        "tri_cut": ["TriCut"],
        "tri_mix": ["TriMix"],
    },
)
