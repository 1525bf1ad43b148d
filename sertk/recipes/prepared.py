"""Before anything is trained: a recipe with its changes, and a corpus in its words, without what is bad, divided."""

from pathlib import Path

import sertk.corpora
from sertk.audio.cache import BYTES
from sertk.corpora.readers.picture import is_image
from sertk.recipes import assemble
from sertk.recipes.bad_clips import refuse_bad, without_bad
from sertk.recipes.book import get
from sertk.recipes.chunked import chunked
from sertk.recipes.few_labels import mapped, with_few_labels
from sertk.recipes.recipe import Recipe, override


def prepare(recipe, manifest, changes=None, *, cache=None, skip_bad=False, progress=True):
    """Makes of a recipe and a corpus what a run begins with.

    Args:
        recipe: `Recipe`, or the name of one.
        manifest: DataFrame of `sertk.corpora.load`.
        changes: dict of settings to override. Defaults to None.
        cache: folder for decoded waveforms. Defaults to that of `sertk.audio.WaveformCache`.
        skip_bad: bool, whether clips that can't be decoded are left out. Defaults to False.
        progress: bool, whether to show bars on a terminal. Defaults to True.

    Returns:
        The `Recipe`, the manifest with the recipe's labels, and a list of (name, split), one a fold.

    Raises:
        ValueError: as `sertk.train` does.
    """
    recipe = override(recipe if isinstance(recipe, Recipe) else get(recipe), changes or {})
    recipe = _anywhere(recipe)
    if not skip_bad:
        refuse_bad(manifest)
    manifest = mapped(recipe, manifest)
    if manifest["corpus"].isna().any():
        raise ValueError(
            "`corpus` must be known for each clip: speakers are told apart by it; fill it in. "
            f"Received: {manifest['corpus'].isna().sum()} clips without a corpus"
        )
    if manifest["path"].map(is_image).all():
        raise ValueError(
            "`manifest` must hold sounds: a recipe draws its own images; train on images with `sertk.images.Images` "
            f"and `model.fit`. Received: {len(manifest)} images, the first {manifest['path'].iloc[0]}"
        )
    assemble.check_settings(_of_some_length(recipe))
    manifest["path"] = manifest["path"].map(lambda path: str(Path(path).absolute())).astype("string")
    waveforms = assemble.waveforms(recipe, cache)
    manifest = without_bad(manifest, waveforms, skip_bad, progress=progress)
    recipe = _as_long_as_the_longest(recipe, waveforms, manifest, progress)

    def divide(clips):
        return divided(recipe, clips)

    manifest, parts = chunked(recipe, manifest, divide, waveforms, progress=progress)
    return recipe, manifest, [(name, with_few_labels(recipe, split)) for name, split in parts]


def divided(recipe, manifest):
    """The splits of a manifest, as a recipe's `split` says: `sertk.corpora.divide`."""
    chosen = recipe.split
    return sertk.corpora.divide(
        manifest,
        chosen.kind,
        fractions=chosen.fractions,
        k=chosen.k,
        validation=chosen.validation,
        seed=chosen.seed,
        file=chosen.file,
    )


def _anywhere(recipe):
    """The recipe with absolute paths: a run may be gone on with from another folder."""
    weights, backbone = (recipe.model.options.get(name) for name in ("weights", "backbone"))
    if weights not in (None, "imagenet", "pretrained"):
        recipe = override(recipe, {"model.weights": str(Path(weights).expanduser().absolute())})
    # The name of a checkpoint looks like a path, and is one where such a folder is.
    if recipe.model.builder == "ssl_classifier" and isinstance(backbone, str) and Path(backbone).expanduser().exists():
        recipe = override(recipe, {"model.backbone": str(Path(backbone).expanduser().absolute())})
    for name, value in (
        ("features.source", recipe.features.source),
        ("upstream.source", recipe.upstream.source),
        ("graph.file", recipe.graph.file),
        ("start.source", recipe.start.source),
        ("teacher.source", recipe.teacher.source),
        ("teacher.labels", recipe.teacher.labels),
    ):
        if value and Path(value).expanduser().exists():
            recipe = override(recipe, {name: str(Path(value).expanduser().absolute())})
    return recipe


def _of_some_length(recipe):
    """The recipe with a length for checks, where that of the corpus's longest clip is not known yet."""
    if not isinstance(recipe.audio.seconds, str):
        return recipe
    if recipe.audio.seconds != "longest":
        raise ValueError(
            f"`audio.seconds` must be a number, null or longest. Received: audio.seconds={recipe.audio.seconds!r}"
        )
    return override(recipe, {"audio.seconds": 60.0})


def _as_long_as_the_longest(recipe, waveforms, manifest, progress):
    """The recipe with the length of the corpus's longest clip, where it asks for that."""
    if recipe.audio.seconds != "longest":
        return recipe
    entries = waveforms.prepare(manifest["path"], progress=progress)
    longest = max(entry.stat().st_size // BYTES for entry in entries)
    return override(recipe, {"audio.seconds": longest / recipe.audio.sample_rate})
