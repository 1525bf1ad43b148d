"""The images that a recipe's network sees, as files."""

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
    return write_images(
        drawn, directory, image, assemble.waveforms(recipe, cache), assemble.fixed_length(recipe), progress
    )


def draw_examples(clips, features, directory):
    """Writes one image of each emotion: that of the first clip with it.

    Args:
        clips: `sertk.pipeline.Clips` of waveforms or of images.
        features: the layer that makes images of waveforms, or None where the clips are images already.
        directory: folder for `<emotion>.png`.
    """
    missing = set(range(len(clips.classes)))
    for batch, labels in clips.dataset:
        for row, label in enumerate(labels.numpy().argmax(axis=1)):
            if label in missing:
                example = batch[row : row + 1]
                image = example if features is None else features(example)
                save_image(image[0].numpy(), directory / f"{clips.classes[label]}.png")
                missing.remove(label)
        if not missing:
            return
