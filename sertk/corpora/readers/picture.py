"""Image files in the place of sounds: what `sertk images` writes can be read as a corpus."""

from pathlib import Path

from PIL import Image

IMAGE_EXTENSIONS = (".jpeg", ".jpg", ".png")


def is_image(name):
    """Whether a file is called like an image."""
    return Path(name).suffix.lower() in IMAGE_EXTENSIONS


def image_size(path):
    """Width and height of an image file, from its header.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no image.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: there is no such file; were the images moved?")
    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path}: is no image that can be read; draw it anew. Received: {error}") from error
