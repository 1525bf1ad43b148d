"""From recipe to layers: the published parameter counts, through the very path that training takes."""

import pytest

from sertk.recipes import RECIPES, assemble, get, override


@pytest.mark.parametrize(
    ("name", "frames", "parameters"),
    [
        ("004-cnn-mfcc", 94, 27_495),
        ("004-two-cnn-mfcc-awgn", 94, 54_983),
        ("004-parallel-mfcc-awgn", 94, 848_967),
        # With 188 frames, each CNN has 4 batch-norm weights for each of 188 + 94 + 23 frames, not 94 + 47 + 11, and
        # hands 64 x 5 x 4 values, not 64 x 2 x 4, to 7 classes.
        ("004-parallel-mel", 188, 848_967 + 2 * (4 * (94 + 47 + 12) + 7 * 768)),
    ],
)
def test_published_parameter_counts(name, frames, parameters):
    recipe = get(name)
    layer = assemble.features(recipe)
    shape = layer.compute_output_shape((None, assemble.fixed_length(recipe).samples))[1:]
    assert shape == (frames, 128)
    assert assemble.network(recipe, shape, 7).count_params() == parameters


def test_sertks_own_network():
    """3 s at a hop of 512 are 94 frames; the parameters are added up in tests/models/test_attentive_cnn.py."""
    recipe = get("attentive-mel")
    shape = assemble.features(recipe).compute_output_shape((None, assemble.fixed_length(recipe).samples))[1:]
    assert shape == (94, 64)
    assert assemble.network(recipe, shape, 8).count_params() == 186_020


def test_fresh_noise_is_a_layer_and_copies_are_not():
    fresh = assemble.noise(override(get("004-cnn-mfcc"), {"noise.fresh": True, "noise.snr": [5, 10]}))
    assert fresh.snr == (5.0, 10.0)
    assert assemble.noise(get("004-cnn-mfcc-awgn")) is None


def test_every_recipe_can_be_assembled():
    for recipe in RECIPES.values():
        assert assemble.fixed_length(recipe).samples == 48_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features.kind": "plp"}, r'`features.kind` must be "mfcc" or "log_mel"\. Received: features.kind=\'plp\''),
        ({"model.builder": "resnet"}, r"`model.builder` must be one of attentive_cnn, cnn, two_cnn, cnn_transformer"),
        ({"model.droput": 0.1}, r"`model.droput` is no option of cnn, which has dropout, batch_norm"),
    ],
)
def test_wrong_settings_are_told(changes, message):
    recipe = override(get("004-cnn-mfcc"), changes)
    with pytest.raises(ValueError, match=message):
        assemble.features(recipe), assemble.network(recipe, (94, 128), 7)
