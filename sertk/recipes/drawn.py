"""The images that a recipe's network sees, as files."""

import itertools
from pathlib import Path

import pandas as pd

from sertk.atomic import replacing
from sertk.features import SpectrogramImage
from sertk.images import save_image, write_images
from sertk.recipes import assemble
from sertk.recipes.prepared import prepare


def draw(recipe, manifest, directory, *, changes=None, cache=None, skip_bad=False, progress=True):
    """Writes the spectrogram images of a corpus as a recipe's network sees them: folders of PNGs and a CSV.

    Args:
        recipe: `Recipe`, or the name of one whose features are images, such as `"004-vgg16-1"`.
        manifest: DataFrame of `sertk.corpora.load`.
        directory: folder for `<emotion>/*.png` and `emotion.csv`.
        changes: dict of settings to override. Defaults to None.
        cache, skip_bad: as in `sertk.train`.
        progress: bool, whether to show bars on a terminal. Defaults to True.

    Returns:
        DataFrame, as `sertk.images.write_images` gives it; with the column `part`, where the recipe has one split.

    Raises:
        ValueError: if the recipe's features are no images, or as in `sertk.train`.

    Example:
        >>> draw("004-vgg16-1", sertk.corpora.load("ravdess", "data/ravdess"), "images/ravdess")
    """
    recipe, manifest, parts = prepare(recipe, manifest, changes, cache=cache, skip_bad=skip_bad, progress=progress)
    image = assemble.features(recipe)
    if not isinstance(image, SpectrogramImage):
        raise ValueError(
            "`recipe` must have images for features; choose a recipe of an image network, or set "
            f"features.kind=mel_image. Received: {recipe.name} with features.kind={recipe.features.kind!r}"
        )
    drawn = parts[0][1] if len(parts) == 1 else manifest
    waveforms, cutting = assemble.waveforms(recipe, cache), assemble.fixed_length(recipe)
    table = write_images(drawn, directory, image, waveforms, cutting, progress)
    if skipped := manifest.attrs.get("skipped"):
        with replacing(Path(directory) / "skipped.csv") as unfinished:
            pd.DataFrame(skipped).to_csv(unfinished, index=False)
    return table


def draw_examples(pipelines, features, directory):
    """Writes one image of each emotion: that of the first clip with it.

    Args:
        pipelines: list of `sertk.pipeline.Clips` of waveforms or of images; the first one that has an emotion gives it.
        features: the layer that makes images of waveforms, or None where the clips are images already.
        directory: folder for `<emotion>.png`.
    """
    classes = pipelines[0].classes
    missing = set(range(len(classes)))
    for batch, labels in itertools.chain.from_iterable(clips.dataset for clips in pipelines):
        for row, label in enumerate(labels.numpy().argmax(axis=1)):
            if label in missing:
                example = batch[row : row + 1]
                image = example if features is None else features(example)
                save_image(image[0].numpy(), directory / f"{classes[label]}.png")
                missing.remove(label)
        if not missing:
            return
