"""Recipes are data: every row of the paper's tables, changed by name, the same after JSON, slips told in a sentence."""

import json

import pytest

from sertk.recipes import RECIPES, Recipe, get, override
from sertk.recipes.papers.paper_004 import PAPER_004
from sertk.recipes.recipe import settings


def test_there_is_a_recipe_for_every_result_of_paper_004():
    """Sections 4.3.3, 4.4.1 and the four tables of 4.5.2; by network, features, copies, learning rate, patience."""
    rows = {
        (r.model.builder, r.features.kind, r.noise.copies, r.training.learning_rate, r.training.patience)
        for r in RECIPES.values()
    }
    assert rows >= {
        ("cnn", "mfcc", 0, 1e-2, 20),
        ("two_cnn", "mfcc", 2, 1e-4, 10),
        ("cnn_transformer", "mfcc", 0, 1e-4, 20),
        ("cnn_transformer", "mfcc", 2, 1e-4, 10),
        ("cnn_transformer", "log_mel", 0, 1e-4, 20),
        ("cnn_transformer", "log_mel", 2, 1e-4, 10),
    }


def test_paper_001_is_its_table_1():
    recipes = [recipe for recipe in RECIPES.values() if recipe.name.startswith("001-")]
    backbones = {recipe.model.options["backbone"] for recipe in recipes}
    assert backbones == {"resnet50", "squeezenet", "wide_resnet50", "inception_v3"}
    for recipe in recipes:
        training = recipe.training
        assert (training.optimizer, training.learning_rate, training.epsilon) == ("adadelta", 1e-4, 1e-8)
        assert (training.epochs, training.batch_size, training.patience) == (10, 32, None)
        assert (recipe.chunks.seconds, recipe.chunks.counts) == (0.03, (1800, 600, 600))
        assert recipe.chunks.together


def test_experiments_1_to_5_of_paper_004():
    """Section 5.2.2: patience 5 on the validation accuracy, trained anew for the best number of epochs; Adam, 1e-5."""
    trainable = {}
    for number in range(1, 6):
        recipe = get(f"004-vgg16-{number}")
        training = recipe.training
        assert (training.optimizer, training.learning_rate) == ("adam", 1e-5)
        assert (training.patience, training.monitor, training.retrain) == (5, "accuracy", True)
        assert (recipe.split.kind, recipe.split.fractions, recipe.labels) == ("random", (0.8, 0.1, 0.1), "seven")
        assert (recipe.features.kind, recipe.features.height, recipe.features.width) == ("mel_image", 224, 224)
        assert recipe.model.options.get("image_augmentation", False) == (number == 2)
        trainable[number] = recipe.model.options["trainable"]
    assert trainable == {1: "none", 2: "none", 3: 1, 4: 2, 5: 3}


def test_paper_002_is_its_table_2():
    """Batch 4, accumulated over 2, 1e-4, ten epochs, judged every 100 steps, two checkpoints: the last and the best."""
    recipes = {recipe.name: recipe for recipe in RECIPES.values() if recipe.name.startswith("002-")}
    assert len(recipes) == 6
    for recipe in recipes.values():
        training = recipe.training
        assert (training.batch_size, training.accumulation, training.learning_rate) == (4, 2, 1e-4)
        assert (training.epochs, training.evaluate_every) == (10, 100)
        assert (recipe.labels, recipe.split.kind, recipe.split.fractions[2]) == ("eight", "random", 0.2)
        assert (recipe.audio.seconds, recipe.audio.pad) == (None, "batch")
        assert recipe.model.options["pooling"] == "mean"
        # More than all rounds of 1,440 clips, so that the ten epochs are trained to their end.
        assert training.patience > 10 * 1440 / (4 * 2 * 100)


def test_the_fine_tuned_wav2vec2_of_papers_003_and_004():
    recipe = get("004-wav2vec2")
    assert (recipe.training.optimizer, recipe.training.learning_rate) == ("adam", 1e-5)
    assert (recipe.training.epochs, recipe.training.patience, recipe.training.monitor) == (30, 10, "loss")
    assert (recipe.split.fractions, recipe.audio.seconds, recipe.labels) == ((0.9, 0.05, 0.05), 3.0, "seven")
    assert recipe.model.options["gradient_checkpointing"]
    recipe = get("003-upstream")
    assert (recipe.training.learning_rate, recipe.training.epochs, recipe.training.batch_size) == (3e-5, 20, 16)
    assert (recipe.split.kind, recipe.labels) == ("ravdess-10-8-6", "eight")
    assert recipe.model.options["units"] == 256
    assert recipe.model.options["freeze_feature_encoder"]


@pytest.mark.parametrize("recipe", PAPER_004, ids=lambda recipe: recipe.name)
def test_what_all_of_paper_004_share(recipe):
    assert recipe.labels == "seven"
    assert recipe.split.fractions == (0.8, 0.1, 0.1)
    assert (recipe.audio.sample_rate, recipe.audio.seconds) == (16_000, 3.0)
    assert (recipe.features.n_mels, recipe.features.n_mfcc) == (128, 128)
    assert recipe.features.hop_length == {"mfcc": 512, "log_mel": 256}[recipe.features.kind]
    assert recipe.noise.snr == (15.0, 30.0)
    assert recipe.training.epochs == 100
    assert recipe.source.startswith("paper 004")


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_json_round_trip(recipe):
    changed = override(recipe, {"training.seed": 3, "model.dropout": 0.1, "labels": None, "audio.trim_top_db": 30})
    assert Recipe.from_dict(json.loads(json.dumps(changed.to_dict()))) == changed


def test_override_by_full_and_by_short_name():
    recipe = override(get("004-cnn-mfcc"), {"learning_rate": 1, "split.kind": "speaker", "model.dropout": 0.5})
    assert recipe.training.learning_rate == 1.0
    assert recipe.split.kind == "speaker"
    assert recipe.model.options == {"dropout": 0.5}
    assert get("004-cnn-mfcc").model.options == {"dropout": 0.3}


def test_every_setting_that_is_shown_can_be_set_to_what_is_shown():
    recipe = get("004-parallel-mel-awgn")
    assert override(recipe, settings(recipe)) == recipe


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1}, r"several groups; write split\.seed or training\.seed\. Received: seed"),
        ({"learning_rat": 1}, r"no setting `learning_rat`; did you mean .*learning_rate"),
        ({"training.epochs": "ten"}, r"`training\.epochs` must be of type int\. Received: training\.epochs='ten'"),
        ({"training.epochs": 2.5}, r"must be of type int"),
        ({"training.epochs": True}, r"must be of type int"),
        ({"training.learning_rate": None}, r"must be of type float"),
        ({"training.retrain": 1}, r"must be of type bool"),
        ({"split.fractions": 0.8}, r"must be of type tuple"),
        ({"labels": 7}, r"`labels` must be of type str \| None"),
    ],
)
def test_wrong_override_is_told_in_one_sentence(changes, message):
    with pytest.raises(ValueError, match=message):
        override(get("004-cnn-mfcc"), changes)


def test_a_recipe_whose_name_is_near_is_named():
    with pytest.raises(ValueError, match=r"no recipe '004-cnn-mfc'; did you mean 004-cnn-mfcc( or .*)?\? Received"):
        get("004-cnn-mfc")


def test_unknown_recipe_lists_those_there_are():
    with pytest.raises(ValueError, match=r"no recipe '005'; choose one of 000-resnet50-supervised, .*004-cnn-mfcc"):
        get("005")
