"""The predictions table: what a model said about every clip, beside the truth."""

from pathlib import Path

import numpy as np
import pandas as pd

from sertk.atomic import replacing
from sertk.corpora.manifest import require_columns
from sertk.plain_csv import read_cells

PREFIX = "p_"
# A softmax in float16 is off by some 1e-4; an array of logits, or one that was cut, by far more.
SUM_TOLERANCE = 1e-3


def predictions_table(manifest, probabilities, classes):
    """Joins a manifest and a model's probabilities into the table that every evaluation starts from.

    One row a clip, in the order of the manifest: `path`, `emotion` (the truth), `predicted` (the likeliest class;
    the first of equals), one float column `p_<class>` a class in the order of `classes`, then every other column of
    the manifest (`speaker`, `gender`, `corpus`, ...).

    Args:
        manifest: DataFrame with the columns `path` and `emotion`, one row a clip.
        probabilities: array `(clips, classes)`, row i for row i of the manifest; every row sums to 1.
        classes: the names of the classes, in the order of the model's outputs.

    Returns:
        A new DataFrame with a fresh index.

    Raises:
        ValueError: if a column is missing or taken, the shapes don't match, a probability is not a number in
            [0, 1], a row does not sum to 1 within 0.001, or a clip's emotion is not one of `classes`.

    Example:
        >>> manifest = pd.DataFrame({"path": ["a.wav"], "emotion": ["sad"], "speaker": ["01"]})
        >>> predictions_table(manifest, [[0.25, 0.75]], ["angry", "sad"])
            path emotion predicted  p_angry  p_sad speaker
        0  a.wav     sad       sad     0.25   0.75      01
    """
    classes = check_classes(classes)
    require_columns(manifest, ("path", "emotion"))
    taken = [name for name in manifest if name == "predicted" or str(name).startswith(PREFIX)]
    if taken:
        raise ValueError(
            f"`manifest` may not hold `predicted` or columns that begin with {PREFIX!r}, which the predictions take; "
            f"rename or drop them. Received: {taken}"
        )
    probabilities = _checked_probabilities(probabilities, len(manifest), classes)
    check_labels(manifest["emotion"], classes, "manifest")

    manifest = manifest.reset_index(drop=True)
    said = pd.DataFrame(probabilities, columns=[PREFIX + name for name in classes])
    likeliest = [classes[i] for i in probabilities.argmax(axis=1)]
    said.insert(0, "predicted", pd.array(likeliest, dtype="string"))
    return pd.concat([manifest[["path", "emotion"]], said, manifest.drop(columns=["path", "emotion"])], axis=1)


def class_names(predictions):
    """The classes of a predictions table, in the order of its `p_<class>` columns; an empty list if it has none.

    Args:
        predictions: DataFrame as `predictions_table` makes it.
    """
    return [name.removeprefix(PREFIX) for name in predictions.columns if str(name).startswith(PREFIX)]


def save_predictions(predictions, path):
    """Writes a predictions table as CSV, at once and whole, with every digit of the probabilities.

    Args:
        predictions: DataFrame as `predictions_table` makes it.
        path: the CSV file. Its folder is made if it is missing; an older file is replaced.

    Returns:
        The path, as a `Path`.
    """
    path = Path(path)
    with replacing(path) as temporary:
        predictions.to_csv(temporary, index=False, lineterminator="\n", encoding="utf-8")
    return path


def load_predictions(path):
    """Reads a predictions table that `save_predictions` wrote.

    `p_<class>` and `duration` are read as floats; everything else stays the text it was, so that speaker "01" is not
    speaker 1 and a speaker called "NA" is not an unknown one. An empty cell is a missing value.

    Args:
        path: the CSV file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file lacks one of the columns `path, emotion, predicted`, or holds a probability that is
            not a number.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"`path` must name a file that `save_predictions` wrote. Received: path={str(path)!r}, which is no file"
        )
    try:
        table = read_cells(path)
    except ValueError as error:
        raise ValueError(
            "`path` must name a CSV table in UTF-8, as `save_predictions` writes it. "
            f"Received: path={str(path)!r} ({error})"
        ) from error
    require_columns(table, ("path", "emotion", "predicted"), name=path.name)
    for column in [name for name in table if name.startswith(PREFIX) or name == "duration"]:
        try:
            table[column] = table[column].astype("float64")
        except ValueError as error:
            raise ValueError(f"The column `{column}` of {path.name} must hold numbers. Received: {error}") from error
    return table


def check_classes(classes):
    """`classes` as a list, or a ValueError that says what is wrong with it."""
    names = [] if isinstance(classes, str) else list(classes)
    if not names or len(set(names)) != len(names) or not all(isinstance(name, str) and name for name in names):
        raise ValueError(
            "`classes` must be a list of class names, each once, in the order of the model's outputs. "
            f"Received: classes={classes!r}"
        )
    return names


def check_labels(labels, classes, where, column="emotion"):
    """Refuses labels that are missing or not among `classes`; `where` names the argument that holds them."""
    strange = labels[~labels.isin(classes)]
    if len(strange):
        found = sorted({"(missing)" if pd.isna(label) else str(label) for label in strange})
        raise ValueError(
            f"The column {column!r} of `{where}` must hold one of the classes {list(classes)}; map or drop the other "
            f"{len(strange)} clip(s). Received: {', '.join(found[:10])}"
        )


def _checked_probabilities(probabilities, clips, classes):
    array = np.asarray(probabilities, dtype="float64")
    if array.shape != (clips, len(classes)):
        raise ValueError(
            f"`probabilities` must have a row for each of the {clips} clips and a column for each of the "
            f"{len(classes)} classes. Received: shape={array.shape}"
        )
    bad = ~np.isfinite(array).all(axis=1)
    if bad.any():
        raise ValueError(
            "`probabilities` must be finite; a network whose loss became NaN says nothing. "
            f"Received: {bad.sum()} row(s) with NaN or infinity, the first is row {bad.argmax()}"
        )
    sums = array.sum(axis=1)
    bad = (np.abs(sums - 1) > SUM_TOLERANCE) | (array < 0).any(axis=1)
    if bad.any():
        first = bad.argmax()
        raise ValueError(
            "Each row of `probabilities` must be non-negative and sum to 1; put logits through a softmax first. "
            f"Received: {bad.sum()} such row(s), the first is row {first}: {np.round(array[first], 4).tolist()}"
        )
    return array
