"""The convolution block that paper 004's three networks share, and the checks of their arguments."""

from keras import layers

from sertk.models.batch_norm import BatchNormalization

FILTERS_AND_POOLS = ((16, 2), (32, 4), (64, 4))
BATCH_NORM_AXES = {"frames": 1, "channels": -1}


def check_arguments(input_shape, num_classes, dropout, batch_norm):
    """Refuses shapes and options that make no network, with one sentence for the user."""
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
    if not isinstance(num_classes, int) or num_classes < 2:
        raise ValueError(f"`num_classes` must be an integer of at least 2. Received: num_classes={num_classes!r}")
    check_share("dropout", dropout)
    if batch_norm not in BATCH_NORM_AXES:
        raise ValueError(f'`batch_norm` must be "frames" or "channels". Received: batch_norm={batch_norm!r}')
    if frames is None and batch_norm == "frames":
        raise ValueError(
            "A network for any length, `input_shape=(None, bands)`, can't have a weight a frame: pass "
            'batch_norm="channels". '
            f"Received: batch_norm={batch_norm!r}"
        )


def check_share(name, share):
    """Refuses what is no share of values to drop."""
    if not isinstance(share, int | float) or not 0 <= share < 1:
        raise ValueError(f"`{name}` must be a share, at least 0 and below 1. Received: {name}={share!r}")


def cnn_block(features, dropout, batch_norm, name):
    """Three times convolution, batch norm, ReLU, max pooling and dropout, then one vector a clip.

    With a fixed number of frames the last feature map is flattened, as published. With any number of frames it is
    averaged over time instead, and the pools are padded so that a clip of one frame still gives a value.

    Args:
        features: `(batch, frames, bands)`.
        dropout: float, the share dropped after each pool.
        batch_norm: `"frames"` or `"channels"`.
        name: str, the prefix of the layers' names.

    Returns:
        `(batch, width)`: 512 for 94 frames and 128 bands.
    """
    frames, bands = features.shape[1:]
    any_length = frames is None
    x = layers.Reshape((-1 if any_length else frames, bands, 1), name=f"{name}_picture")(features)
    for stage, (filters, pool) in enumerate(FILTERS_AND_POOLS, start=1):
        x = layers.Conv2D(filters, 3, padding="same", name=f"{name}_conv{stage}")(x)
        x = BatchNormalization(axis=BATCH_NORM_AXES[batch_norm], name=f"{name}_norm{stage}")(x)
        x = layers.Activation("relu", name=f"{name}_relu{stage}")(x)
        x = layers.MaxPooling2D(pool, padding="same" if any_length else "valid", name=f"{name}_pool{stage}")(x)
        x = layers.Dropout(dropout, name=f"{name}_dropout{stage}")(x)
    if any_length:
        x = layers.Reshape((-1, x.shape[2] * x.shape[3]), name=f"{name}_frames")(x)
        return layers.GlobalAveragePooling1D(name=f"{name}_vector")(x)
    return layers.Flatten(name=f"{name}_vector")(x)


def classify(vector, num_classes):
    """Dense and softmax, in float32 under a mixed-precision policy too."""
    logits = layers.Dense(num_classes, name="logits")(vector)
    return layers.Softmax(name="probabilities", dtype="float32")(logits)
