"""From a recipe to layers: what each group of settings builds."""

import inspect

import sertk.models
from sertk.audio import FixedLength, MaximumLength, WaveformCache
from sertk.augment import AWGN, SpectrogramAugmentation, TriMix
from sertk.features import MFCC, LogMelSpectrogram, SpectrogramImage
from sertk.recipes.learning_settings import check_learning
from sertk.recipes.optimizer import optimizer
from sertk.recipes.transfer.passed_on import check_passed_on

BUILDERS = (
    "attentive_cnn",
    "cnn",
    "two_cnn",
    "cnn_transformer",
    "transfer_head",
    "vgg15",
    "resnet9",
    "cnn6",
    "resnet50",
    "speech_simclr",
    "ssl_classifier",
    "probe",
)
# What those take that take no spectrograms.
TAKES = {"ssl_classifier": "waveform", "probe": "embedding"}
DEFAULT = "facebook/wav2vec2-base"
IMAGES = {"mel_image": "mel", "stft_image": "stft"}


def waveforms(recipe, cache=None):
    """The `WaveformCache` of a recipe, in the folder `cache`."""
    return WaveformCache(cache, recipe.audio.sample_rate, max_seconds=recipe.audio.max_seconds)


def fixed_length(recipe):
    """The `FixedLength` layer of a recipe, or its `MaximumLength` where batches are padded."""
    audio = recipe.audio
    samples = None if recipe.length is None else round(recipe.length * audio.sample_rate)
    if audio.pad == "batch":
        return MaximumLength(samples, audio.crop, name="maximum_length")
    return FixedLength(samples, audio.crop, audio.pad, audio.trim_top_db, name="fixed_length")


def features(recipe):
    """The feature layer of a recipe; None where the network takes waveforms or embeddings.

    Raises:
        ValueError: if `features.kind` is unknown.
    """
    chosen = recipe.features
    if chosen.kind in TAKES.values():
        return None
    shared = {
        "sr": recipe.audio.sample_rate,
        "n_fft": chosen.n_fft,
        "hop_length": chosen.hop_length,
        "n_mels": chosen.n_mels,
        "fmin": chosen.fmin,
        "fmax": chosen.fmax,
        "center": chosen.center,
    }
    if chosen.kind == "mfcc":
        return MFCC(n_mfcc=chosen.n_mfcc, top_db=chosen.top_db, name="mfcc", **shared)
    if chosen.kind == "log_mel":
        return LogMelSpectrogram(top_db=chosen.top_db, name="log_mel", **shared)
    if chosen.kind not in IMAGES:
        known = ", ".join(("mfcc", "log_mel", *IMAGES, *TAKES.values()))
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


def augmentation(recipe):
    """The `SpectrogramAugmentation` of a recipe; None where it has none.

    With labels, tri-mix is not part of it, but `label_mixing`.
    """
    chosen, unlabelled = recipe.augmentation, recipe.contrastive.loss is not None
    tri_mix = chosen.tri_mix if unlabelled else 0
    if not (chosen.time_masks or chosen.frequency_masks or chosen.tri_cut or tri_mix):
        return None
    return SpectrogramAugmentation(
        time_masks=chosen.time_masks,
        frequency_masks=chosen.frequency_masks,
        tri_cut=chosen.tri_cut,
        tri_mix=tri_mix,
        max_time_width=chosen.max_width,
        max_frequency_width=chosen.max_width,
        area=chosen.area,
        by=chosen.by,
        seed=recipe.training.seed,
        name="augmentation",
    )


def label_mixing(recipe):
    """The `TriMix` of a recipe that learns from labels; None where it has none."""
    chosen = recipe.augmentation
    if not chosen.tri_mix or recipe.contrastive.loss is not None:
        return None
    return TriMix(chosen.area, chosen.by, probability=chosen.tri_mix, seed=recipe.training.seed, name="tri_mix")


