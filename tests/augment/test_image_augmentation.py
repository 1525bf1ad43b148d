"""Images flipped, rotated and zoomed: what each of the three does to a picture, and when."""

import keras
import numpy as np
import pytest

from sertk.augment.image_augmentation import ImageAugmentation


def images(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, shape).astype("float32")


def numbers(tensor):
    return keras.ops.convert_to_numpy(tensor)


def blob(row, column, size=33):
    """A picture of one soft spot."""
    rows, columns = np.mgrid[:size, :size]
    spot = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 8)
    return np.repeat(255 * spot[None, :, :, None], 3, axis=-1).astype("float32")


def place(picture):
    """Where the spot is, from the middle: (down, right)."""
    weights = picture[..., 0].astype("float64") - picture.min()
    weights[weights < 0.3 * weights.max()] = 0
    grid = np.indices(weights.shape) - (np.array(weights.shape)[:, None, None] - 1) / 2
    return (grid * weights).sum(axis=(1, 2)) / weights.sum()


def test_without_training_images_stay_as_they_are_everywhere(check_layer):
    batch = images(3, 12, 16, 3)
    np.testing.assert_array_equal(check_layer(ImageAugmentation(seed=1), batch), batch)


def test_each_image_changes_in_its_own_way_and_stays_an_image():
    batch = np.repeat(images(1, 24, 32, 3), 6, axis=0)
    changed = numbers(ImageAugmentation(seed=0)(batch, training=True))
    assert changed.shape == batch.shape
    assert changed.min() >= -1e-3
    assert changed.max() <= 255 + 1e-3
    pairs = [(one, other) for one in range(6) for other in range(one)]
    assert all(not np.allclose(changed[one], changed[other], atol=1) for one, other in pairs)


def test_a_seed_gives_the_same_sequence_again():
    batch = images(3, 24, 32, 3)
    first, second = ImageAugmentation(seed=5), ImageAugmentation(seed=5)
    once = numbers(first(batch, training=True))
    np.testing.assert_array_equal(second(batch, training=True), once)
    assert not np.allclose(first(batch, training=True), once, atol=1)


def test_inside_a_compiled_model_each_step_changes_images_anew():
    import tensorflow as tf

    batch, layer = images(3, 24, 32, 3), ImageAugmentation(seed=5)
    step = tf.function(lambda batch: layer(batch, training=True))
    assert not np.allclose(step(batch), step(batch), atol=1)


def test_without_rotation_and_zoom_half_of_the_images_are_mirrored_left_to_right():
    batch = images(64, 8, 9, 3)
    changed = numbers(ImageAugmentation(rotation=0.0, zoom=0.0, seed=0)(batch, training=True))
    same = np.isclose(changed, batch, atol=1e-2).all(axis=(1, 2, 3))
    mirrored = np.isclose(changed, batch[:, :, ::-1], atol=1e-2).all(axis=(1, 2, 3))
    assert (same ^ mirrored).all()
    assert 16 < mirrored.sum() < 48


def test_rotation_keeps_the_distance_from_the_middle_and_its_angle_within_bounds():
    batch = np.concatenate([blob(16, 25)] * 64)
    changed = numbers(ImageAugmentation(rotation=0.1, zoom=0.0, seed=0)(batch, training=True))
    places = np.array([place(picture) for picture in changed])
    np.testing.assert_allclose(np.hypot(*places.T), 9, atol=0.3)
    degrees = np.degrees(np.arctan2(places[:, 0], np.abs(places[:, 1])))  # a flip puts the spot on the left
    assert np.abs(degrees).max() < 36 + 1
    assert degrees.min() < -20
    assert degrees.max() > 20


def test_zoom_moves_a_spot_from_or_to_the_middle_within_bounds():
    batch = np.concatenate([blob(16, 25)] * 64)
    changed = numbers(ImageAugmentation(rotation=0.0, zoom=0.2, seed=0)(batch, training=True))
    places = np.array([place(picture) for picture in changed])
    np.testing.assert_allclose(places[:, 0], 0, atol=0.2)
    # A window of 1.2 times the picture brings the spot to 9 / 1.2, one of 0.8 to 9 / 0.8.
    distances = np.abs(places[:, 1])
    assert 9 / 1.2 - 0.3 < distances.min() < 8.2
    assert 10 < distances.max() < 9 / 0.8 + 0.3


@pytest.mark.parametrize("options", [{"rotation": -0.1}, {"rotation": 1}, {"zoom": 1.0}, {"zoom": "0.2"}], ids=str)
def test_impossible_factors_are_refused(options):
    (name,) = options
    with pytest.raises(ValueError, match=rf"`{name}` must be at least 0 and below 1\. Received: {name}="):
        ImageAugmentation(**options)
