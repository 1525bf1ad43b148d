"""`sertk predict`: what a model makes of audio files: of each, of every moment of a long one, and why."""

import json
from pathlib import Path
from typing import Annotated

import typer

from sertk.cli.options import SkipBad, load_tensorflow


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A run's folder, a SavedModel or a .tflite file.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Audio files, and folders of them.")],
    windows: Annotated[
        bool, typer.Option("--windows", help="Average over the whole of a long recording, in overlapping windows.")
    ] = False,
    window: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="How long a window is; by default what the model hears.")
    ] = None,
    hop: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="From one window to the next; by default half a window."),
    ] = None,
    timeline: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE", help="Write what each window says, as .csv, .json or .png; may be given several times."
        ),
    ] = [],  # noqa: B006  (typer wants the default itself)
    explain: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png", help="Draw which times and bands the answer hangs on; of one file, for a run's network."
        ),
    ] = None,
    method: Annotated[str, typer.Option(help="Of --explain: auto, grad-cam or integrated-gradients.")] = "auto",
    skip_bad: SkipBad = False,
    max_seconds: Annotated[
        float | None,
        typer.Option(help="The longest recording to read, in seconds; by default an hour, with windows any length."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
):
    """Predict the emotion of audio files of any length. --window, --hop and --timeline ask for windows too."""
    from sertk.inference.timeline_files import check_timeline_path

    for path in timeline:
        check_timeline_path(path)
    if explain is not None and explain.suffix.lower() != ".png":
        raise ValueError(f"`--explain` draws a picture, whose name must end in .png. Received: {explain}")
    if explain is None and method != "auto":
        raise ValueError(f"`--method` is of no use without --explain; leave it out. Received: {method}")
    if not skip_bad:  # which leaves one of several, perhaps
        from sertk.inference.finding import audio_files

        _check_pictures(len(audio_files(files)), timeline, explain)
    load_tensorflow(model)
    from sertk.inference import Predictor
    from sertk.inference import predict as of_files

    predictor = Predictor(model)
    if explain is not None:
        _check_explained(predictor, model, method)
    over_time = None
    if timeline or window is not None or hop is not None:
        over_time, table = _over_time(predictor, files, timeline, window, hop, skip_bad, max_seconds)
    else:
        table = of_files(predictor, files, windows=windows, skip_bad=skip_bad, max_seconds=max_seconds)
    for left_out in table.attrs["skipped"]:
        typer.echo(f"sertk: left out {left_out['path']}: {left_out['reason']}", err=True)
    if as_json:
        typer.echo(json.dumps(_records(table, predictor.classes), indent=2))
    else:
        _echo_table(table, predictor.classes)
    for path in timeline:
        told = "1 window is" if len(over_time) == 1 else f"{len(over_time)} windows are"
        typer.echo(f"sertk: {told} in {path}", err=True)
    if explain is not None:
        _explain(predictor, table, explain, method, windows, over_time)
    heard = float("inf") if predictor.samples is None else predictor.samples / predictor.sample_rate
    longer = (table["seconds"] > 2 * heard).sum()
    if longer and not windows and over_time is None and predictor.chunks_top_db is None and not as_json:
        told = "1 file is" if longer == 1 else f"{longer} files are"
        typer.echo(
            f"sertk: {told} over twice as long as the {heard:g} s that the model hears; --windows averages over the "
            "whole",
            err=True,
        )


def _over_time(predictor, files, paths, window, hop, skip_bad, max_seconds):
    """The timeline, written to all paths, and a row a file."""
    from sertk.inference import summary, timeline, write_timeline

    longest = float("inf") if max_seconds is None else max_seconds
    table = timeline(predictor, files, window=window, hop=hop, skip_bad=skip_bad, max_seconds=longest)
    of_files = summary(table)
    _check_pictures(len(of_files), paths, None)
    for path in paths:
        write_timeline(table, path)
    return table, of_files


def _check_pictures(count, timelines, explain):
    """Refuses one picture of several files: before anything is predicted, where it shows by then."""
    if count > 1 and any(path.suffix.lower() == ".png" for path in timelines):
        raise ValueError(
            f"`--timeline` draws one recording at a time; .csv and .json take several. Received: {count} files"
        )
    if count > 1 and explain is not None:
        raise ValueError(f"`--explain` draws one recording at a time. Received: {count} files")


def _check_explained(predictor, model, method):
    """Refuses what no prediction could make up for."""
    if predictor.network is None:
        raise ValueError(f"`--explain` needs a run: what was exported holds no layers to look into. Received: {model}")
    from sertk.inference.explanation.explaining import METHODS

    if method not in METHODS:
        raise ValueError(f"`--method` must be one of {', '.join(METHODS)}. Received: {method}")


def _explain(predictor, table, path, method, windows, over_time):
    from sertk.inference import explain, plot_explanation
    from sertk.inference.part import part_of, strongest

    _check_pictures(len(table), [], path)
    answer = table.iloc[0]
    start, samples = strongest(predictor, answer, over_time) if windows or over_time is not None else (0, None)
    waveform = part_of(answer["path"], predictor.sample_rate, start, samples)
    explanation = explain(predictor, waveform, emotion=answer["predicted"], method=method)
    plot_explanation(explanation, path, title=Path(answer["path"]).name, offset=start / predictor.sample_rate)
    typer.echo(f"sertk: {explanation.sentence(offset=start / predictor.sample_rate)} The picture is {path}", err=True)


def _records(table, classes):
    return [
        {
            "path": row["path"],
            "seconds": row["seconds"],
            "predicted": row["predicted"],
            "probabilities": {name: row[f"p_{name}"] for name in classes},
        }
        for row in table.to_dict("records")
    ]


def _echo_table(table, classes):
    path_width = max(len("file"), *table["path"].map(len))
    widths = [max(len(name), 5) for name in classes]
    label_width = max(map(len, classes))
    header = "  ".join(f"{name:>{width}}" for name, width in zip(classes, widths, strict=True))
    typer.echo(f"{'file':{path_width}}  {'predicted':{max(9, label_width)}}  {header}")
    for row in table.to_dict("records"):
        cells = "  ".join(f"{row[f'p_{name}']:>{width}.3f}" for name, width in zip(classes, widths, strict=True))
        typer.echo(f"{row['path']:{path_width}}  {row['predicted']:{max(9, label_width)}}  {cells}")
