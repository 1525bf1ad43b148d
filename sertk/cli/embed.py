"""`sertk embed`: what a frozen network makes of each clip of a corpus."""

from pathlib import Path
from typing import Annotated

import typer

from sertk.cli.options import Cache, Corpora, SkipBad, layer_of, load_tensorflow, manifest_of


def embed(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A checkpoint on the Hugging Face hub, such as facebook/wav2vec2-base, its folder, or a run's folder.",
        ),
    ],
    corpus: Corpora,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the embeddings go.")],
    layer: Annotated[
        str | None,
        typer.Option(
            help="Which hidden state: 0, 1, ..., -1 the last, mean for the mean of all, or embedding for a run's own "
            "vector; of a run that hears no speech encoder a layer's name. By default the last, or a run's own vector."
        ),
    ] = None,
    pooling: Annotated[str, typer.Option(help="mean, sum or max over time, or none for a vector a frame.")] = "mean",
    seconds: Annotated[float | None, typer.Option(help="Crop longer clips to that length; by default none.")] = None,
    batch_size: Annotated[int, typer.Option(help="Clips at once.")] = 8,
    skip_bad: SkipBad = False,
    cache: Cache = None,
):
    """Embed a corpus with a frozen network. The same command goes on where it was stopped; a clip is embedded once."""
    manifest = manifest_of(corpus)
    load_tensorflow()
    from sertk.recipes import embed_corpus

    manifest, arrays = embed_corpus(
        source,
        manifest,
        output,
        layer=layer_of(layer),
        pooling=pooling,
        seconds=seconds,
        batch_size=batch_size,
        cache=cache,
        skip_bad=skip_bad,
    )
    shape = f"{len(arrays):,} embeddings of {arrays[0].shape[-1]} channels"
    file = "embeddings.npy" if arrays[0].ndim == 1 else "states"
    typer.echo(f"{shape} are in {output / file}; {output / 'manifest.csv'} lists their clips.")
