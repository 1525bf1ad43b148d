"""The single CNN, against the table of paper 004, section 4.3.1."""

import numpy as np
import pytest

from sertk.models import cnn

# Output shape as printed, channels first: (channels, bands, frames); ours has the frames first and the channels last.
TABLE = [
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
    ("Dense", (7,), 3_591),
    ("Softmax", (7,), 0),
]


def test_layers_are_those_of_the_table():
    first, picture, *layers = cnn().layers
    assert (first.output.shape, picture.output.shape) == ((None, 94, 128), (None, 94, 128, 1))
    ours = [(type(layer).__name__, layer.output.shape, layer.count_params()) for layer in layers]
    assert ours == [(kind, (None, *shape[::-1]), parameters) for kind, shape, parameters in TABLE]


def test_parameters():
    model = cnn()
    assert model.count_params() == 27_495 == sum(parameters for *_, parameters in TABLE)
    # Half of each batch norm's weights are moving averages.
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_variables) == 27_495 - (376 + 188 + 44) // 2


@pytest.mark.parametrize(
    ("arguments", "parameters"),
    [
        # Batch norms of 4 x 16, 4 x 32 and 4 x 64 weights in place of 376 + 188 + 44.
        ({"batch_norm": "channels"}, 27_495 - 608 + 448),
        ({"num_classes": 8}, 27_495 + 513),
        # 188 frames: 4 (188 + 94 + 23) in the batch norms, 64 x 4 x 5 values into the classifier.
        ({"input_shape": (188, 128)}, 160 + 4_640 + 18_496 + 1_220 + 7 * 1_281),
        # Averaged over time: 64 x 4 values, whatever the length.
        ({"input_shape": (None, 128), "batch_norm": "channels"}, 160 + 4_640 + 18_496 + 448 + 7 * 257),
    ],
    ids=str,
)
def test_parameters_of_other_forms(arguments, parameters):
    assert cnn(**arguments).count_params() == parameters


def test_dropout_is_the_papers():
    rates = {layer.rate for layer in cnn().layers if type(layer).__name__ == "Dropout"}
    assert rates == {0.3}
    assert {layer.rate for layer in cnn(dropout=0.1).layers if type(layer).__name__ == "Dropout"} == {0.1}


def test_the_published_pools_leave_the_last_frames_unheard():
    """The pools keep 64 of 94 frames; at the steps of 8, 2 and 1 frames each kernel hears one step more: 64+8+2+1."""
    network = cnn()
    clip = np.random.default_rng(0).normal(size=(1, 94, 128)).astype("float32")
    behind, before = clip.copy(), clip.copy()
    behind[:, 75:] += 100
    before[:, 74] += 100
    answer = network(clip).numpy()
    np.testing.assert_array_equal(network(behind), answer)
    assert np.abs(network(before) - answer).max() > 0
