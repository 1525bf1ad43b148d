"""Paper 003's three networks: sizes and numbers of their layer tables, any length, files, refused arguments."""

import math

import keras
import numpy as np
import pytest

from sertk.models import cnn6, load, resnet9, vgg15

# Moving averages and epsilon of batch norm, as Keras has them unless told otherwise.
EPSILON = 1e-3
# Kernel, strides, filters and pool of each convolution that is followed by batch norm and ReLU.
STACKS = {
    "vgg15": [
        (3, 1, filters, pool)
        for depth, filters in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
        for pool in (1,) * (depth - 1) + (2,)
    ],
    "cnn6": [(5, 1, filters, 2) for filters in (64, 128, 256, 512)],
}
BLOCKS = (128, 256, 512)
BUILDERS = {"vgg15": vgg15, "resnet9": resnet9, "cnn6": cnn6}
each_network = pytest.mark.parametrize("name", BUILDERS)


@pytest.fixture(scope="module")
def networks():
    """The three for 35 frames and 37 bands, odd wherever a pool meets them, with weights that all matter."""
    keras.utils.set_random_seed(0)
    built = {name: builder((35, 37), 5) for name, builder in BUILDERS.items()}
    rng = np.random.default_rng(0)
    for network in built.values():
        for weight in network.weights:
            if weight.path.endswith(("gamma", "moving_variance")):
                weight.assign(rng.uniform(0.5, 1.5, weight.shape))
            elif len(weight.shape) == 1:
                weight.assign(0.1 * rng.standard_normal(weight.shape))
            else:  # as strong behind thirteen ReLUs as before them
                fan_in = math.prod(weight.shape[:-1])
                weight.assign(np.sqrt(2 / fan_in) * rng.standard_normal(weight.shape))
    return built


