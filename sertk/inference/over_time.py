"""A recording over time: what a model says of every window of a file of any length, in constant memory."""

import math

import pandas as pd

from sertk.audio import read_blocks
from sertk.audio.decode import check_max_seconds
from sertk.inference.finding import audio_files, naming
from sertk.inference.predictor import Predictor
from sertk.inference.stream import Stream
from sertk.progress import progress_bar


def timeline(model, files, *, window=None, hop=None, skip_bad=False, max_seconds=math.inf, progress=True):
    """Follows the emotion through audio files of any length, by overlapping windows.

    Files are read block by block and forgotten: an hour takes the memory of a minute. What is said of a window is what
    the model says of those samples alone. The last window ends with the recording; of one that is shorter than a
    window, there is one row for all of it.

    Args:
        model: `Predictor`, or the folder of a run or of a SavedModel.
        files: audio files and folders, which are searched for audio files at any depth.
        window, hop: as in `Stream`.
        skip_bad: bool, whether files that can't be decoded to their end, or that the model refuses, are left out and
            listed in the table's `attrs["skipped"]`; otherwise the first one is an error. Defaults to False.
        max_seconds: float, the longest recording to read, in seconds. Defaults to infinity.
        progress: bool, whether a bar shows how many windows are done. Defaults to True.

    Returns:
        DataFrame, a row a window: `path`; `start` and `end` in seconds; `level_db`, how loud it is, as in `Moment`;
        `predicted`, and `p_<emotion>` for each class. `attrs["window"]` and `attrs["hop"]` are theirs in seconds.

    Raises:
        FileNotFoundError: if a file or folder does not exist.
        ValueError: if an argument is out of range, a file can't be decoded, or with `skip_bad` none can.

    Example:
        >>> timeline("runs/first", ["interview.mp3"], hop=0.5)[["start", "end", "predicted"]]
    """
    paths = audio_files(files)
    check_max_seconds(max_seconds)
    predictor = model if isinstance(model, Predictor) else Predictor(model)
    rows, skipped = [], []
    with progress_bar(desc="predicting", unit="window", show=progress) as bar:
        for path in paths:
            stream = Stream(predictor, window=window, hop=hop)
            try:
                with naming(path):
                    rows += _of_file(path, stream, max_seconds, bar)
            except (ValueError, OSError) as error:
                if not skip_bad:
                    raise
                skipped.append({"path": str(path), "reason": str(error).removeprefix(f"{path}: ")})
    if not rows:
        raise none_sound(skipped)
    table = pd.DataFrame(rows)
    table.attrs |= {"skipped": skipped, "window": stream.window, "hop": stream.hop}
    return table


def summary(table):
    """A row a file from a timeline: the average of its windows' probabilities, in `predict`'s form.

    Args:
        table: DataFrame that `timeline` returned.

    Returns:
        DataFrame, a row a file: `path`, `seconds`, `predicted`, and `p_<emotion>` for each class.
    """
    columns = [name for name in table if name.startswith("p_")]
    # Each file has one window that begins at 0, and a file may be named twice.
    by_file = table.groupby((table["start"] == 0).cumsum().to_numpy())
    averages = by_file[columns].mean()
    told = pd.DataFrame({"path": by_file["path"].first(), "seconds": by_file["end"].max().round(3)})
    told["predicted"] = averages.idxmax(axis=1).str.removeprefix("p_")
    told = told.join(averages).reset_index(drop=True)
    told.attrs["skipped"] = table.attrs.get("skipped", [])
    return told


def none_sound(skipped):
    """The error for files of which none could be decoded."""
    return ValueError(
        f"`files` must name at least one file that can be decoded. Received: {len(skipped)} that can't, the first "
        f"{skipped[0]['path']}: {skipped[0]['reason']}"
    )


def _of_file(path, stream, max_seconds, bar):
    predictor, rows = stream.predictor, []

    def tell(moments):
        bar.update(len(moments))
        rows.extend(_row(path, moment, predictor.classes) for moment in moments)

    for block in read_blocks(path, predictor.sample_rate, max_seconds=max_seconds):
        tell(stream.feed(block))
    tell(stream.end())
    if not rows:
        raise ValueError(predictor.too_short(round(stream.seconds * stream.sample_rate)))
    return rows


def _row(path, moment, classes):
    # Six decimals are exact: a sample is 62.5 microseconds.
    row = {"path": str(path), "start": round(moment.start, 6), "end": round(moment.end, 6)}
    row |= {"level_db": round(moment.level_db, 2), "predicted": moment.predicted}
    return row | {f"p_{name}": float(p) for name, p in zip(classes, moment.probabilities, strict=True)}
