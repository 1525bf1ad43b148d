"""`sertk listen`: what a model makes of sound as it comes in, from a microphone or a pipe."""

import contextlib
import json
import os
import statistics
import sys
from pathlib import Path
from typing import Annotated

import typer

from sertk.cli.options import load_tensorflow


def listen(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A run's folder, a SavedModel or a .tflite file.")],
    source: Annotated[
        str | None,
        typer.Argument(metavar="[-]", help="- for raw PCM from standard input; without it, the microphone."),
    ] = None,
    rate: Annotated[
        int | None, typer.Option(metavar="HZ", help="The sample rate of the PCM; by default the model's.")
    ] = None,
    encoding: Annotated[
        str, typer.Option("--format", help="Of the PCM: s16le, 16-bit integers, or f32le, floats in [-1, 1].")
    ] = "s16le",
    channels: Annotated[int, typer.Option(help="Of the PCM; they are averaged.")] = 1,
    device: Annotated[
        str | None, typer.Option(help="The microphone: a number or a part of its name (`python -m sounddevice`).")
    ] = None,
    window: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="How long a window is; by default what the model hears.")
    ] = None,
    hop: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="How often it answers; by default every half window.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print an object of JSON a line.")] = False,
):
    """Say every hop what a model makes of the sound that comes in, until it ends or Ctrl-C."""
    if source not in (None, "-"):
        raise ValueError(
            f"`sertk listen` hears a microphone, or standard input by `-`; for a file call `sertk predict {model} "
            f"{source} --windows`. Received: {source}"
        )
    if source == "-" and sys.stdin.isatty():
        raise ValueError("`-` takes raw PCM from standard input: pipe it in. Received: a terminal")
    if source == "-":
        _refuse("with `-`, raw PCM", {"--device": (device, None)})
    else:
        of_pcm = {"--rate": (rate, None), "--format": (encoding, "s16le"), "--channels": (channels, 1)}
        _refuse("with a microphone; for raw PCM add `-`", of_pcm)
    from sertk.inference import Microphone, Predictor, Stream, read_pcm

    microphone = None
    if source == "-":
        pieces = read_pcm(sys.stdin.buffer, encoding, channels)
    else:
        microphone = Microphone(int(device) if device is not None and device.isdigit() else device)
        rate = microphone.sample_rate
    load_tensorflow(model)
    predictor = Predictor(model)
    with contextlib.ExitStack() as stack:
        stream = Stream(predictor, rate, window=window, hop=hop)
        _warm_up(stream)
        if microphone is not None:
            pieces = stack.enter_context(microphone)
        _tell(stream, pieces, as_json)
        if microphone is not None and microphone.lost:
            typer.echo(
                f"sertk: {microphone.lost:.1f} s of sound were lost: this machine is too slow for an answer every "
                f"{stream.hop:g} s; take a longer --hop",
                err=True,
            )


def _refuse(source, options):
    """Refuses options that say nothing about a source; each comes with its value and its default."""
    for name, (value, default) in options.items():
        if value != default:
            raise ValueError(f"`{name}` is of no use {source}. Received: {value}")


def _warm_up(stream):
    """The first answer of a model takes longer than the others: it is about nothing."""
    import numpy as np

    stream.predictor.of_windows(np.zeros((1, round(stream.window * stream.predictor.sample_rate)), "float32"))


def _tell(stream, pieces, as_json):
    """A line a moment, each as soon as it is known; how long it took in the end."""
    from sertk.inference import listen

    classes, latencies, held_back = stream.predictor.classes, [], 0.0
    widths = [max(len(name), 5) for name in classes]
    typer.echo(
        f"sertk: listening; every {stream.hop:g} s an answer about the last {stream.window:g} s. Ctrl-C ends it",
        err=True,
    )
    try:
        if not as_json:
            names = "  ".join(f"{name:>{width}}" for name, width in zip(classes, widths, strict=True))
            typer.echo(f"{'from':>8}  {'to':>8}  {'dB':>6}  {'predicted':{max(9, *map(len, classes))}}  {names}")
        for moment, latency in listen(stream, pieces):
            # First, for Ctrl-C may come as soon as somebody has read the line.
            latencies.append(latency)
            held_back = max(held_back, stream.held_back)
            typer.echo(_json(moment, classes, latency) if as_json else _line(moment, classes, widths))
    except KeyboardInterrupt:
        typer.echo("", err=True)
    except BrokenPipeError:
        # Whoever read has enough. What Python still holds for them must not be tried again at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    typer.echo(f"sertk: {_summary(stream, latencies, held_back)}", err=True)


def _line(moment, classes, widths):
    cells = "  ".join(f"{p:>{width}.3f}" for p, width in zip(moment.probabilities, widths, strict=True))
    label = f"{moment.predicted:{max(9, *map(len, classes))}}"
    return f"{moment.start:8.2f}  {moment.end:8.2f}  {moment.level_db:6.1f}  {label}  {cells}"


def _json(moment, classes, latency):
    probabilities = {name: round(float(p), 6) for name, p in zip(classes, moment.probabilities, strict=True)}
    return json.dumps(
        {
            "start": round(moment.start, 6),
            "end": round(moment.end, 6),
            "level_db": round(moment.level_db, 2),
            "predicted": moment.predicted,
            "probabilities": probabilities,
            "latency": round(latency, 4),
        },
        ensure_ascii=False,
    )


def _summary(stream, latencies, held_back):
    heard = f"{stream.seconds:.1f} s of sound"
    if not latencies:
        return f"{heard}, too little for an answer, which takes {stream.window:g} s"
    middle, most = (1000 * value for value in (statistics.median(latencies), max(latencies)))
    resampling = f", and the resampler held back {1000 * held_back:.0f} ms before" if held_back > 0 else ""
    answers = "1 answer, which" if len(latencies) == 1 else f"{len(latencies)} answers; each"
    return (
        f"{heard}, {answers} came {middle:.0f} ms (median; at most {most:.0f}) after the last of its sound{resampling}"
    )
