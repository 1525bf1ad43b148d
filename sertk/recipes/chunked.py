"""From a split of clips to one of their chunks, where a recipe asks for chunks."""

import sertk.corpora


def chunked(recipe, manifest, parts, waveforms, progress=True):
    """The splits that a run trains on: those given, or their chunks.

    Args:
        recipe: `Recipe`.
        manifest: the clips that were divided.
        parts: list of (name, split), as `sertk.corpora.divide` gives it.
        waveforms: `WaveformCache` of the recipe.
        progress: bool, whether to show bars. Defaults to True.

    Returns:
        list of (name, split).

    Raises:
        ValueError: if the settings of the chunks do not fit together, or there are not as many as asked for.
    """
    chosen = recipe.chunks
    if chosen.seconds is None:
        return parts
    options = {"seconds": chosen.seconds, "top_db": chosen.top_db, "progress": progress}
    if not chosen.together:
        if chosen.counts is None:
            raise ValueError(
                "`chunks.counts` must say how many chunks each part has, where they are scattered over all parts. "
                "Received: chunks.counts=None"
            )
        chunks = sertk.corpora.cut_chunks(manifest, waveforms, **options)
        return [("split", sertk.corpora.scatter_chunks(chunks, chosen.counts, recipe.split.seed))]
    cut = [(name, sertk.corpora.cut_chunks(split, waveforms, **options)) for name, split in parts]
    if chosen.counts is None:
        return cut
    return [(name, sertk.corpora.draw_chunks(split, chosen.counts, recipe.split.seed)) for name, split in cut]
