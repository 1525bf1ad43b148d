"""The figures of a test set: accuracy, UAR, F1, the confusions, and an interval around them."""

import operator

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_fscore_support

from sertk.corpora.manifest import require_columns, speaker_keys
from sertk.evaluation.bootstrap import LEVEL, bootstrap_interval, confusions
from sertk.evaluation.predictions import check_classes, check_labels, class_names

# Below this the percentile bootstrap over speakers is known to come out too narrow.
FEW_SPEAKERS = 10


def metrics(predictions, classes=None, resamples=1000, seed=0):
    """Scores a predictions table over all its clips at once, never as an average over batches.

    The names in the field: `accuracy`, the share of clips that were right, is its "weighted accuracy", WA; `uar`,
    the unweighted average recall, is its "unweighted accuracy", UA, or balanced accuracy. Paper 002 (Gavali, 2023)
    swaps the two names: its UA is our accuracy, its WA our UAR.

    All figures are scikit-learn's, and all values plain floats, ints, strings, lists and dicts, ready for JSON:

    - `clips`, `classes`, `absent_classes` (classes of which the test set holds no clip: they have no recall, so UAR
      is over the others)
    - `accuracy`, `uar`, `macro_f1` (over classes that were said or meant at least once), `weighted_f1`
    - `per_class`: `{class: {"precision", "recall", "f1", "support"}}`; None where a figure is 0/0, as the precision
      of a class that was never predicted
    - `confusion`: counts, rows are the truth; `confusion_normalised`: rows sum to 1, or to 0 for absent classes
    - `chance`: what knows nothing scores: `accuracy` of always saying the most frequent class, `uar` 1 / classes
      present
    - `interval`: 95 % percentile bootstrap, `{"level", "over", "speakers", "resamples", "seed", "accuracy": [low,
      high], "uar": [low, high]}`. `over` is "speakers" (told apart by corpus and speaker), or "clips" where any
      speaker is unknown, which ignores that clips of one speaker are alike. `caution` then says so, or that there
      are few speakers. Where no interval can be given, `accuracy` and `uar` are None and `why` says why.

    Args:
        predictions: DataFrame with `emotion`, `predicted` and, for an interval over speakers, `speaker` and `corpus`.
        classes: the names of the classes in order. Defaults to those of the `p_<class>` columns or, without these,
            to all that occur, sorted.
        resamples: of the bootstrap; 0 leaves the interval out. Defaults to 1000.
        seed: of the bootstrap. Defaults to 0.

    Raises:
        ValueError: if the table is empty or lacks a column, or a label is not one of `classes`.

    Example:
        >>> table = pd.DataFrame({"emotion": ["sad", "sad", "happy"], "predicted": ["sad", "happy", "happy"]})
        >>> scores = metrics(table)
        >>> round(scores["accuracy"], 3), scores["uar"]
        (0.667, 0.75)
    """
    resamples = _checked_resamples(resamples)
    classes = _checked_table(predictions, classes)

    truth, predicted = (pd.Index(classes).get_indexer(predictions[name]) for name in ("emotion", "predicted"))
    counts = confusions(truth, predicted, np.zeros_like(truth), len(classes))[0]
    support, hits = counts.sum(axis=1), counts.diagonal()
    present = support > 0
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, predicted, labels=range(len(classes)), zero_division=np.nan
    )
    return {
        "clips": len(predictions),
        "classes": classes,
        "absent_classes": [name for name, there in zip(classes, present, strict=True) if not there],
        "accuracy": float(hits.sum() / len(predictions)),
        "uar": float(recall[present].mean()),
        "macro_f1": float(np.nanmean(f1)),
        "weighted_f1": float(np.average(f1[present], weights=support[present])),
        "per_class": {
            name: {
                "precision": _number(precision[i]),
                "recall": _number(recall[i]),
                "f1": _number(f1[i]),
                "support": int(support[i]),
            }
            for i, name in enumerate(classes)
        },
        "confusion": counts.tolist(),
        "confusion_normalised": (counts / np.maximum(support, 1)[:, None]).tolist(),
        "chance": {"accuracy": float(support.max() / len(predictions)), "uar": float(1 / present.sum())},
        "interval": _interval(truth, predicted, len(classes), predictions, resamples, seed),
    }


def _interval(truth, predicted, class_count, predictions, resamples, seed):
    speakers = _speakers(predictions)
    # Chunks of one clip, or a clip that several folds measured, are no clips of their own.
    clips = predictions.get("path")
    groups = clips if speakers is None and clips is not None and not clips.is_unique else speakers
    count = len(truth) if groups is None else groups.nunique()
    over = "clips" if speakers is None else "speakers"
    interval = {
        "level": LEVEL,
        "over": over,
        "speakers": None if speakers is None else count,
        "resamples": resamples,
        "seed": seed,
        "accuracy": None,
        "uar": None,
    }
    if resamples == 0:
        return interval | {"why": "no resamples were asked for"}
    if count < 2:
        return interval | {"why": f"the test set holds only one {over.removesuffix('s')}, and one has no spread"}

    interval["accuracy"], interval["uar"] = bootstrap_interval(
        truth,
        predicted,
        class_count,
        # Sorted, so that the interval does not depend on the order of the rows.
        groups=None if groups is None else pd.factorize(groups, sort=True)[0],
        resamples=resamples,
        seed=seed,
    )
    if speakers is None:
        interval["caution"] = (
            "Not every speaker is known, so clips were resampled as if each came from another speaker; "
            "the true uncertainty is larger."
        )
    elif count < FEW_SPEAKERS:
        interval["caution"] = f"The test set holds only {count} speakers; the true uncertainty is likely larger."
    return interval


def _speakers(predictions):
    """Whose clip each row is, told apart by corpus and speaker; None if that is not known of all."""
    if "speaker" not in predictions:
        return None
    # Without a corpus the speakers are taken to be those of one.
    corpus = predictions["corpus"].astype("string").fillna("?") if "corpus" in predictions else "?"
    keys = speaker_keys(predictions[["speaker"]].assign(corpus=corpus))
    return None if keys.isna().any() else keys


def _checked_table(predictions, classes):
    require_columns(predictions, ("emotion", "predicted"), name="predictions")
    if predictions.empty:
        raise ValueError("`predictions` must hold at least one clip. Received: an empty table")
    if classes is None:
        classes = class_names(predictions)
    if len(classes) == 0:
        classes = sorted(set(predictions["emotion"].dropna()) | set(predictions["predicted"].dropna()))
    classes = check_classes(classes)
    check_labels(predictions["emotion"], classes, "predictions")
    check_labels(predictions["predicted"], classes, "predictions", column="predicted")
    return classes


def _checked_resamples(resamples):
    try:
        count = operator.index(resamples)
    except TypeError:
        count = -1
    if count < 0:
        raise ValueError(
            f"`resamples` must be a whole number, 0 for no interval or some 1000. Received: resamples={resamples!r}"
        )
    return count


def _number(value):
    return None if np.isnan(value) else float(value)
