"""From recipe to layers: the published parameter counts, through the very path that training takes."""

import numpy as np
import pytest

from sertk.models.without_values import without_values
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


@pytest.mark.parametrize(
    ("name", "parameters", "trainable"),
    [
        ("001-resnet50", 24_638_339, None),
        ("001-inception-v3", 22_853_411, None),
        ("001-squeezenet", 986_691, None),
        ("004-vgg16-1", 27_660_103, 27_660_103 - 14_714_688),
        ("004-vgg16-3", 27_660_103, 15_305_223),
        ("004-vgg16-4", 27_660_103, 17_665_031),
        ("004-vgg16-5", 27_660_103, 20_024_839),
    ],
)
def test_published_parameter_counts_of_image_networks(name, parameters, trainable):
    """Paper 001 has 3 classes, paper 004 seven. Without the weights of ImageNet, which would be downloaded."""
    recipe = override(get(name), {"model.weights": None})
    shape = assemble.features(recipe).compute_output_shape((None, assemble.fixed_length(recipe).samples))[1:]
    assert shape == ((299, 299, 3) if "inception" in name else (224, 224, 3))
    network = assemble.network(recipe, shape, 3 if name.startswith("001") else 7)
    assert network.count_params() == parameters
    if trainable:
        assert sum(int(np.prod(weight.shape)) for weight in network.trainable_weights) == trainable


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
        sources = {"upstream.source": "runs/upstream"} | ({"start.source": "runs/simclr"} if recipe.start.layer else {})
        sources |= {"teacher.source": "runs/teacher"} if recipe.teacher.source == "" else {}
        assemble.check_settings(override(recipe, sources))
        samples, features = assemble.fixed_length(recipe).samples, assemble.features(recipe)
        if features is None:
            assert recipe.audio.pad == "batch"
            assert samples in (None, 48_000)
            continue
        assert samples == {"001": 480, "003": 95_744}.get(recipe.name[:3], 48_000)
        assert None not in features.compute_output_shape((None, samples))[1:]


@pytest.mark.parametrize(
    ("name", "classes", "parameters"),
    [
        ("004-wav2vec2", 7, 94_377_095),
        # transformers' Wav2Vec2ForSequenceClassification and its kin with 8 classes: a projection of 256.
        ("002-hubert-base", 8, 94_371_712 + 768 * 256 + 256 + 256 * 8 + 8),
        ("002-xlsr-53", 8, 315_438_720 + 1024 * 256 + 256 + 256 * 8 + 8),
        ("003-upstream", 8, 94_371_712 + 768 * 256 + 256 + 256 * 8 + 8),
    ],
)
def test_published_parameter_counts_of_speech_transformers(name, classes, parameters):
    recipe = override(get(name), {"model.weights": None})
    built = without_values(lambda: assemble.network(recipe, assemble.input_shape(recipe), classes))
    assert built.count_params() == parameters


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"features.kind": "plp"},
            r"`features.kind` must be one of mfcc, log_mel, mel_image, stft_image, waveform, embedding\. Received: .*",
        ),
        (
            {"features.kind": "mel_image", "features.normalize": True},
            r"`features\.normalize` is for spectrograms: an image network scales its images itself",
        ),
        (
            {"model.builder": "resnet"},
            r"`model.builder` must be one of attentive_cnn, cnn, two_cnn, cnn_transformer, transfer_head",
        ),
        ({"model.droput": 0.1}, r"`model.droput` is no option of cnn, which has dropout, batch_norm"),
    ],
)
def test_wrong_settings_are_told(changes, message):
    recipe = override(get("004-cnn-mfcc"), changes)
    with pytest.raises(ValueError, match=message):
        assemble.features(recipe), assemble.network(recipe, (94, 128), 7)
