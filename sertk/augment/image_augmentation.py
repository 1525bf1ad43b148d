"""Images flipped, rotated and zoomed at random."""

import keras
from keras import layers


@keras.saving.register_keras_serializable(package="sertk")
class ImageAugmentation(layers.Layer):
    """Flips images left to right, rotates and zooms them in training, each image by amounts of its own.

    Keras's own layers, which do so in every call that does not say `training=False`; this one, like dropout, in those
    alone that say `training=True`, so that a model which is simply called, or served, answers the same each time. What
    comes into view beyond an image's edge is its mirror image. Of a spectrogram, a flip is speech played backwards,
    and a rotation mixes time with frequency.

    Input: images, `(batch, height, width, channels)`.
    Output: the same shape, float32.

    Args:
        rotation: float, the largest angle to either side, in turns. Defaults to 0.1, 36 degrees.
        zoom: float, the largest change of height and width, as a share of them. Defaults to 0.2.
        seed: int, or None for another sequence in every process. Defaults to None.
        dtype: defaults to `"float32"`.

    Raises:
        ValueError: if a factor is out of range.

    Example:
        >>> augmented = ImageAugmentation(seed=0)(images, training=True)

    Source: paper 004, section 5.2.3, which names the three and no factors; those here are of the VGG16 example in
        Chollet (2021), Deep Learning with Python, whose steps the paper follows.
    """

    def __init__(self, rotation=0.1, zoom=0.2, seed=None, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, **kwargs)
        for name, factor in (("rotation", rotation), ("zoom", zoom)):
            if not isinstance(factor, int | float) or not 0 <= factor < 1:
                raise ValueError(f"`{name}` must be at least 0 and below 1. Received: {name}={factor!r}")
        self.rotation = rotation
        self.zoom = zoom
        self.seed = seed
        seeds = (None,) * 3 if seed is None else (seed, seed + 1, seed + 2)
        self.steps = [
            layers.RandomFlip("horizontal", seed=seeds[0], dtype=dtype, name="flip"),
            layers.RandomRotation(rotation, seed=seeds[1], dtype=dtype, name="rotation"),
            layers.RandomZoom(zoom, seed=seeds[2], dtype=dtype, name="zoom"),
        ]

    def build(self, input_shape):
        for step in self.steps:
            step.build(input_shape)

    def call(self, images, training=False):
        if not training:
            return images
        for step in self.steps:
            images = step(images, training=True)
        return images

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rotation": self.rotation, "zoom": self.zoom, "seed": self.seed}
