"""From a split of clips to one of their chunks, where a recipe asks for chunks."""

import sertk.corpora


def chunked(recipe, manifest, divide, waveforms, progress=True):
    """The manifest and the splits of a run: those of the clips, or of their chunks.

    Args:
        recipe: `Recipe`.
        manifest: the clips.
        divide: function of the manifest that gives a list of (name, split), as `sertk.corpora.divide` does.
        waveforms: `WaveformCache` of the recipe.
        progress: bool, whether to show bars. Defaults to True.

    Returns:
        The manifest, and a list of (name, split).

    Raises:
        ValueError: if the settings of the chunks do not fit together, or there are not as many as asked for.
    """
    chosen = recipe.chunks
    if chosen.seconds is None:
        manifest = manifest.drop(columns="chunk_start", errors="ignore")
        return manifest, divide(manifest)
    if not chosen.together and (chosen.counts is None or recipe.split.kind != "random"):
        raise ValueError(
            "`chunks.together=false` scatters the chunks over all parts at random, so split.kind must be random and "
            f"chunks.counts say how many each part has. Received: split.kind={recipe.split.kind}, "
            f"chunks.counts={chosen.counts}"
        )
    parts = divide(manifest) if chosen.together else None
    chunks = sertk.corpora.cut_chunks(manifest, waveforms, chosen.seconds, chosen.top_db, progress=progress)
    if parts is None:
        return chunks, [("split", sertk.corpora.scatter_chunks(chunks, chosen.counts, recipe.split.seed))]
    of_chunks = []
    for name, split in parts:
        part = chunks["path"].map(dict(zip(split["path"], split["part"], strict=True))).astype("string")
        of_chunks.append((name, chunks.assign(part=part)))
    if chosen.counts is not None:
        draw, seed = sertk.corpora.draw_chunks, recipe.split.seed
        of_chunks = [(name, draw(split, chosen.counts, seed)) for name, split in of_chunks]
    return chunks, of_chunks
