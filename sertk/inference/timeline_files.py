"""A timeline as a file: a table for a spreadsheet, JSON for a program, a picture for whoever looks."""

import json
from pathlib import Path

from sertk.atomic import replacing


def write_timeline(table, path):
    """Writes a timeline in the format that the file's name ends in.

    - `.csv`: the table, a row a window.
    - `.json`: a list with an object a recording: `path`, `seconds`, `window` and `hop` in seconds, `classes`, and
      `moments`, each with `start`, `end`, `level_db`, `predicted` and `probabilities` by class.
    - `.png`: the picture that `plot_timeline` draws, of one recording.

    Args:
        table: DataFrame that `timeline` returned.
        path: the file; its folder is made if it is missing.

    Returns:
        The path, as a `Path`.

    Raises:
        ValueError: if the name ends otherwise, or a picture is asked for of several recordings.
    """
    path = Path(path)
    check_timeline_path(path)
    if path.suffix.lower() == ".png":
        from sertk.inference.timeline_plot import plot_timeline

        return plot_timeline(table, path)
    with replacing(path) as temporary:
        if path.suffix.lower() == ".csv":
            table.to_csv(temporary, index=False)
        else:
            temporary.write_text(json.dumps(timeline_records(table), indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path


def check_timeline_path(path):
    """Refuses a name that tells no format.

    Args:
        path: where a timeline shall be written.

    Raises:
        ValueError: if it does not.
    """
    if Path(path).suffix.lower() not in (".csv", ".json", ".png"):
        raise ValueError(f"{path}: a timeline's file must end in .csv, .json or .png. Received: {Path(path).suffix!r}")


def timeline_records(table):
    """A timeline as lists and dicts, which JSON can hold; `write_timeline` tells what is in it.

    Args:
        table: DataFrame that `timeline` returned.

    Returns:
        list of dict, one a recording.
    """
    classes = [name[2:] for name in table if name.startswith("p_")]
    told = []
    for row in table.to_dict("records"):
        if row["start"] == 0:
            told.append({"path": row["path"], "window": table.attrs["window"], "hop": table.attrs["hop"]})
            told[-1] |= {"classes": classes, "moments": []}
        moment = {name: row[name] for name in ("start", "end", "level_db", "predicted")}
        told[-1]["moments"].append(moment | {"probabilities": {name: row[f"p_{name}"] for name in classes}})
        told[-1]["seconds"] = row["end"]
    return told
