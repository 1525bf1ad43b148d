"""The upstream of a recipe: the network whose embeddings make a graph, or meet those of a downstream network."""

import numpy as np

from sertk.audio import MaximumLength, WaveformCache
from sertk.embeddings import embed
from sertk.recipes.embedded import embedding_model, embedding_store, sample_rate


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
        waveforms, whole = WaveformCache(cache, self.sample_rate), MaximumLength()
        store = embedding_store(
            waveforms.directory / "embeddings", self.embedder, self._settings.layer, self._settings.pooling, whole
        )
        return np.stack(embed(manifest, self.embedder, store, waveforms, maximum_length=whole, progress=progress))


def check_upstream(upstream):
    """Refuses an upstream that can't give one vector a clip.

    Raises:
        ValueError: if there is no source, or its embeddings are not pooled.
    """
    if upstream.source is None:
        raise ValueError(
            "`upstream.source` must name the network that embeddings come from: the folder of a run, such as one of "
            "003-upstream, or a checkpoint. Received: upstream.source=None"
        )
    if upstream.pooling == "none":
        raise ValueError(
            "`upstream.pooling` must be mean, sum or max: a graph takes one vector a clip. "
            "Received: upstream.pooling='none'"
        )
