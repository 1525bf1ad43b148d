"""`sertk graph`: which clips a network finds alike, and whether those share their emotion."""

from pathlib import Path
from typing import Annotated

import typer

from sertk.cli.options import Cache, SkipBad, layer_of, load_tensorflow, manifest_of

SHOWN = 3


def graph(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A checkpoint on the Hugging Face hub, its folder, a run's folder, or one that `sertk embed` wrote.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the graph goes.")],
    corpus: Annotated[
        list[str],
        typer.Option(
            "--corpus", "-c", metavar="NAME=DIR", help="A corpus; by default the clips of the split or the embeddings."
        ),
    ] = [],  # noqa: B006  (typer wants the default itself)
    split: Annotated[
        Path | None, typer.Option(metavar="SPLIT.csv", help="Take the training clips of this split alone.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option(metavar="RUN_DIR", help="Take the training clips of this run's split alone.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Neighbours have a cosine similarity above it; by default 0.99.")
    ] = None,
    degree: Annotated[
        float | None,
        typer.Option(help="Choose the threshold that gives a clip so many neighbours on average, before the cap."),
    ] = None,
    neighbors: Annotated[int, typer.Option(help="How many of its nearest a clip names at most.")] = 9,
    layer: Annotated[
        str | None, typer.Option(help="As in `sertk embed`; of a run that hears no speech encoder a layer's name.")
    ] = None,
    pooling: Annotated[str, typer.Option(help="mean, sum or max over time.")] = "mean",
    skip_bad: SkipBad = False,
    cache: Cache = None,
):
    """Join the clips that a network finds alike, and tell whether neighbours share their emotion."""
    if split is not None and run is not None:
        raise ValueError(f"`--split` and `--run` both name a split; give one of them. Received: {split} and {run}")
    manifest = manifest_of(corpus) if corpus else None
    load_tensorflow()
    from sertk.recipes import graph_of_corpus

    _, statistics = graph_of_corpus(
        source,
        output,
        manifest,
        split=split or run,
        threshold=threshold,
        degree=degree,
        max_neighbors=neighbors,
        layer=layer_of(layer),
        pooling=pooling,
        cache=cache,
        skip_bad=skip_bad,
    )
    for name, words in _table(statistics):
        typer.echo(f"{name:18}  {words}")
    if statistics["split"] is None:
        typer.echo("All clips are in the graph; to train with it take those of the training part: --split or --run.")
    typer.echo(
        f"{output / 'graph.npz'} and {output / 'graph.tsv'} hold the graph, {output / 'statistics.json'} the rest."
    )


def _table(statistics):
    degree, isolated, parts = statistics["degree"], statistics["isolated"], statistics["components"]
    yield "clips", f"{statistics['clips']:,}"
    yield "edges", f"{statistics['edges']:,}, of a similarity over {statistics['threshold']:.6g}"
    yield "neighbours a clip", f"mean {degree['mean']:.2f}, median {degree['median']:g}, most {degree['max']}"
    yield "connected parts", f"{parts['count']:,}, the largest of {parts['largest']:,} clips"
    some = ", ".join(isolated["keys"][:SHOWN]) + ", ..." * (isolated["count"] > SHOWN)
    yield "isolated clips", f"{isolated['count']:,}" + f": {some}" * bool(some)
    agreement = statistics["agreement"]
    yield "label agreement", f"{_share(agreement)} of the edges"
    for name, of_label in agreement["by_label"].items():
        yield f"  {name}", f"{_share(of_label)}, {of_label['clips']:,} clips"


def _share(of):
    share = "   –  " if of["share"] is None else f"{of['share']:6.1%}"
    return share if of["chance"] is None else f"{share} (by chance {of['chance']:.1%})"
