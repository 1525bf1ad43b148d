"""From a recipe to layers: what each group of settings builds."""

import inspect

import sertk.models
from sertk.audio import FixedLength, WaveformCache
from sertk.augment import AWGN
from sertk.features import MFCC, LogMelSpectrogram, SpectrogramImage
from sertk.recipes.optimizer import optimizer

BUILDERS = ("attentive_cnn", "cnn", "two_cnn", "cnn_transformer", "transfer_head")
IMAGES = {"mel_image": "mel", "stft_image": "stft"}


def waveforms(recipe, cache=None):
    """The `WaveformCache` of a recipe, in the folder `cache`."""
    return WaveformCache(cache, recipe.audio.sample_rate, max_seconds=recipe.audio.max_seconds)


def fixed_length(recipe):
    """The `FixedLength` layer of a recipe."""
    audio = recipe.audio
    samples = round(recipe.length * audio.sample_rate)
    return FixedLength(samples, audio.crop, audio.pad, audio.trim_top_db, name="fixed_length")


def features(recipe):
    """The feature layer of a recipe.

    Raises:
        ValueError: if `features.kind` is unknown.
    """
    chosen = recipe.features
    shared = {
        "sr": recipe.audio.sample_rate,
        "n_fft": chosen.n_fft,
        "hop_length": chosen.hop_length,
        "n_mels": chosen.n_mels,
        "fmin": chosen.fmin,
        "fmax": chosen.fmax,
    }
    if chosen.kind == "mfcc":
        return MFCC(n_mfcc=chosen.n_mfcc, top_db=chosen.top_db, name="mfcc", **shared)
    if chosen.kind == "log_mel":
        return LogMelSpectrogram(top_db=chosen.top_db, name="log_mel", **shared)
    if chosen.kind not in IMAGES:
        known = ", ".join(("mfcc", "log_mel", *IMAGES))
        raise ValueError(f"`features.kind` must be one of {known}. Received: features.kind={chosen.kind!r}")
    if chosen.normalize:
        raise ValueError(
            "`features.normalize` is for spectrograms: an image network scales its images itself. "
            f"Received: features.normalize=True with features.kind={chosen.kind!r}"
        )
    picture = {name: getattr(chosen, name) for name in ("height", "width", "colormap", "min_db", "max_db")}
    return SpectrogramImage(kind=IMAGES[chosen.kind], name=chosen.kind, **picture, **shared)


def noise(recipe):
    """The `AWGN` layer of a recipe with fresh noise, else None: copies are the pipeline's."""
    return AWGN(recipe.noise.snr, seed=recipe.training.seed, name="awgn") if recipe.noise.fresh else None


def network(recipe, input_shape, num_classes, member=1):
    """The network of a recipe, for features of `input_shape`; one of several has its number in its name.

    Raises:
        ValueError: if the builder or one of its options is unknown.
    """
    name, options = recipe.model.builder, recipe.model.options
    if name not in BUILDERS:
        raise ValueError(f"`model.builder` must be one of {', '.join(BUILDERS)}. Received: model.builder={name!r}")
    builder = getattr(sertk.models, name)
    arguments = inspect.signature(builder).parameters.items()
    known = [option for option, kind in arguments if kind.kind is kind.KEYWORD_ONLY and option != "name"]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(
            f"`model.{unknown[0]}` is no option of {name}, which has {', '.join(known)}. Received: {options}"
        )
    numbered = {} if recipe.training.members == 1 else {"name": f"{name}_{member}"}
    return builder(input_shape, num_classes, **options, **numbered)


def check_settings(recipe):
    """Refuses settings that are out of range or do not fit together, before any clip is looked at.

    Raises:
        ValueError: if there is one.
    """
    training = recipe.training
    optimizer(recipe, steps=1)
    fixed_length(recipe)
    features(recipe)
    noise(recipe)
    if training.retrain and training.patience is None:
        raise ValueError(
            "`training.retrain` trains anew for the best number of epochs, which an early stop finds; set "
            "training.patience too. Received: training.patience=None"
        )
    if training.members < 1:
        raise ValueError(f"`training.members` must be at least 1. Received: training.members={training.members}")


def check(recipe, num_classes):
    """Builds the network that a recipe names once, so that what does not fit is told before a run begins.

    Raises:
        ValueError: if a setting is out of range, or the settings do not fit together.
    """
    cutting, chosen = fixed_length(recipe), features(recipe)
    network(recipe, chosen.compute_output_shape((None, cutting.samples))[1:], num_classes)
