"""How the clips of a checkpoint's training were prepared, and whether this network prepares them so."""

import json
from pathlib import Path

from sertk.plain_json import read_object

# By transformers up to version 4, and of version 5, which keeps all parts of a processor in one file.
FILES = ("preprocessor_config.json", "processor_config.json")
SAMPLE_RATE = 16_000


def check_preprocessing(folder):
    """Refuses a checkpoint that learned from other waveforms than `ssl_encoder` makes: 16 kHz, normalised.

    Where the files leave a setting out, or none is there, it is transformers' default, which fits.
    `return_attention_mask` says whether padding was marked in training; the encoder marks it where it is given
    lengths.

    Args:
        folder: path of the checkpoint.

    Raises:
        ValueError: if the sampling rate is not 16,000, clips were not normalised, or a file is no JSON object.

    Source: transformers, `Wav2Vec2FeatureExtractor`.
    """
    for path in (Path(folder) / file for file in FILES):
        if not path.is_file():
            continue
        settings = _read(path)
        rate, normalised = settings.get("sampling_rate", SAMPLE_RATE), settings.get("do_normalize", True)
        if rate != SAMPLE_RATE:
            raise ValueError(f"{path}: `sampling_rate` must be {SAMPLE_RATE}. Received: sampling_rate={rate!r}")
        if normalised is not True:
            raise ValueError(
                f"{path}: `do_normalize` must be true; the encoder always scales clips to zero mean and unit "
                f"variance. Received: do_normalize={json.dumps(normalised)}"
            )


def _read(path):
    """The settings of a feature extractor, alone or as a part of a processor."""
    try:
        settings = read_object(path)
        return dict(settings.get("feature_extractor", settings))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path}: is no JSON object of settings; get it again. Received: {error}") from error
