"""`sertk demo`: a page to try a model on."""

from pathlib import Path
from typing import Annotated

import typer

from sertk.cli.options import load_tensorflow


def demo(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A run's folder, a SavedModel or a .tflite file.")],
    share: Annotated[
        bool,
        typer.Option("--share", help="Give a public link, through Gradio's servers; `!sertk demo` in Colab needs it."),
    ] = False,
    port: Annotated[int | None, typer.Option(help="By default the first free one from 7860 on.")] = None,
    max_seconds: Annotated[float, typer.Option(help="The longest recording that it takes, in seconds.")] = 120.0,
):
    """Open a page on which to record or upload speech and see what a model makes of it; Ctrl-C ends it."""
    load_tensorflow()
    from sertk.demo import serve

    serve(model, share=share, port=port, max_seconds=max_seconds)
