"""The upstream of a recipe: the network whose embeddings make a graph, or meet those of a downstream network."""

import os
from pathlib import Path

import pandas as pd

import sertk.corpora
from sertk.audio import MaximumLength, WaveformCache
from sertk.recipes.transfer.embedded import checkpoint_of, embedded, embedding_model, run_of, sample_rate


class UpstreamNetwork:
    """What a recipe's `upstream` names, frozen.

    Args:
        upstream: `sertk.recipes.Upstream`.

    Attributes:
        embedder: keras.Model from `[waveform, lengths]` to `(batch, channels)`.
        channels: int.
        sample_rate: int, Hz, that of the waveforms it takes.

    Raises:
        ConnectionError, FileNotFoundError, ValueError: as `embedding_model` does, or if there is no source.
    """

    def __init__(self, upstream):
        check_upstream(upstream)
        self._settings = upstream
        self.embedder = embedding_model(upstream.source, upstream.layer, upstream.pooling)
        self.channels = self.embedder.output_shape[-1]
        self.sample_rate = sample_rate(upstream.source)

    def embed(self, manifest, cache=None, progress=True):
        """The embeddings of clips, each heard as a whole, from the store beside the waveforms or computed now.

        Args:
            manifest: DataFrame with `path`.
            cache: folder for decoded waveforms and embeddings.
            progress: bool, whether to show a bar on a terminal. Defaults to True.

        Returns:
            float32 array `(clips, channels)`, in the order of the manifest.
        """
        waveforms = WaveformCache(cache, self.sample_rate)
        return embedded(self._settings, manifest, self.embedder, waveforms, MaximumLength(), progress)


def check_upstream(upstream):
    """Refuses an upstream that can't give one vector a clip.

    Raises:
        ValueError: if there is no source, it is a folder of embeddings, or its embeddings are not pooled.
    """
    if upstream.source is None:
        raise ValueError(
            "`upstream.source` must name the network that embeddings come from: the folder of a run, such as one of "
            "003-upstream, or a checkpoint. Received: upstream.source=None"
        )
    if (Path(upstream.source) / "embeddings.json").is_file():
        raise ValueError(
            "`upstream.source` must name a network; of a folder of embeddings `sertk graph` makes a graph, which "
            f"graph.file takes: its graph.npz. Received: upstream.source={upstream.source!r}, which `sertk embed` wrote"
        )
    if upstream.pooling == "none":
        raise ValueError(
            "`upstream.pooling` must be mean, sum or max: a graph takes one vector a clip. "
            "Received: upstream.pooling='none'"
        )


def check_source(source):
    """Looks for what an upstream names without loading it: a finished run, or a checkpoint.

    Raises:
        ConnectionError, FileNotFoundError, ValueError: as `embedding_model` does.
    """
    run = run_of(source)
    if run is None:
        checkpoint_of(source)
    elif run.folds or not run.finished:
        run.model()  # tells which


def fuses(recipe):
    """Whether the network takes an upstream's embedding beside its features."""
    return recipe.model.options.get("fusion") is not None


def trained_sources(recipe):
    """The trained networks that a recipe learns from: a dict from the setting that names one to the source."""
    sources = {"start.source": recipe.start.source, "teacher.source": recipe.teacher.source}
    if recipe.features.kind == "embedding":
        sources["features.source"] = recipe.features.source
    if fuses(recipe) or (recipe.graph.neighbors and recipe.graph.file is None):
        sources["upstream.source"] = recipe.upstream.source
    return {name: source for name, source in sources.items() if source is not None}


def check_unheard(recipe, splits):
    """Refuses a trained network that knows clips on which the recipe's network is judged or measured.

    What it was trained on may be in no part but the training part, and what its epoch was chosen by not in the test
    part: a probe on the very split of its source is well. Clips are told apart by where their files really are.

    Args:
        recipe: `Recipe`.
        splits: list of manifests with `part`, one a fold.

    Raises:
        ValueError: if there is such a clip.
    """
    for name, source in trained_sources(recipe).items():
        heard = pd.concat([pd.DataFrame({"path": [], "part": []}), *_heard(source)])
        places = heard["path"].map(os.path.realpath)
        known = _known(places, heard["part"])
        for split in splits:
            measured = _measured(recipe, split)[["path", "part"]].drop_duplicates()
            paths = measured["path"].tolist()
            parts = zip(paths, measured["part"], strict=True)
            shared = [path for path, part in parts if os.path.realpath(path) in known[part]]
            if shared:
                raise ValueError(
                    f"`{name}` must not have been trained on what this network is measured on; take a run on other "
                    "clips, or a split whose validation and test parts it has not heard. "
                    f"Received: {source}, trained on {len(shared):,} of {len(paths):,} such clips, the first "
                    f"{shared[0]}"
                )


def knows_speakers(recipe, split):
    """Whether a recipe learns from a network that was trained on other clips of speakers that are measured.

    Speakers by whom both networks' epochs were chosen are well, as in `check_unheard`.

    Args:
        recipe: `Recipe`.
        split: manifest with `part`.

    Returns:
        bool; False too where a source is gone, or speakers are unknown.
    """
    clips = _measured(recipe, split)
    measured = list(zip(sertk.corpora.speaker_keys(clips), clips["part"], strict=True))
    for source in trained_sources(recipe).values():
        for heard in _heard(source):
            known = _known(sertk.corpora.speaker_keys(heard), heard["part"])
            if any(pd.notna(speaker) and speaker in known[part] for speaker, part in measured):
                return True
    return False


def _known(names, parts):
    """What of a source's clips or speakers may be in no validation part, and what in no test part."""
    return {"validation": set(names[parts == "train"]), "test": set(names)}


def _heard(source):
    """What a source was trained and chosen on, and what it was built on in turn: manifests, none of a checkpoint."""
    run = run_of(source)
    if run is None:
        return []
    clips = run.split
    if run.recipe.training.join_validation:
        clips = clips.assign(part=clips["part"].replace("validation", "train"))
    beneath = trained_sources(run.recipe).values()
    return [clips[clips["part"].isin(["train", "validation"])], *(part for one in beneath for part in _heard(one))]


def _measured(recipe, split):
    """The clips of a split that the recipe's network does not learn from."""
    return split[split["part"].isin(["test"] if recipe.training.join_validation else ["validation", "test"])]
