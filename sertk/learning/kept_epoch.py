"""Which epoch's weights a training run keeps."""


def kept_epoch(log, patience):
    """The epoch whose weights are kept: that with the lowest validation loss, of several the first, or the last one.

    Args:
        log: DataFrame with a row an epoch: `epoch`, and `val_loss` where there was a validation part.
        patience: int, that of the early stop, or None where there is none: the last epoch is kept.

    Returns:
        int, counted from 1; 0 before the first epoch.
    """
    if patience is None or "val_loss" not in log:
        return len(log)
    return int(log["epoch"][log["val_loss"].idxmin()])
