"""Which epoch's weights a training run keeps."""

MONITORS = ("loss", "accuracy")


def kept_epoch(log, patience, monitor="loss"):
    """The epoch whose weights are kept: the best one on the validation part, of several the first, or the last one.

    Args:
        log: DataFrame with a row an epoch: `epoch`, and `val_loss` or `val_accuracy` where there was a validation part.
        patience: int, that of the early stop, or None where there is none: the last epoch is kept.
        monitor: "loss", whose lowest value is the best, or "accuracy". Defaults to "loss".

    Returns:
        int, counted from 1; 0 before the first epoch.

    Raises:
        ValueError: if `monitor` is another word.
    """
    if monitor not in MONITORS:
        raise ValueError(f"`monitor` must be one of {', '.join(MONITORS)}. Received: monitor={monitor!r}")
    if patience is None or "val_loss" not in log:
        return len(log)
    best = log["val_loss"].idxmin() if monitor == "loss" else log["val_accuracy"].idxmax()
    return int(log["epoch"][best])
