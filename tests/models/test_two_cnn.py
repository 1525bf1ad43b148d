"""Two CNNs in parallel, against the table of paper 004, section 4.4."""

from collections import Counter

import keras
import numpy as np
import pytest

from sertk.models import two_cnn

# One of the two blocks, which the printed table interleaves: (channels, bands, frames), ours is the other way round.
BLOCK = [
    ("Conv2D", (16, 128, 94), 160),
    ("BatchNormalization", (16, 128, 94), 376),
    ("Activation", (16, 128, 94), 0),
    ("MaxPooling2D", (16, 64, 47), 0),
    ("Dropout", (16, 64, 47), 0),
    ("Conv2D", (32, 64, 47), 4_640),
    ("BatchNormalization", (32, 64, 47), 188),
    ("Activation", (32, 64, 47), 0),
    ("MaxPooling2D", (32, 16, 11), 0),
    ("Dropout", (32, 16, 11), 0),
    ("Conv2D", (64, 16, 11), 18_496),
    ("BatchNormalization", (64, 16, 11), 44),
    ("Activation", (64, 16, 11), 0),
    ("MaxPooling2D", (64, 4, 2), 0),
    ("Dropout", (64, 4, 2), 0),
    ("Flatten", (512,), 0),
]
# The classifier's parameters stand in no printed row: 7 x (1,024 + 1).
TABLE = [*BLOCK, *BLOCK, ("Concatenate", (1_024,), 0), ("Dense", (7,), 7_175), ("Softmax", (7,), 0)]


def test_layers_are_those_of_the_table():
    layers = [layer for layer in two_cnn().layers if type(layer).__name__ not in ("InputLayer", "Reshape")]
    ours = Counter((type(layer).__name__, layer.output.shape, layer.count_params()) for layer in layers)
    assert ours == Counter((kind, (None, *shape[::-1]), parameters) for kind, shape, parameters in TABLE)


def test_parameters():
    assert two_cnn().count_params() == 54_983 == sum(parameters for *_, parameters in TABLE)


def test_the_blocks_share_no_weights():
    """Other weights in the first block change its half of the joined vector and leave the second's."""
    model = two_cnn((32, 32))
    joined = keras.Model(model.input, model.get_layer("joined").output)
    features = np.random.default_rng(0).standard_normal((2, 32, 32)).astype("float32")
    before = keras.ops.convert_to_numpy(joined(features))
    first = model.get_layer("first_conv1")
    first.set_weights([2 * weight for weight in first.get_weights()])
    after = keras.ops.convert_to_numpy(joined(features))
    half = before.shape[1] // 2
    assert not np.allclose(before[:, :half], after[:, :half])
    np.testing.assert_array_equal(before[:, half:], after[:, half:])


@pytest.mark.parametrize("dropout", [0.3, 0.1])
def test_dropout(dropout):
    rates = {layer.rate for layer in two_cnn(dropout=dropout).layers if type(layer).__name__ == "Dropout"}
    assert rates == {dropout}
    assert {layer.rate for layer in two_cnn().layers if type(layer).__name__ == "Dropout"} == {0.3}
