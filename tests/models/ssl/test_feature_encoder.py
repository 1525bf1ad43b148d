"""The feature encoder: what a frame hears, what padding does to it, and clips that are too short."""

import keras
import numpy as np
import pytest

from sertk.models.ssl.feature_encoder import FeatureEncoder

KERNELS, STRIDES = (10, 3, 2), (5, 2, 2)
# By hand: a frame of the last hears 2 of the second, these (2 - 1) * 2 + 3 = 5 of the first, these 4 * 5 + 10 samples.
SHORTEST, HOP = 30, 20


def waveforms(samples=200, seed=0):
    return np.random.default_rng(seed).standard_normal((3, samples)).astype("float32")


def encoder(norm, **options):
    keras.utils.set_random_seed(0)
    return FeatureEncoder((6, 8, 5), KERNELS, STRIDES, norm, **options)


def encoded(layer, inputs, **options):
    return keras.ops.convert_to_numpy(layer(inputs, **options))


@pytest.mark.parametrize(("norm", "bias"), [("group", False), ("layer", True)])
def test_every_place_a_layer_runs_in(norm, bias, check_layer):
    assert check_layer(encoder(norm, bias=bias), waveforms()).shape == (3, 9, 5)


def test_a_frame_hears_its_receptive_field_and_no_more():
    """With layer norm, by which frames know nothing of each other."""
    layer, clip = encoder("layer"), waveforms()[:1]
    before = encoded(layer, clip)
    for frame in range(9):
        for sample, heard in ((frame * HOP, True), (frame * HOP + SHORTEST - 1, True), (frame * HOP + SHORTEST, False)):
            if sample < clip.shape[1]:
                changed = clip.copy()
                changed[0, sample] += 5
                assert (encoded(layer, changed)[0, frame] != before[0, frame]).any() == heard, (frame, sample)


def test_group_norm_hears_padding_as_the_published_networks_do_and_layer_norm_does_not():
    clip = waveforms()[:1]
    padded = np.pad(clip, ((0, 0), (0, 100)))
    alone, together = (encoded(encoder("layer"), inputs) for inputs in (clip, padded))
    np.testing.assert_allclose(together[:, :9], alone, atol=1e-6)
    alone, together = (encoded(encoder("group"), inputs) for inputs in (clip, padded))
    assert abs(together[:, :9] - alone).max() > 0.01


def test_clips_shorter_than_the_receptive_field_are_refused():
    message = r"Clips must have at least 30 samples, the receptive field\. Received: 29"
    assert encoded(encoder("layer"), waveforms(30)).shape == (3, 1, 5)
    with pytest.raises(ValueError, match=message):
        encoder("layer")(waveforms(29))
    with pytest.raises(ValueError, match=message):
        encoder("layer")(keras.Input((29,)))
    with pytest.raises(
        ValueError, match=r"`lengths` must be at least 30 samples, .* Received: lengths=\[200, 29, 30\]"
    ):
        encoder("layer")(waveforms(), lengths=np.array([200, 29, 30]))
