"""From chunks to clips: what a model says of a clip is what it says of its chunks on average."""

from sertk.corpora.manifest import require_columns
from sertk.evaluation.predictions import PREFIX, class_names, predictions_table


def by_clip(predictions):
    """Averages the probabilities of the chunks of each clip.

    Args:
        predictions: DataFrame as `sertk.evaluation.predictions_table` makes it, several rows a `path`.

    Returns:
        The same with one row a clip, and a fold where there is a column `fold`, each fold having a model of its own; in
        the order in which the clips come first; without the columns `chunk_start` and
        `duration`, which are a chunk's.

    Raises:
        ValueError: if a column is missing.
    """
    require_columns(predictions, ("path", "emotion"), name="predictions")
    classes = class_names(predictions)
    folds = ["fold"] if "fold" in predictions else []
    groups = predictions.groupby([*folds, "path"], sort=False)
    probabilities = groups[[PREFIX + name for name in classes]].mean().to_numpy()
    said = [name for name in predictions if name == "predicted" or str(name).startswith(PREFIX)]
    clips = groups.head(1).drop(columns=[*said, "chunk_start", "duration"], errors="ignore").reset_index(drop=True)
    return predictions_table(clips, probabilities, classes)
