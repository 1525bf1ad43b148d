"""What networks trained on ImageNet are fed with: hand-worked pixels, Keras's own functions, bad input."""

import keras
import numpy as np
import pytest

from sertk.models.imagenet_preprocessing import ImageNetPreprocessing


def images(*shape):
    return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        # Blue comes first, the means of ImageNet's blue, green and red are taken off.
        ("caffe", [30 - 103.939, 20 - 116.779, 255 - 123.68]),
        ("tf", [1.0, 20 / 127.5 - 1, 30 / 127.5 - 1]),
        # torchvision's constants.
        ("torch", [(1 - 0.485) / 0.229, (20 / 255 - 0.456) / 0.224, (30 / 255 - 0.406) / 0.225]),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_a_pixel_becomes_what_was_worked_out_by_hand(mode, expected, dtype):
    pixel = np.array([[[[255, 20, 30]]]], dtype)
    actual = keras.ops.convert_to_numpy(ImageNetPreprocessing(mode)(pixel))
    np.testing.assert_allclose(actual[0, 0, 0], expected, atol=1e-4)


@pytest.mark.parametrize(("mode", "application"), [("caffe", "vgg16"), ("caffe", "resnet50"), ("tf", "inception_v3")])
def test_runs_everywhere_as_the_application_of_keras_wants_it(mode, application, check_layer):
    batch = images(3, 5, 4, 3)
    actual = check_layer(ImageNetPreprocessing(mode), batch, atol=1e-4)
    expected = getattr(keras.applications, application).preprocess_input(batch.copy())
    np.testing.assert_allclose(actual, expected, atol=1e-4)


def test_computes_in_single_precision_under_a_mixed_policy():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        layer = ImageNetPreprocessing("caffe")
    finally:
        keras.config.set_dtype_policy("float32")
    batch = images(2, 4, 4, 3)
    np.testing.assert_array_equal(layer(batch), ImageNetPreprocessing("caffe")(batch))


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match=r'`mode` must be "caffe", "tf" or "torch"\. Received: mode=\'bgr\''):
        ImageNetPreprocessing("bgr")


@pytest.mark.parametrize("shape", [(4, 4, 3), (2, 4, 4, 1), (2, 4, 4)])
def test_what_is_no_batch_of_colour_images_is_refused(shape):
    with pytest.raises(ValueError, match=r"takes RGB images, \(batch, height, width, 3\)\. Received: .*4, 4"):
        ImageNetPreprocessing("tf")(images(*shape))
