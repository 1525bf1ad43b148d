"""Recipes on embeddings: the frozen network that they name, and what it makes of a corpus."""

from pathlib import Path

import numpy as np

from sertk.audio import MaximumLength, WaveformCache
from sertk.embeddings import EmbeddingStore, classifier_embedder, embed, embedder, save_embeddings
from sertk.models.ssl.config import SpeechEncoderConfig
from sertk.models.ssl.hub import checkpoint_folder
from sertk.models.ssl.pretrained import from_pretrained
from sertk.recipes.bad_clips import without_bad
from sertk.recipes.run import Run, refuse_runs_folder

PUBLISHED_RATE = 16_000


def embedding_model(source, layer=None, pooling="mean"):
    """The model from padded waveforms to the embeddings of a published network or of a run.

    Args:
        source: the name of a checkpoint on the hub, its folder, or the folder of a finished run.
        layer: as in `sertk.embeddings.embedder` for a checkpoint and a run of a classifier on a speech encoder, as in
            `sertk.embeddings.classifier_embedder` for a run of another network. None is a checkpoint's last hidden
            state; of a run the vector that enters its last layer, "embedding". Defaults to None.
        pooling: as in `sertk.embeddings.embedder`; of no effect on what is one vector a clip already. Defaults to
            "mean".

    Returns:
        A functional `keras.Model` for waveforms at `sample_rate(source)`.

    Raises:
        ConnectionError: if the checkpoint can't be downloaded.
        FileNotFoundError: if there is no such folder.
        ValueError: if there is no such layer, or the run is not finished, a cross-validation or an ensemble.
    """
    if not isinstance(source, str | Path):
        raise ValueError(
            "`features.source` must be the name or the folder of a checkpoint, or the folder of a run. "
            f"Received: features.source={source!r}"
        )
    run = run_of(source)
    if run is None:
        if layer == "embedding":
            raise ValueError(
                '`layer` can be "embedding" only of a trained classifier; pass the folder of a run. '
                f"Received: {source}, a checkpoint"
            )
        return embedder(from_pretrained(checkpoint_of(source)), layer, pooling)
    model, members = run.model(), run.recipe.training.members
    encoders = [part for part in model.layers if "feature_encoder" in [inner.name for inner in _layers(part)]]
    if encoders:
        return embedder(encoders[0], "embedding" if layer is None else layer, pooling)
    if members > 1:
        raise ValueError(
            f"{source}: must be a run of one network, whose last layer a vector enters; train one with "
            f"`training.members=1`. Received: an ensemble of {members}"
        )
    return classifier_embedder(model, layer)


def sample_rate(source):
    """The rate of the waveforms that a source's embedding model takes, in Hz.

    Args:
        source: as in `embedding_model`.
    """
    run = run_of(source)
    return PUBLISHED_RATE if run is None else run.recipe.audio.sample_rate


def recipe_embedder(recipe):
    """The embedding model that a recipe's features name."""
    features = recipe.features
    if features.pooling == "none":
        raise ValueError(
            "`features.pooling` must be mean, sum or max: a probe takes one vector a clip. "
            "Received: features.pooling='none'"
        )
    model = embedding_model(features.source, features.layer, features.pooling)
    if recipe.audio.sample_rate != sample_rate(features.source):
        raise ValueError(
            f"`audio.sample_rate` must be what {features.source} hears, {sample_rate(features.source)} Hz. "
            f"Received: audio.sample_rate={recipe.audio.sample_rate}"
        )
    return model


def embedded(settings, manifest, model, waveforms, cutting, progress=True):
    """The embeddings of clips, from the store beside the waveforms or computed now.

    Args:
        settings: a recipe's `features` or `upstream`, whose `layer` and `pooling` the model was built with.
        manifest: DataFrame with `path`.
        model: what `embedding_model` built.
        waveforms: `WaveformCache` at the rate that the model takes.
        cutting: `MaximumLength`.
        progress: bool, whether to show a bar on a terminal. Defaults to True.

    Returns:
        float32 array `(clips, channels)`, in the order of the manifest.
    """
    store = embedding_store(waveforms.directory / "embeddings", model, settings.layer, settings.pooling, cutting)
    return np.stack(embed(manifest, model, store, waveforms, maximum_length=cutting, progress=progress))


def embed_corpus(
    source,
    manifest,
    directory,
    *,
    layer=None,
    pooling="mean",
    seconds=None,
    batch_size=8,
    cache=None,
    skip_bad=False,
    progress=True,
):
    """Embeds a corpus with a frozen network and writes what comes out to a folder.

    Args:
        source, layer, pooling: as in `embedding_model`.
        manifest: DataFrame of `sertk.corpora.load`.
        directory: where to write, as `sertk.embeddings.save_embeddings` does; no run's folder.
        seconds: float, longer clips are cropped to that, their middle; or None for none. Defaults to None.
        batch_size: int, clips at once. Defaults to 8.
        cache: folder for decoded waveforms and embeddings. Defaults to that of `sertk.audio.WaveformCache`.
        skip_bad: bool, whether clips that can't be decoded are left out. Defaults to False.
        progress: bool, whether to show bars on a terminal. Defaults to True.

    Returns:
        The manifest, and the list of arrays in its order.

    Raises:
        ConnectionError, FileNotFoundError: as `embedding_model` does.
        ValueError: as `embedding_model` and `sertk.embeddings.embed` do, or if the directory is a run's.
    """
    if seconds is not None and not seconds > 0:
        raise ValueError(f"`seconds` must be above 0, or None. Received: seconds={seconds}")
    refuse_runs_folder(directory, "the embeddings")
    model, waveforms = embedding_model(source, layer, pooling), WaveformCache(cache, sample_rate(source))
    manifest = without_bad(manifest, waveforms, skip_bad, progress=progress)
    cutting = MaximumLength(None if seconds is None else round(seconds * waveforms.sample_rate))
    store = embedding_store(waveforms.directory / "embeddings", model, layer, pooling, cutting)
    arrays = embed(manifest, model, store, waveforms, maximum_length=cutting, batch_size=batch_size, progress=progress)
    described = {"source": str(source), "layer": layer, "pooling": pooling, "seconds": seconds}
    save_embeddings(directory, manifest, arrays, described)
    return manifest, arrays


def embedding_store(directory, model, layer, pooling, cutting):
    """The store for one network, layer, pooling and way to cut clips."""
    settings = {"layer": layer, "pooling": pooling, "samples": cutting.samples, "crop": cutting.crop}
    return EmbeddingStore(directory, model, settings)


def checkpoint_of(source):
    """The folder of the checkpoint that a source is, where it is no run; its weights are not looked at.

    Args:
        source: as in `embedding_model`.

    Raises:
        ConnectionError, FileNotFoundError, ValueError: as `checkpoint_folder` does, or if its config.json is missing or
            no speech encoder's.
    """
    try:
        folder = checkpoint_folder(source)
        SpeechEncoderConfig.from_file(folder)
    except (ConnectionError, FileNotFoundError, ValueError) as error:
        # A slip of the pen in a run's name looks like a name on the hub.
        kind = next(one for one in (ConnectionError, FileNotFoundError, ValueError) if isinstance(error, one))
        raise kind(f"{source}: is no run, which would have a recipe.json, and no checkpoint: {error}") from error
    return folder


def run_of(source):
    """The `Run` that a source is; None of a checkpoint.

    Args:
        source: as in `embedding_model`.
    """
    return Run(source) if (Path(source) / "recipe.json").is_file() else None


def _layers(part):
    return getattr(part, "layers", [])
