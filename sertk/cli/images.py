"""`sertk images`: what an image network sees, as files to look at or to train elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from sertk.cli.options import Cache, Corpora, Settings, SkipBad, changes_of, load_tensorflow, manifest_of


def images(
    recipe: Annotated[str, typer.Argument(help="The name of a recipe with images, such as 004-vgg16-1.")],
    corpus: Corpora,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the images go.")],
    settings: Settings = [],  # noqa: B006  (typer wants the default itself)
    skip_bad: SkipBad = False,
    cache: Cache = None,
):
    """Write the images that a recipe's network sees: a folder of PNGs for each emotion, and emotion.csv."""
    manifest = manifest_of(corpus)
    load_tensorflow()
    from sertk.recipes import draw

    table = draw(recipe, manifest, output, changes=changes_of(settings), cache=cache, skip_bad=skip_bad)
    counts = ", ".join(f"{count:,} {emotion}" for emotion, count in sorted(table["emotion"].value_counts().items()))
    typer.echo(f"{len(table):,} images ({counts}) are in {output}; {output / 'emotion.csv'} lists them.")
