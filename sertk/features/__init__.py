"""What the networks see: Keras layers that turn waveforms into spectrograms, with librosa's numbers."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={"image": ["SpectrogramImage"], "log_mel": ["LogMelSpectrogram"], "mfcc": ["MFCC"]},
)