def input_shape(recipe):
    """What the network of a recipe takes, without the batch: `(samples,)`, `(None,)` for any length, or features.

    What it takes of embeddings only the embedding model knows.
    """
    cutting, chosen = fixed_length(recipe), features(recipe)
    if chosen is None:
        return (None,) if isinstance(cutting, MaximumLength) else (cutting.samples,)
    return chosen.compute_output_shape((None, cutting.samples))[1:]


def network(recipe, input_shape, num_classes, member=1, channels=None):
    """The network of a recipe, for what `input_shape` gives; one of several has its number in its name.

    Where it takes an upstream's embedding too, that has as many `channels`.

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
    own = {} if recipe.training.members == 1 else {"name": f"{name}_{member}"}
    if recipe.audio.pad == "batch" and recipe.features.kind == "waveform":
        own["padded"] = True
    if channels is not None:
        own["upstream"] = channels
    return builder(input_shape, num_classes, **options, **own)


def check_settings(recipe):
    """Refuses settings that are out of range or do not fit together, before any clip is looked at.

    Raises:
        ValueError: if there is one.
    """
    training = recipe.training
    for name in ("epochs", "batch_size"):
        if getattr(training, name) < 1:
            raise ValueError(
                f"`training.{name}` must be at least 1. Received: training.{name}={getattr(training, name)}"
            )
    _check_sound(recipe)
    check_passed_on(recipe)
    check_learning(recipe)
    optimizer(recipe, steps=1)
    fixed_length(recipe)
    features(recipe)
    noise(recipe)
    augmentation(recipe)
    label_mixing(recipe)
    if training.retrain and training.patience is None:
        raise ValueError(
            "`training.retrain` trains anew for the best number of epochs, which an early stop finds; set "
            "training.patience too. Received: training.patience=None"
        )
    if training.members < 1:
        raise ValueError(f"`training.members` must be at least 1. Received: training.members={training.members}")


def _check_sound(recipe):
    """Refuses settings of the clips that do not fit what the network takes."""
    audio, kind, builder = recipe.audio, recipe.features.kind, recipe.model.builder
    wanted = TAKES.get(builder, "mfcc, log_mel or an image")
    fits = kind == wanted if builder in TAKES else kind not in TAKES.values()
    if not fits and builder in BUILDERS:
        raise ValueError(
            f"`features.kind` must be what the network takes, for {builder} {wanted}. Received: features.kind={kind!r}"
        )
    if kind == "waveform" and recipe.features.normalize:
        raise ValueError(
            "`features.normalize` is for spectrograms: a network on waveforms scales them itself. "
            "Received: features.normalize=True with features.kind='waveform'"
        )
    if audio.pad != "batch":
        if kind == "embedding":
            raise ValueError(
                '`audio.pad` must be "batch" for embeddings: a clip is heard without anything behind it. '
                f"Received: audio.pad={audio.pad!r} with features.kind='embedding'"
            )
        if recipe.length is None:
            raise ValueError(
                "`audio.seconds` may be None only where the network takes clips of any length; set audio.pad=batch "
                f"too. Received: audio.seconds=None with audio.pad={audio.pad!r}"
            )
        return
    hindrances = {
        "features.kind": (kind not in TAKES.values(), kind),
        "noise.copies": (kind == "embedding" and recipe.noise.copies > 0, recipe.noise.copies),
        "audio.trim_top_db": (audio.trim_top_db is not None, audio.trim_top_db),
        "noise.fresh": (recipe.noise.fresh, True),
        "chunks.seconds": (recipe.chunks.seconds is not None, recipe.chunks.seconds),
    }
    for name, (hinders, value) in hindrances.items():
        if hinders:
            raise ValueError(
                "`audio.pad` can be batch only for a network on waveforms, for clips that are not trimmed and have no "
                f"fresh noise, or for embeddings, of clips without any; change {name} or audio.pad. "
                f"Received: audio.pad='batch' with {name}={value!r}"
            )