def features(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def numbers(network, batch):
    return keras.ops.convert_to_numpy(network(batch))


def parameters(convolutions, norms, classes):
    """Trainable and moving: kernels without bias, two and two weights a channel, and two dense layers with bias."""
    kernels = sum(size * size * channels * filters for size, channels, filters in convolutions)
    dense = (512 + 1) * 256 + (256 + 1) * classes
    return kernels + 2 * sum(norms) + dense, 2 * sum(norms)


def of_stack(name, classes):
    kernels, _, filters, _ = zip(*STACKS[name], strict=True)
    return parameters(zip(kernels, (1, *filters), filters, strict=False), filters, classes)


def of_resnet(classes):
    convolutions, norms = [(7, 1, 64)], [64]
    for channels, filters in zip((64, *BLOCKS), BLOCKS, strict=False):
        convolutions += [(3, channels, filters), (3, filters, filters), (1, channels, filters)]
        norms += [filters, filters]
    return parameters(convolutions, norms, classes)


@pytest.mark.parametrize(("name", "published"), [("vgg15", 14_859_335), ("resnet9", 4_960_583), ("cnn6", 4_439_367)])
def test_parameters(name, published):
    network = BUILDERS[name]()
    trainable, moving = of_resnet(7) if name == "resnet9" else of_stack(name, 7)
    assert network.count_params() == published == trainable + moving
    assert sum(math.prod(weight.shape) for weight in network.trainable_weights) == trainable
    assert sum(math.prod(weight.shape) for weight in network.non_trainable_weights) == moving
    # An eighth class is 256 weights and a bias more.
    assert BUILDERS[name](num_classes=8).count_params() == published + 257


def test_shapes():
    """373 frames and 64 bands, halved by each pool and rounded down; in ResNet-9, which pads, rounded up."""
    shapes = {
        name: {layer.name: layer.output.shape[1:] for layer in builder().layers} for name, builder in BUILDERS.items()
    }
    halves = [(186, 32), (93, 16), (46, 8), (23, 4), (11, 2)]
    assert [shapes["vgg15"][f"pool{block}"][:2] for block in range(1, 6)] == halves
    assert [shapes["cnn6"][f"pool{stage}"][:2] for stage in range(1, 5)] == halves[:4]
    assert shapes["resnet9"]["relu1"] == (187, 32, 64)
    assert shapes["resnet9"]["pool1"] == (94, 16, 64)
    blocks = [shapes["resnet9"][f"block{block}_relu2"] for block in (1, 2, 3)]
    assert blocks == [(47, 8, 128), (24, 4, 256), (12, 2, 512)]
    for named in shapes.values():
        assert [named[name] for name in ("fc1", "fc1_relu", "fc2", "probabilities")] == [(256,), (256,), (7,), (7,)]


def convolve(x, kernel, strides):
    """The sum over window and channels, at every `strides`-th place; of the zeros around, more are behind."""
    size = kernel.shape[0]
    margins = [max((math.ceil(length / strides) - 1) * strides + size - length, 0) for length in x.shape[:2]]
    x = np.pad(x, [(margin // 2, margin - margin // 2) for margin in margins] + [(0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(0, 1))[::strides, ::strides]
    return np.einsum("tbcij,ijcf->tbf", windows, kernel, optimize=True)


def largest(x, size, *, padded):
    """The maximum of each window of `size`, at every second place."""
    if padded:
        margins = [max((math.ceil(length / 2) - 1) * 2 + size - length, 0) for length in x.shape[:2]]
        pads = [(margin // 2, margin - margin // 2) for margin in margins] + [(0, 0)]
        x = np.pad(x, pads, constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(0, 1))[::2, ::2]
    return windows.max(axis=(-2, -1))


class ByHand:
    """One clip through the layer tables, in NumPy and double precision, with a network's weights."""

    def __init__(self, network):
        self.network = network

    def weights(self, layer):
        return [weight.astype("float64") for weight in self.network.get_layer(layer).get_weights()]

    def convolve(self, x, layer, strides=1):
        (kernel,) = self.weights(layer)
        return convolve(x, kernel, strides)

    def norm(self, x, layer):
        gamma, beta, mean, variance = self.weights(layer)
        return gamma * (x - mean) / np.sqrt(variance + EPSILON) + beta

    def stack(self, x):
        names = [layer.name for layer in self.network.layers if layer.name.startswith("conv")]
        for name, (_, _, _, pool) in zip(names, STACKS[self.network.name], strict=True):
            x = np.maximum(self.norm(self.convolve(x, name), name.replace("conv", "norm")), 0)
            x = x if pool == 1 else largest(x, 2, padded=False)
        return x

    def resnet(self, x):
        x = np.maximum(self.norm(self.convolve(x, "conv1", 2), "norm1"), 0)
        x = largest(x, 3, padded=True)
        for block in ("block1", "block2", "block3"):
            shortcut = self.convolve(x, f"{block}_shortcut", 2)
            x = np.maximum(self.norm(self.convolve(x, f"{block}_conv1", 2), f"{block}_norm1"), 0)
            x = self.norm(self.convolve(x, f"{block}_conv2"), f"{block}_norm2")
            x = np.maximum(x + shortcut, 0)
        return x

    def fc2(self, clip):
        x = clip[..., None].astype("float64")
        x = (self.resnet(x) if self.network.name == "resnet9" else self.stack(x)).mean(axis=(0, 1))
        (first, bias1), (second, bias2) = self.weights("fc1"), self.weights("fc2")
        return np.maximum(x @ first + bias1, 0) @ second + bias2


@each_network
def test_numbers_are_those_of_the_layer_table(networks, name):
    network, batch = networks[name], features(2, 35, 37)
    expected = np.stack([ByHand(network).fc2(clip) for clip in batch])
    assert np.ptp(expected, axis=0).max() > 0.1  # the clips are told apart
    until_fc2 = keras.Model(network.input, network.get_layer("fc2").output)
    np.testing.assert_allclose(numbers(until_fc2, batch), expected, atol=1e-4)
    powers = np.exp(expected)
    np.testing.assert_allclose(numbers(network, batch), powers / powers.sum(axis=1, keepdims=True), atol=1e-4)


@each_network
def test_any_length_has_the_same_weights(networks, name):
    network = BUILDERS[name]((None, 32), 5)
    fixed = BUILDERS[name]((64, 32), 5)
    network.set_weights(networks[name].get_weights())
    fixed.set_weights(networks[name].get_weights())
    for frames in (1, 31, 100):
        probabilities = numbers(network, features(2, frames, 32))
        assert np.isfinite(probabilities).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    # A length without remainders, which are padded here and dropped there.
    np.testing.assert_allclose(numbers(network, features(2, 64, 32)), numbers(fixed, features(2, 64, 32)), atol=1e-5)


@each_network
def test_saved_and_loaded_gives_the_same_numbers(networks, name, tmp_path):
    networks[name].save(tmp_path / "network.keras")
    loaded = load(tmp_path / "network.keras")
    batch = features(3, 35, 37)
    np.testing.assert_array_equal(numbers(loaded, batch), numbers(networks[name], batch))
    assert loaded.to_json() == networks[name].to_json()


@each_network
def test_probabilities_are_float32_and_alike_under_mixed_precision(networks, name):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        mixed = BUILDERS[name]((35, 37), 5)
    finally:
        keras.config.set_dtype_policy("float32")
    mixed.set_weights(networks[name].get_weights())
    actual = numbers(mixed, features(2, 35, 37))
    assert actual.dtype == np.float32
    assert mixed.get_layer("fc2").compute_dtype == "float16"
    np.testing.assert_allclose(actual, numbers(networks[name], features(2, 35, 37)), atol=0.01)


@each_network
def test_learns(name):
    keras.utils.set_random_seed(0)
    network = BUILDERS[name]((32, 32), 3)
    network.compile(keras.optimizers.Adam(1e-3), loss="categorical_crossentropy", run_eagerly=True)
    batch, labels = features(6, 32, 32), np.eye(3, dtype="float32")[np.arange(6) % 3]
    losses = [float(network.train_on_batch(batch, labels)) for _ in range(5)]
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize(("name", "smallest"), [("vgg15", 32), ("resnet9", 1), ("cnn6", 16)])
def test_the_smallest_input_is_taken_and_one_below_is_refused(name, smallest):
    network = BUILDERS[name]((smallest, smallest), 3)
    np.testing.assert_allclose(numbers(network, features(2, smallest, smallest)).sum(axis=1), 1, rtol=1e-5)
    message = rf"`input_shape` must be \(frames, bands\), at least \({smallest}, {smallest}\).* Received: input_shape="
    for refused in ((smallest - 1, smallest), (smallest, smallest - 1), (None, smallest - 1)):
        with pytest.raises(ValueError, match=message):
            BUILDERS[name](refused)


@each_network
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"input_shape": (94, 64, 1)},
            r"`input_shape` must be \(frames, bands\).* Received: input_shape=\(94, 64, 1\)",
        ),
        ({"input_shape": (94, None)}, r"`input_shape` must be \(frames, bands\).* Received: input_shape=\(94, None\)"),
        ({"input_shape": (94.0, 64)}, r"`input_shape` must be \(frames, bands\).* Received: input_shape=\(94.0, 64\)"),
        ({"input_shape": 64}, r"`input_shape` must be \(frames, bands\).* Received: input_shape=64"),
        ({"num_classes": 1}, r"`num_classes` must be an integer of at least 2\. Received: num_classes=1"),
        ({"units": 0}, r"`units` must be a positive integer\. Received: units=0"),
        ({"units": 256.0}, r"`units` must be a positive integer\. Received: units=256\.0"),
    ],
    ids=str,
)
def test_impossible_arguments_are_refused(name, options, message):
    with pytest.raises(ValueError, match=message):
        BUILDERS[name](**options)
