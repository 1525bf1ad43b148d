"""ImageNet networks under new heads: published sizes, what learns and what is frozen, weights, files, refused input."""

import urllib.error

import keras
import numpy as np
import pytest

from sertk.models import from_waveform, load, transfer_head

BACKBONES = ["resnet50", "squeezenet", "wide_resnet50", "inception_v3", "vgg16"]
SMALL = (80, 96, 3)


def images(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, shape).astype("float32")


def numbers(network, batch):
    return keras.ops.convert_to_numpy(network(batch))


def count(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


def squeezed(*arguments, **options):
    """The smallest of the five."""
    return transfer_head(*(arguments or ((48, 64, 3), 3)), backbone="squeezenet", **options)


@pytest.fixture(scope="module", params=BACKBONES)
def network(request):
    """Each backbone once, under 3 classes, on images that leave more than one value of each map."""
    return transfer_head(SMALL, 3, backbone=request.param)


@pytest.fixture(scope="module")
def vgg16():
    """As paper 004 has it."""
    return transfer_head(trainable=1)


@pytest.fixture(scope="module")
def resnet50():
    """All frozen but for the last convolution, before which and after which batch norm stands."""
    keras.utils.set_random_seed(0)
    return transfer_head((64, 64, 3), 3, backbone="resnet50", trainable=1)


def test_gives_probabilities_and_has_the_published_parameters(network):
    # Paper 001's topology; of WideResNet timm's 66,834,240, its 68,224 moving averages and the head of ResNet50.
    published = {
        "resnet50": 24_638_339,
        "squeezenet": 986_691,
        "inception_v3": 22_853_411,
        "wide_resnet50": 66_834_240 + 68_224 + (2048 + 1) * 512 + (512 + 1) * 3,
    }
    backbone = network.name.removesuffix("_transfer")
    if backbone in published:
        assert network.count_params() == published[backbone]
    probabilities = numbers(network, images(2, *SMALL))
    assert probabilities.shape == (2, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert count(network.trainable_weights) > 0.99 * network.count_params()


def test_each_backbone_is_fed_as_its_weights_were_trained(network):
    """The backbone under the head answers an image as it does what Keras's own function makes of that image."""
    backbone = network.name.removesuffix("_transfer")
    inner = network.get_layer(backbone)
    batch = images(1, *SMALL)
    mode = {"inception_v3": "tf", "wide_resnet50": "torch"}.get(backbone, "caffe")
    expected = numbers(inner, keras.applications.imagenet_utils.preprocess_input(batch.copy(), mode=mode))
    actual = numbers(
        keras.Model(network.input, network.get_layer("pool" if backbone != "vgg16" else "flatten").input), batch
    )
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_vgg16_has_the_head_of_paper_004(vgg16):
    # The report's table of layers, section 5.3.1.
    sizes = {layer.name: layer.count_params() for layer in vgg16.layers if layer.count_params()}
    assert sizes == {"vgg16": 14_714_688, "dense1": 12_845_568, "dense2": 98_496, "logits": 1_351}
    assert vgg16.count_params() == 27_660_103
    assert vgg16.get_layer("flatten").output.shape == (None, 25_088)
    names = [layer.name for layer in vgg16.layers]
    assert names[names.index("dense1") + 1] == "dropout"
    assert vgg16.get_layer("dropout").rate == 0.5


def test_the_last_convolution_layers_of_vgg16_learn_as_published(vgg16):
    assert count(vgg16.trainable_weights) == 15_305_223
    assert count(vgg16.non_trainable_weights) == 27_660_103 - 15_305_223
    # Experiments 4 and 5 in small: the head is another, the convolutions are the same.
    for trainable, published in ((2, 17_665_031), (3, 20_024_839), ("none", 12_945_415), (0, 12_945_415)):
        small = transfer_head((32, 32, 3), trainable=trainable)
        backbone = count(small.get_layer("vgg16").trainable_weights)
        assert backbone == published - (12_845_568 + 98_496 + 1_351)


def train_a_step(network):
    network.compile(keras.optimizers.SGD(0.1), loss="categorical_crossentropy", run_eagerly=True)
    before = {weight.path: weight.numpy() for weight in network.weights}
    shape = network.input_shape[1:]
    network.train_on_batch(images(4, *shape), np.eye(3, dtype="float32")[[0, 1, 2, 0]])
    return {weight.path for weight in network.weights if not np.array_equal(weight, before[weight.path])}


def test_a_step_of_training_moves_the_head_and_the_last_convolution_alone(resnet50):
    moved = train_a_step(resnet50)
    assert moved == {
        *("conv5_block3_3_conv/kernel", "conv5_block3_3_conv/bias"),
        *("dense1/kernel", "dense1/bias", "logits/kernel", "logits/bias"),
    }


def test_frozen_batch_norm_does_not_see_the_batch(resnet50):
    """In training an image's maps are those of inference, whatever stands beside it in the batch."""
    batch, backbone = images(4, 64, 64, 3), resnet50.get_layer("resnet50")
    alone = keras.ops.convert_to_numpy(backbone(batch[:1], training=True))
    np.testing.assert_allclose(backbone(batch, training=True)[:1], alone, rtol=1e-3, atol=1e-4 * np.abs(alone).max())
    np.testing.assert_allclose(backbone(batch[:1], training=False), alone, rtol=1e-4, atol=1e-5 * np.abs(alone).max())


def test_batch_norm_that_is_not_frozen_moves():
    """The counterpart, without which the two above would prove nothing."""
    network = transfer_head((32, 32, 3), 3, backbone="resnet50")
    moved = train_a_step(network)
    assert {"conv1_bn/moving_mean", "conv5_block3_3_bn/moving_variance", "conv1_conv/kernel"} <= moved


@pytest.mark.parametrize("trainable", ["all", "none", 2])
def test_saved_and_loaded_answers_and_learns_the_same(trainable, tmp_path):
    network = squeezed(trainable=trainable, image_augmentation=True, dropout=0.2)
    network.save(tmp_path / "network.keras")
    loaded = load(tmp_path / "network.keras")
    batch = images(2, 48, 64, 3)
    np.testing.assert_array_equal(numbers(loaded, batch), numbers(network, batch))
    learning = [weight.path for weight in network.trainable_weights]
    assert len(learning) == {"all": 2 * 25, "none": 0, 2: 4}[trainable] + 4
    assert [weight.path for weight in loaded.trainable_weights] == learning
    rebuilt = keras.Model.from_config(network.get_config())
    assert [weight.path for weight in rebuilt.trainable_weights] == learning


def test_stays_frozen_behind_the_steps_from_the_waveform(tmp_path):
    """What training sees is a model around this one."""
    steps = keras.Sequential([keras.Input((48 * 64 * 3,)), keras.layers.Reshape((48, 64, 3))])
    model = from_waveform(squeezed(trainable=1), steps, samples=48 * 64 * 3)
    model.save(tmp_path / "model.keras")
    assert len(model.trainable_weights) == len(load(tmp_path / "model.keras").trainable_weights) == 2 + 4


def test_the_last_layers_of_squeezenet_are_those_of_its_last_module():
    backbone = squeezed(trainable=3).get_layer("squeezenet")
    learning = {layer.name for layer in backbone.layers if layer.trainable_weights}
    assert learning == {"fire9_squeeze1x1", "fire9_expand1x1", "fire9_expand3x3"}


def test_the_maximum_of_each_map_reaches_the_pooled_head():
    network = squeezed(units=())
    maps = numbers(network.get_layer("squeezenet"), network.get_layer("preprocessing")(images(2, 48, 64, 3)))
    kernel, bias = network.get_layer("logits").get_weights()
    scores = maps.max(axis=(1, 2)) @ kernel + bias
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(numbers(network, images(2, 48, 64, 3)), expected, atol=1e-4)


def test_head_units_and_dropout_may_be_chosen():
    network = squeezed((48, 64, 3), 4, head="flat", units=(16, 8), dropout=0.1)
    rows, columns, maps = network.get_layer("squeezenet").output_shape[1:]
    assert network.get_layer("dense1").count_params() == (rows * columns * maps + 1) * 16
    assert network.get_layer("dropout").rate == 0.1
    assert network.output_shape == (None, 4)
    # Paper 001's head has no dropout, paper 004's a rate of its own.
    assert "dropout" not in [layer.name for layer in squeezed().layers]
    assert transfer_head((32, 32, 3), 3, head="pooled").get_layer("dense1").count_params() == (512 + 1) * 512


def test_images_are_augmented_in_training_only():
    network, batch = squeezed(image_augmentation=True, seed=0), images(2, 48, 64, 3)
    np.testing.assert_array_equal(network(batch), network(batch, training=False))
    assert not np.allclose(network(batch, training=True), network(batch), atol=1e-6)
    plain = squeezed()
    np.testing.assert_array_equal(plain(batch, training=True), plain(batch))


def test_half_precision_answers_in_single_and_alike():
    network = squeezed()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        mixed = squeezed(image_augmentation=True)
    finally:
        keras.config.set_dtype_policy("float32")
    mixed.set_weights([*[v for v in mixed.get_weights() if v.dtype == np.uint32], *network.get_weights()])
    batch = images(2, 48, 64, 3)
    assert numbers(mixed, batch).dtype == np.float32
    assert mixed.get_layer("logits").compute_dtype == "float16"
    np.testing.assert_allclose(numbers(mixed, batch), numbers(network, batch), atol=0.02)


@pytest.fixture(scope="module", params=["inception_v3", "vgg16"])
def keras_file(request, tmp_path_factory):
    """A backbone of Keras with random weights, and the legacy file that Keras itself makes of it."""
    application = {"inception_v3": keras.applications.InceptionV3, "vgg16": keras.applications.VGG16}[request.param]
    network = application(include_top=False, weights=None, input_shape=SMALL)
    path = tmp_path_factory.mktemp("keras") / "weights.h5"
    network.save(path)
    yield request.param, network, path
    path.unlink()


def test_weights_of_keras_are_loaded_from_a_path(keras_file):
    backbone, expected, path = keras_file
    batch = images(1, *SMALL) - 127
    inner = transfer_head(SMALL, 3, backbone=backbone, weights=path).get_layer(backbone)
    np.testing.assert_array_equal(numbers(inner, batch), numbers(expected, batch))
    other = "vgg16" if backbone != "vgg16" else "squeezenet"
    with pytest.raises(ValueError, match=rf"holds no weights of {other}; .* Received: a file without"):
        transfer_head(SMALL, 3, backbone=other, weights=path)


def test_vgg19_is_not_taken_for_vgg16(tmp_path):
    """It has all layers of VGG16 by name and shape, and three more between them."""
    keras.applications.VGG19(include_top=False, weights=None, input_shape=(32, 32, 3)).save(tmp_path / "vgg19.h5")
    with pytest.raises(ValueError, match=r"a file with block3_conv4, block4_conv4, block5_conv4$"):
        transfer_head((32, 32, 3), weights=tmp_path / "vgg19.h5")


def test_imagenet_weights_are_downloaded_once_from_where_keras_has_them(monkeypatch):
    asked = []
    monkeypatch.setattr(keras.utils, "get_file", lambda *arguments, **options: asked.append((arguments, options)) or "")
    with pytest.raises(FileNotFoundError):
        transfer_head((32, 32, 3), weights="imagenet")
    ((_, url), options) = asked[0]
    # From the documentation of Keras's VGG16 and its source.
    assert url == (
        "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
        "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    )
    assert options == {"cache_subdir": "models", "file_hash": "6d6bbae143d832006294945121d1f1fc"}


def test_wide_resnet_asks_the_hub_for_the_weights_of_timm(monkeypatch, tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    asked = []
    monkeypatch.setattr(hub, "hf_hub_download", lambda *arguments: asked.append(arguments) or tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        transfer_head((32, 32, 3), backbone="wide_resnet50", weights="imagenet")
    assert asked == [("timm/wide_resnet50_2.racm_in1k", "model.safetensors")]


@pytest.mark.parametrize(
    ("backbone", "url"),
    [
        ("squeezenet", "https://github.com/rcmalli/keras-squeezenet/releases/download/v1.0/squeezenet_weights_tf_dim"),
        ("wide_resnet50", "https://huggingface.co/timm/wide_resnet50_2.racm_in1k/resolve/main/model.safetensors"),
    ],
)
def test_without_a_network_the_error_says_how_to_get_the_file(backbone, url, monkeypatch, tmp_path):
    def no_network(*_, **__):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", no_network)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    if backbone == "wide_resnet50":
        monkeypatch.setattr(pytest.importorskip("huggingface_hub"), "hf_hub_download", no_network)
    message = f"{url}.*: can't be downloaded; .* fetch this file .* pass its path as `weights`. Received: .*no network"
    with pytest.raises(ConnectionError, match=message):
        transfer_head((32, 32, 3), backbone=backbone, weights="imagenet")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"backbone": "resnet18"},
            r"`backbone` must be one of resnet50, squeezenet, .*vgg16\. Received: backbone='resnet18'",
        ),
        ({"backbone": None}, r"`backbone` must be one of .* Received: backbone=None"),
        ({"backbone": ["vgg16"]}, r"`backbone` must be one of .* Received: backbone=\['vgg16'\]"),
        ({"input_shape": (224, 224)}, r"`input_shape` must be \(height, width, 3\)"),
        ({"input_shape": (3, 224, 224)}, r"`input_shape` must be \(height, width, 3\)"),
        ({"input_shape": (31, 224, 3)}, r"`input_shape` must be at least \(32, 32, 3\)"),
        ({"input_shape": (74, 75, 3), "backbone": "inception_v3"}, r"`input_shape` must be at least \(75, 75, 3\)"),
        ({"num_classes": 1}, r"`num_classes` must be an integer of at least 2\. Received: num_classes=1"),
        ({"head": "average"}, r"`head` must be \"pooled\" or \"flat\"\. Received: head='average'"),
        ({"units": 512}, r"`units` must be a tuple.* Received: units=512"),
        ({"units": (512, 0)}, r"`units` must be a positive integer\. Received: units=0"),
        ({"dropout": 1.0}, r"`dropout` must be a share"),
        ({"trainable": 14}, r"`trainable` must be .* at most 13 in vgg16\. Received: trainable=14"),
        ({"trainable": -1}, r"`trainable` must be \"all\", \"none\" or how many"),
        ({"trainable": True}, r"`trainable` must be .* Received: trainable=True"),
        ({"trainable": "last"}, r"`trainable` must be .* Received: trainable='last'"),
        ({"weights": 3}, r"`weights` must be None, \"imagenet\" or a path\. Received: weights=3"),
    ],
    ids=str,
)
def test_impossible_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        transfer_head(**{"input_shape": (32, 32, 3)} | options)


def test_a_slip_in_the_name_of_the_weights_is_told():
    with pytest.raises(FileNotFoundError, match=r'image_net: there is no such file; pass None, "imagenet" or the path'):
        transfer_head((32, 32, 3), weights="image_net")


@pytest.mark.parametrize("shape", [(2, 64, 48, 3), (2, 48, 64, 1), (48, 64, 3)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(
        ValueError,
        match=r"(?s)Expected shape \(None, 48, 64, 3\), but input has incompatible shape|incompatible with the layer",
    ):
        squeezed()(images(*shape))
