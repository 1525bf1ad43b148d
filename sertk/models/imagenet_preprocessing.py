"""What a network trained on ImageNet wants its images to be like."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="sertk")
class ImageNetPreprocessing(keras.layers.Layer):
    """Turns RGB images into what networks trained on ImageNet take, as Keras's `preprocess_input` functions do.

    Input: images with values in [0, 255], `(batch, height, width, 3)`, of any float or integer type.
    Output: float32, the same shape.

    Args:
        mode: "caffe" (BGR, less the means 103.939, 116.779 and 123.68), "tf" (scaled to [-1, 1]) or "torch" (scaled to
            [0, 1], less the means 0.485, 0.456 and 0.406, over the deviations 0.229, 0.224 and 0.225).
        dtype: defaults to `"float32"`, in half precision the values would lose their fraction.

    Raises:
        ValueError: if `mode` is unknown or the input has another shape.

    Example:
        >>> ImageNetPreprocessing("tf")(255 * np.ones((1, 2, 2, 3)))[0, 0, 0]
        [1.0, 1.0, 1.0]

    Source: `keras.applications.imagenet_utils.preprocess_input`, which computes it.
    """

    def __init__(self, mode, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, **kwargs)
        if mode not in ("caffe", "tf", "torch"):
            raise ValueError(f'`mode` must be "caffe", "tf" or "torch". Received: mode={mode!r}')
        self.mode = mode

    def build(self, input_shape):
        if len(input_shape) != 4 or input_shape[-1] != 3:
            raise ValueError(
                f"{self.name} takes RGB images, (batch, height, width, 3). Received: an input of shape "
                f"{tuple(input_shape)}"
            )
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={-1: 3})

    def call(self, images):
        images = ops.cast(images, self.compute_dtype)
        return keras.applications.imagenet_utils.preprocess_input(images, data_format="channels_last", mode=self.mode)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "mode": self.mode}
