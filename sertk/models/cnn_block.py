"""The convolution block that paper 004's three networks share, and the check of their arguments."""

from keras import layers

from sertk.models.arguments import check_share, check_size
from sertk.models.batch_norm import BatchNormalization

FILTERS_AND_POOLS = ((16, 2), (32, 4), (64, 4))
BATCH_NORM_AXES = {"frames": 1, "channels": -1}


def check_arguments(input_shape, num_classes, dropout, batch_norm):
    """Refuses shapes and options that make no network of paper 004, with one sentence for the user."""
    check_size(input_shape, num_classes)
    check_share("dropout", dropout)
    if batch_norm not in BATCH_NORM_AXES:
        raise ValueError(f'`batch_norm` must be "frames" or "channels". Received: batch_norm={batch_norm!r}')
    if input_shape[0] is None and batch_norm == "frames":
        raise ValueError(
            "A network for any length, `input_shape=(None, bands)`, can't have a weight a frame: pass "
            'batch_norm="channels". '
            f"Received: batch_norm={batch_norm!r}"
        )


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
