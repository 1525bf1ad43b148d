"""Two CNNs and a transformer in parallel, against the table of paper 004, section 4.5."""

from collections import Counter

import keras
import numpy as np
import pytest

from sertk.models import cnn_transformer

# Keras's remark on attention over a single clip or frame, which is meant here.
pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis")

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
JOINED = [("Concatenate", (1_152,), 0), ("Dense", (7,), 8_071), ("Softmax", (7,), 0)]
# As printed the frames come first, where keras_nlp looks for the batch; ours by default puts the batch there.
ENCODERS = {"batch": (94, None, 128), "frames": (None, 94, 128)}
ENCODER_PARAMETERS = 198_272


@pytest.fixture
def small():
    """A function that builds a small network, the same weights every time."""

    def build(input_shape=(32, 32), **options):
        keras.utils.set_random_seed(1)
        return cnn_transformer(input_shape, 3, encoder_layers=2, feed_forward=8, **options)

    return build


def numbers(network, batch):
    return keras.ops.convert_to_numpy(network(batch))


def features(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


@pytest.mark.parametrize("attend_over", ["frames", "batch"])
def test_layers_are_those_of_the_table(attend_over):
    layers = cnn_transformer(attend_over=attend_over).layers
    left_out = ("InputLayer", "Reshape", "Transpose")
    ours = Counter(
        (type(layer).__name__, layer.output.shape, layer.count_params())
        for layer in layers
        if type(layer).__name__ not in left_out
    )
    expected = Counter(
        (kind, (None, *shape[::-1]), parameters) for kind, shape, parameters in (*BLOCK, *BLOCK, *JOINED)
    )
    expected["TransformerEncoder", ENCODERS[attend_over], ENCODER_PARAMETERS] = 4
    # tf.math.reduce_mean of the paper.
    expected["GlobalAveragePooling1D", (None, 128), 0] = 1
    assert ours == expected


@pytest.mark.parametrize("attend_over", ["frames", "batch"])
def test_parameters(attend_over):
    total = sum(parameters for *_, parameters in (*BLOCK, *BLOCK, *JOINED)) + 4 * ENCODER_PARAMETERS
    assert cnn_transformer(attend_over=attend_over).count_params() == 848_967 == total


def test_an_encoders_parameters_by_hand():
    """Four projections of 128 x 128 and biases, 128 x 512 and back with biases, two layer norms of 2 x 128."""
    by_hand = 4 * (128 * 128 + 128) + (128 * 512 + 512) + (512 * 128 + 128) + 2 * 2 * 128
    assert by_hand == ENCODER_PARAMETERS


def test_encoders_are_the_papers():
    model = cnn_transformer()
    encoders = [layer for layer in model.layers if type(layer).__name__ == "TransformerEncoder"]
    settings = [
        {name: encoder.get_config()[name] for name in ("intermediate_dim", "num_heads", "dropout", "activation")}
        for encoder in encoders
    ]
    assert settings == 4 * [{"intermediate_dim": 512, "num_heads": 4, "dropout": 0.4, "activation": "relu"}]
    assert {layer.rate for layer in model.layers if type(layer).__name__ == "Dropout"} == {0.3}


def test_the_mel_network_has_188_frames():
    model = cnn_transformer((188, 128))
    # As in the CNN's test: the batch norms' and the classifier's weights grow with the frames.
    block = 160 + 4_640 + 18_496 + 4 * (188 + 94 + 23)
    assert model.count_params() == 2 * block + 4 * ENCODER_PARAMETERS + 7 * (2 * 1_280 + 128 + 1)


@pytest.mark.parametrize(("attend_over", "depends"), [("frames", False), ("batch", True)])
def test_a_clips_probabilities_depend_on_its_batch_mates_only_as_published(small, attend_over, depends):
    network = small(attend_over=attend_over)
    clip, mates = features(1, 32, 32), features(3, 32, 32, seed=1)
    alone = numbers(network, clip)[0]
    among = numbers(network, np.concatenate([clip, mates]))[0]
    among_others = numbers(network, np.concatenate([clip, 2 * mates]))[0]
    assert np.allclose(alone, among, atol=1e-5) != depends
    assert np.allclose(among_others, among, atol=1e-5) != depends


def test_alone_a_clips_frames_do_not_see_each_other_as_published(small):
    """Attention over a batch of one is a function of each frame alone: a change to one frame moves that frame only."""
    clip = features(1, 32, 32)
    changed = clip.copy()
    changed[0, 5] += 1
    for attend_over, alone in (("batch", True), ("frames", False)):
        network = small(attend_over=attend_over)
        encoded = keras.Model(network.input, network.get_layer("encoder_vector").input)
        moved = np.abs(numbers(encoded, changed) - numbers(encoded, clip)).max(axis=-1)[0]
        assert moved[5] > 1e-3
        assert (np.delete(moved, 5).max() < 1e-6) == alone


def test_both_forms_have_the_same_weights(small):
    published, described = small(attend_over="batch"), small(attend_over="frames")
    described.set_weights(published.get_weights())
    shapes = [[weight.shape for weight in network.weights] for network in (published, described)]
    assert shapes[0] == shapes[1]


def test_encoder_output_is_averaged_over_time(small):
    network = small()
    average = network.get_layer("encoder_vector")
    batch = features(2, 32, 32)
    encoded, vector = (numbers(keras.Model(network.input, end), batch) for end in (average.input, average.output))
    np.testing.assert_allclose(vector, encoded.mean(axis=1), atol=1e-5)


@pytest.mark.parametrize("name", ["encoder_layers", "heads", "feed_forward"])
@pytest.mark.parametrize("value", [0, -1, 2.0, None])
def test_impossible_sizes_are_refused(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must be a positive integer. Received: {name}="):
        cnn_transformer(**{name: value})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": 3}, r"bands of `input_shape` must be a multiple of `heads`, 3. Received: input_shape=\(94, 128\)"),
        ({"attend_over": "time"}, r"`attend_over` must be \"frames\" or \"batch\". Received: attend_over='time'"),
        ({"encoder_dropout": 1.5}, r"`encoder_dropout` must be a share, at least 0 and below 1. Received: .*=1.5"),
        ({"encoder_dropout": None}, r"`encoder_dropout` must be a share.* Received: encoder_dropout=None"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        cnn_transformer(**options)
