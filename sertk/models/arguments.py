"""The checks that builders share: what makes no network is refused in one sentence."""


def check_size(input_shape, num_classes):
    """Refuses what is no shape of features, or too few of them or of classes."""
    if not isinstance(input_shape, tuple | list) or len(input_shape) != 2 or input_shape[1] is None:
        raise ValueError(
            "`input_shape` must be (frames, bands), as the feature layers give them, frames being None for any length. "
            f"Received: input_shape={input_shape}"
        )
    frames, bands = input_shape
    if bands < 32 or (frames is not None and frames < 32):
        raise ValueError(
            "`input_shape` must be at least (32, 32): the pools shrink both axes by 32. "
            f"Received: input_shape={tuple(input_shape)}"
        )
    check_classes(num_classes)


def check_classes(num_classes):
    """Refuses what is no number of classes."""
    if not isinstance(num_classes, int) or num_classes < 2:
        raise ValueError(f"`num_classes` must be an integer of at least 2. Received: num_classes={num_classes!r}")


def check_share(name, share):
    """Refuses what is no share of values to drop."""
    if not isinstance(share, int | float) or not 0 <= share < 1:
        raise ValueError(f"`{name}` must be a share, at least 0 and below 1. Received: {name}={share!r}")


def check_counts(most=None, **counts):
    """Refuses what is no positive integer, or above `most`; the keywords are the arguments' names."""
    for name, count in counts.items():
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise ValueError(f"`{name}` must be a positive integer. Received: {name}={count!r}")
        if most is not None and count > most:
            raise ValueError(f"`{name}` must be at most {most:,}. Received: {name}={str(count)[:100]}")
