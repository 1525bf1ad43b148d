"""A small CNN with attentive pooling: sertk's own network for corpora of a few hours."""

import keras
from keras import layers

from sertk.models.arguments import check_counts, check_share, check_size
from sertk.models.attentive_pooling import AttentiveStatisticsPooling
from sertk.models.batch_norm import BatchNormalization
from sertk.models.classifier import classify


def attentive_cnn(
    input_shape=(94, 64), num_classes=8, *, width=24, heads=4, dropout=0.3, spatial_dropout=0.1, name="attentive_cnn"
):
    """Builds four convolutions over the spectrogram, then attention over time; 186,020 parameters.

    Convolutions of `width`, 2, 4 and 4 `width` filters, each with batch norm over its channels; the pools leave an
    eighth of the frames and a sixteenth of the bands. Each remaining frame is projected to 4 `width` values, which
    `AttentiveStatisticsPooling` turns into one vector, so that the length of a clip is free and its silence weighs
    nothing. Pooling stands before each ReLU, averages being taken of what may be negative.

    Input: log-mel spectrograms, `(batch, frames, bands)`, best with each band normalised.
    Output: probabilities, `(batch, num_classes)`.

    Args:
        input_shape: (frames, bands), at least (32, 32), or (None, bands) for any length. Defaults to (94, 64), 3 s at a
            hop of 512.
        num_classes: int. Defaults to 8.
        width: int, filters of the first convolution. Defaults to 24.
        heads: int, attention heads. Defaults to 4.
        dropout: float, share dropped before the projection and before the classifier. Defaults to 0.3.
        spatial_dropout: float, share of whole feature maps dropped after the 2nd and 3rd convolution. Defaults to 0.1.
        name: str, the model's name.

    Returns:
        A functional `keras.Model`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> attentive_cnn().count_params()
        186020

    Source: sertk's own; pooling of Okabe et al. (2018). Chosen on validation speakers of RAVDESS, docs/results.md.
    """
    check_size(input_shape, num_classes)
    check_share("dropout", dropout)
    check_share("spatial_dropout", spatial_dropout)
    check_counts(width=width, heads=heads)
    features = keras.Input(input_shape, name="features")
    frames, bands = input_shape
    x = layers.Reshape((-1 if frames is None else frames, bands, 1), name="picture")(features)
    for stage, (filters, kernel, stride, pool) in enumerate(
        ((width, 5, 2, 1), (2 * width, 3, 1, 2), (4 * width, 3, 1, 2), (4 * width, 3, 1, (1, 2))), start=1
    ):
        x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=f"conv{stage}")(x)
        x = BatchNormalization(name=f"norm{stage}")(x)
        if pool != 1:
            x = layers.AveragePooling2D(pool, padding="same" if frames is None else "valid", name=f"pool{stage}")(x)
        x = layers.Activation("relu", name=f"relu{stage}")(x)
        if stage in (2, 3):
            x = layers.SpatialDropout2D(spatial_dropout, name=f"dropout{stage}")(x)
    x = layers.Reshape((-1, x.shape[2] * x.shape[3]), name="frames")(x)
    x = layers.Dropout(dropout, name="dropout_frames")(x)
    x = layers.Dense(4 * width, activation="relu", name="projection")(x)
    x = AttentiveStatisticsPooling(heads, name="pooling")(x)
    x = layers.Dropout(dropout, name="dropout_vector")(x)
    return keras.Model(features, classify(x, num_classes), name=name)
