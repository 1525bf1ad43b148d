"""`sertk export`: a run's model for others to serve: a SavedModel, or a file for LiteRT."""

from pathlib import Path
from typing import Annotated

import typer

from sertk.cli.options import package

FORMATS = ("saved-model", "litert")


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="The folder of a finished run.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Such as saved_models/NAME/1, or NAME.tflite of litert.")
    ],
    model_format: Annotated[
        str,
        typer.Option("--format", help=f"{' or '.join(FORMATS)}.", show_default="litert for .tflite, else saved-model"),
    ] = "",
    quantize: Annotated[
        str | None, typer.Option(metavar="FORMAT", help="Of litert: float16 or int8; by default float32.")
    ] = None,
    calibration: Annotated[
        list[str],
        typer.Option(
            metavar="COUNT_OR_FILE",
            help="Of int8: how many training and validation clips the ranges are measured on (default 200), or files "
            "and folders to take instead; may be given several times.",
        ),
    ] = [],  # noqa: B006  (typer wants the default itself)
    max_seconds: Annotated[
        float | None,
        typer.Option(help="Of a SavedModel: the longest recording that it takes, in seconds.", show_default="60"),
    ] = None,
    warm_up: Annotated[
        bool | None,
        typer.Option(
            "--warm-up/--no-warm-up",
            help="Of a SavedModel: write requests that warm TF Serving up, which needs the extra `serving`.",
            show_default="if that is installed",
        ),
    ] = None,
):
    """Export a run's model: a SavedModel that takes WAV files and waveforms, or a LiteRT file that takes waveforms."""
    chosen = model_format or ("litert" if output.suffix == ".tflite" else "saved-model")
    if chosen not in FORMATS:
        raise ValueError(f"`--format` must be one of {', '.join(FORMATS)}. Received: {model_format}")
    if chosen == "litert":
        refused = {"--max-seconds": max_seconds, "--warm-up": warm_up}
    else:
        refused = {"--quantize": quantize, "--calibration": calibration or None}
    stray = next((name for name, value in refused.items() if value is not None), None)
    if stray is not None:
        raise ValueError(f"`{stray}` is of no use with --format {chosen}; leave it out. Received: {refused[stray]}")
    if chosen == "litert":
        _litert(run, output, quantize, calibration)
    else:
        export_saved_model = package().export_saved_model
        from sertk.export.saved_model import LONGEST

        longest = LONGEST if max_seconds is None else max_seconds
        export_saved_model(run, output, max_seconds=longest, warm_up=warm_up)
        typer.echo(
            f"{output} takes WAV files (audio_bytes) and waveforms, float32 (batch, samples), of up to {longest:g} s, "
            "and gives label, classes and probabilities, or an embedding."
        )
    described = package().Run.open(run).description
    if described["chunks_top_db"] is not None:
        typer.echo(
            f"It hears chunks: of a longer waveform only the middle {described['seconds']:g} s. `sertk predict` cuts "
            "recordings and averages; who asks a server has to."
        )


def _litert(run, output, quantize, calibration):
    count = len(calibration) == 1 and calibration[0].lstrip("-").isdigit()
    package().export_litert(
        run, output, quantize=quantize, calibration=int(calibration[0]) if count else calibration or None
    )
    kept = {None: "float32", "float16": "float16", "int8": "int8, features in float32"}[quantize]
    rate = package().Run.open(run).description["sample_rate"]
    typer.echo(
        f"{output}, {output.stat().st_size / 1e6:.2f} MB, {kept}, takes a waveform, float32 (1, samples), at {rate} Hz "
        "and gives probabilities. Classes and rate are in it: it is a zip archive too."
    )
