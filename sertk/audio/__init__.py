"""From bytes to a mono float32 waveform at one rate: decoding, resampling, the waveform cache, length, silence."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "cache": ["WaveformCache"],
        "decode": ["AUDIO_EXTENSIONS", "MAX_SECONDS", "info", "read", "read_blocks"],
        "fixed_length": ["FixedLength"],
        "maximum_length": ["MaximumLength"],
        "voiced": ["chunk_starts", "voiced_intervals"],
    },
)
