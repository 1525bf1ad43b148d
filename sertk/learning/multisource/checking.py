"""The checks of what comes in: sources, target and settings that make no transfer are refused in one sentence."""

import numbers

import numpy as np


def check_domains(sources, target, classes):
    """Makes arrays of the sources and the target, and finds the classes.

    Args:
        sources: list of pairs: float array `(clips, channels)`, and str or int of each clip.
        target: float array `(clips, channels)`.
        classes: list of str or int, or None for those that the sources have.

    Returns:
        list of float arrays, list of int arrays (places among the classes), float array, array of the classes.

    Raises:
        ValueError: as `IncompleteMultisourceTransfer.fit` says.
    """
    target = _table("target", target)
    if not isinstance(sources, list | tuple) or not len(sources):
        raise ValueError(
            f"`sources` must be a list of pairs (embeddings, labels), one at least. Received: {_short(sources)}"
        )
    tables, labels = [], []
    for place, source in enumerate(sources):
        name = f"sources[{place}]"
        if not isinstance(source, list | tuple) or len(source) != 2:
            raise ValueError(f"`{name}` must be a pair (embeddings, labels). Received: {_short(source)}")
        table = _table(name, source[0])
        if table.shape[1] != target.shape[1]:
            raise ValueError(
                f"`{name}` must have as many channels as the target; embed both with one network. "
                f"Received: {table.shape[1]}, the target has {target.shape[1]}"
            )
        tables.append(table)
        labels.append(_labels(name, source[1], len(table)))
    if len({kinds.dtype.kind in "US" for kinds in labels}) > 1:
        raise ValueError("`sources` must all name their classes alike, as str or as int. Received: some of each")
    known = np.unique(np.concatenate(labels))
    classes = known if classes is None else _asked(classes, known)
    if len(classes) < 2:
        raise ValueError(
            f"`sources` must have at least two classes between them; one leaves nothing to tell apart. "
            f"Received: {classes.tolist()}"
        )
    return tables, [np.searchsorted(classes, kinds) for kinds in labels], target, classes


def check_settings(settings, classes, channels):
    """Refuses settings that are out of range.

    Args:
        settings: dict, the estimator's parameters by name.
        classes: int, how many there are.
        channels: int, the width of the embeddings.

    Returns:
        int: the width of the projections.
    """
    for name in ("error", "latent", "mu"):
        _check(settings, name, lambda value: value > 0, "a number above zero")
    for name in ("alignment", "manifold", "tolerance"):
        _check(settings, name, lambda value: value >= 0, "a number, zero or above")
    _check(settings, "rho", lambda value: value > 1, "a number above 1: the penalty has to grow")
    for name in ("rounds", "iterations", "neighbors"):
        _check(settings, name, lambda value: value >= 1, "a whole number, 1 at least", numbers.Integral)
    pca = settings["pca"]
    if pca is not None and (
        isinstance(pca, bool)
        or not isinstance(pca, numbers.Real)
        or not (pca >= 1 if isinstance(pca, numbers.Integral) else 0 < pca < 1)
    ):
        raise ValueError(
            "`pca` must be a number of components, a share of the variance between 0 and 1, or None for all. "
            f"Received: pca={pca!r}"
        )
    classifier = settings["classifier"]
    if classifier is not None and not (hasattr(classifier, "fit") and hasattr(classifier, "predict_proba")):
        raise ValueError(
            "`classifier` must be a scikit-learn classifier that tells probabilities (SVC(probability=True) for one), "
            f"or None. Received: classifier={_short(classifier)}"
        )
    if settings["components"] is None:
        return min(2 * classes, channels)
    _check(
        settings,
        "components",
        lambda value: 1 <= value <= channels,
        f"a whole number from 1 to the {channels} channels that PCA leaves",
        numbers.Integral,
    )
    return int(settings["components"])


def check_new(clips, channels):
    """Makes an array of clips to project, as wide as those of `fit`."""
    table = _table("X", clips)
    if table.shape[1] != channels:
        raise ValueError(
            f"`X` must have as many channels as the clips of `fit`. Received: {table.shape[1]}, `fit` had {channels}"
        )
    return table


def _asked(classes, known):
    asked = np.unique(np.asarray(classes))
    text = asked.dtype.kind in "US"
    if asked.ndim != 1 or not asked.size or text != (known.dtype.kind in "US"):
        raise ValueError(
            f"`classes` must be a list of classes as the sources name them, such as {known[0].item()!r}. "
            f"Received: classes={_short(classes)}"
        )
    for missing, what in (
        (np.setdiff1d(asked, known), "no source has a labelled clip of; add a source, or leave the class out"),
        (np.setdiff1d(known, asked), "are not asked for; drop their clips, or name them too"),
    ):
        if missing.size:
            raise ValueError(f"`classes`: there are some that {what}. Received: {', '.join(map(str, missing))}")
    return asked


def _table(name, values):
    try:
        table = np.asarray(values)
        table = table if table.dtype.kind == "f" else table.astype("float64")
    except (TypeError, ValueError) as error:
        raise ValueError(f"`{name}` must be an array of numbers (clips, channels). Received: {error}") from error
    if table.ndim != 2 or not table.shape[1]:
        raise ValueError(
            f"`{name}` must have the shape (clips, channels), a pooled vector a clip. Received: shape={table.shape}"
        )
    if not len(table):
        raise ValueError(f"`{name}` must hold at least one clip; leave it out if it has none. Received: none")
    wrong = ~np.isfinite(table).all(axis=1)
    if wrong.any():
        raise ValueError(
            f"`{name}` must be finite; leave such clips out. "
            f"Received: {wrong.sum():,} clips with NaN or infinity, the first at {np.argmax(wrong)}"
        )
    return table


def _labels(name, values, clips):
    labels = np.asarray(values)
    if labels.dtype.kind == "O" and all(isinstance(label, str) for label in labels.ravel()):
        labels = labels.astype(str)
    if labels.shape != (clips,):
        raise ValueError(
            f"`{name}` must have a label for each clip. Received: labels of shape {labels.shape}, {clips:,} clips"
        )
    if labels.dtype.kind not in "USiu":
        raise ValueError(
            f"`{name}` must have labels of str or int; leave clips without one out. Received: dtype={labels.dtype}"
        )
    return labels


def _check(settings, name, holds, what, kind=numbers.Real):
    value = settings[name]
    # A comparison with NaN does not hold, so NaN is refused too.
    if isinstance(value, bool) or not isinstance(value, kind) or not holds(value):
        raise ValueError(f"`{name}` must be {what}. Received: {name}={value!r}")


def _short(value):
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."
