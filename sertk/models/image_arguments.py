"""The checks that builders of image networks share: what makes no network is refused in one sentence."""


def check_images(input_shape, smallest):
    """Refuses what is no shape of RGB images, or is smaller than the network's strides allow."""
    if (
        not isinstance(input_shape, tuple | list)
        or len(input_shape) != 3
        or not all(isinstance(size, int) for size in input_shape)
        or input_shape[2] != 3
    ):
        raise ValueError(
            f"`input_shape` must be (height, width, 3), as RGB images have it. Received: input_shape={input_shape}"
        )
    if min(input_shape[:2]) < smallest:
        raise ValueError(
            f"`input_shape` must be at least ({smallest}, {smallest}, 3): the network's strides leave nothing of less. "
            f"Received: input_shape={tuple(input_shape)}"
        )
