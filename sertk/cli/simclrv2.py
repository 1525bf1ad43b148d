"""`sertk simclrv2`: algorithm 1 of paper 000, stage after stage."""

from pathlib import Path
from typing import Annotated

import typer

from sertk.cli.options import Cache, Settings, changes_of, command_line, load_tensorflow, manifest_of, split_of, table

Corpora = list[str]


def simclrv2(
    source: Annotated[Corpora, typer.Option("--source", metavar="NAME=DIR", help="A labelled source corpus.")],
    target: Annotated[
        Corpora,
        typer.Option("--target", metavar="NAME=DIR", help="The target, whose labels are few."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="A folder for all stages.")],
    unlabelled: Annotated[
        Corpora, typer.Option("--unlabelled", metavar="NAME=DIR", help="A source whose labels are not looked at.")
    ] = [],  # noqa: B006  (typer wants the default itself)
    encoder: Annotated[str, typer.Option(help="resnet50, resnet9, cnn6 or speech-simclr.")] = "resnet50",
    labels: Annotated[float, typer.Option(help="The share of the target's training clips that keep theirs.")] = 0.01,
    split: Annotated[
        str | None, typer.Option(metavar="KIND", help="How to divide the target, as in `sertk train`.")
    ] = None,
    settings: Settings = [],  # noqa: B006
    small: Annotated[bool, typer.Option("--small", help="For two cores: 1 s of a clip, 10 epochs.")] = False,
    cache: Cache = None,
):
    """Pre-train on sources, teach from few labels, and pour it into a student. The same command goes on with it."""
    named = (("--source", source), ("--unlabelled", unlabelled))
    manifests = [[manifest_of([each], option) for each in group] for option, group in named]
    aim = manifest_of(target, "--target")
    load_tensorflow()
    from sertk.recipes import SMALL, simclrv2

    changes = {**(SMALL if small else {}), "split.labelled": labels, **changes_of(settings), **split_of(split)}
    said = simclrv2(*manifests, aim, output, encoder=encoder, changes=changes, cache=cache, command=command_line())
    rows = [
        [who, *(_figure(said[measure][who], len(said["folds"])) for measure in ("uar", "accuracy"))]
        for who in ("teacher", "student")
    ]
    typer.echo("\n" + table(["", "UAR", "accuracy"], rows))
    typer.echo(f"Everything is in {output}; {output / 'summary.json'} has the figures and what the transfer told.")


def _figure(value, folds):
    spread = f" +- {100 * value['std']:.1f}" if folds > 1 else ""
    return f"{100 * value['mean']:.1f}{spread}"
