"""The search spaces: the papers' bounds, and settings that their recipes take."""

import itertools

import keras
import keras_tuner
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sertk.recipes import assemble, get, override
from sertk.tuning import SPACES, RecipeHyperModel, get_space
from sertk.tuning.oracles import GridOracle, grid_values

# What a recipe lacks that only its user has.
GIVEN = {"nsl": {"upstream.source": "runs/upstream"}}
POINTS = [(space, recipe) for space in SPACES for recipe in SPACES[space].recipes]


def drawn(space, seed):
    """The settings of a trial that is drawn at random."""
    hp = keras_tuner.HyperParameters()
    space.choose(hp)
    for number, parameter in enumerate(hp.space):
        hp.values[parameter.name] = parameter.random_sample(seed + number)
    return space.choose(hp)


def axes(space):
    hp = keras_tuner.HyperParameters()
    space.choose(hp)
    return {parameter.name: grid_values(parameter, 4) for parameter in hp.space}


def test_the_bounds_are_those_of_the_papers():
    """Paper 004, section 4.3.2 and experiment 0; paper 003, figure 2."""
    assert axes(SPACES["parallel-cnn"]) == {"training.learning_rate": [1e-5, 1e-4, 1e-3, 1e-2]}
    assert axes(SPACES["vgg16-head"]) == {
        "units 1": [64, 128, 192, 256, 320, 384, 448, 512],
        "units 2": [32, 64, 96, 128, 160, 192, 224, 256],
        "training.learning_rate": [1e-3, 1e-4, 1e-5],
    }
    assert axes(SPACES["nsl"]) == {
        "graph.multiplier": [0.01, 0.1, 1.0],
        "graph.neighbors": [3, 6, 9],
        "graph.layer": ["fc1", "fc2"],
    }


@settings(deadline=None, max_examples=60)
@given(place=st.sampled_from(POINTS), seed=st.integers(0, 2**31))
def test_whatever_is_drawn_fits_the_recipe(place, seed):
    space, name = SPACES[place[0]], place[1]
    recipe = override(get(name), {**space.changes, **GIVEN.get(space.name, {}), **drawn(space, seed)})
    assemble.check_settings(recipe)
    assert recipe.contrastive.loss is None or space.objective == "val_linear_accuracy"


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**31))
def test_rates_of_each_decade_are_drawn_alike(seed):
    rates = [drawn(SPACES["parallel-cnn"], seed + 100 * n)["training.learning_rate"] for n in range(60)]
    assert min(rates) >= 1e-5
    assert max(rates) <= 1e-2
    decades = np.histogram(np.log10(rates), bins=[-5, -4, -3, -2])[0]
    assert decades.min() >= 3  # of 20 that are expected, with a standard deviation of 3.7


@pytest.mark.parametrize("name", SPACES)
def test_the_settings_are_told_by_their_full_names(name):
    """They stand in results and configurations, and are compared with what a user fixes."""
    space = SPACES[name]
    for setting in drawn(space, 0):
        group, _, inner = setting.partition(".")
        assert group == "model" or hasattr(getattr(get(space.recipes[0]), group), inner)


def test_an_unknown_space_and_a_foreign_recipe_are_told():
    with pytest.raises(ValueError, match="no search space 'vgg'; choose one of parallel-cnn, vgg16-head"):
        get_space("vgg")
    with pytest.raises(ValueError, match=r"`recipe` must be one that the space nsl is made for.*'004-cnn-mfcc'"):
        get_space("nsl").recipe_name("004-cnn-mfcc")
    assert get_space("nsl").recipe_name() == "003-vgg15-nsl-3"


def test_a_model_is_the_recipes_with_a_trials_settings():
    """512 and 192 units on VGG16 make the published 27,660,103 parameters; other units others."""
    base = override(get("004-vgg16-1"), {"model.weights": None})
    hypermodel = RecipeHyperModel(get_space("vgg16-head"), base)
    hp = keras_tuner.HyperParameters()
    hypermodel.declare_hyperparameters(hp)
    hp.values |= {"units 1": 512, "units 2": 192, "training.learning_rate": 1e-5}
    model = hypermodel.build(hp)
    assert model.count_params() == 27_660_103
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-5)
    hp.values |= {"units 1": 64, "units 2": 32}
    flat = 7 * 7 * 512
    assert hypermodel.build(hp).count_params() == 14_714_688 + flat * 64 + 64 + 64 * 32 + 32 + 32 * 7 + 7


@pytest.mark.slow
def test_keras_tuners_own_tuners_take_the_hypermodel(tmp_path):
    """With features at hand, as a notebook has them."""
    base = override(get("004-cnn-mfcc"), {"audio.seconds": 1.0, "features.n_mfcc": 32, "features.n_mels": 32})
    hypermodel = RecipeHyperModel(get_space("parallel-cnn"), base, num_classes=2)
    shape = assemble.input_shape(base)
    x, y = np.random.default_rng(0).normal(size=(8, *shape)).astype("float32"), keras.utils.to_categorical([0, 1] * 4)
    tuner = keras_tuner.RandomSearch(hypermodel, "val_accuracy", max_trials=2, directory=tmp_path, project_name="own")
    tuner.search(x, y, validation_data=(x, y), epochs=1, verbose=0)
    trials = tuner.oracle.get_best_trials(2)
    assert [trial.status for trial in trials] == ["COMPLETED"] * 2
    assert all(list(trial.hyperparameters.values) == ["training.learning_rate"] for trial in trials)


def test_a_grid_over_experiment_0_has_192_points(begin):
    oracle = begin(GridOracle, SPACES["vgg16-head"].choose)
    assert oracle.planned == 8 * 8 * 3
    assert len(list(itertools.product(*axes(SPACES["vgg16-head"]).values()))) == 192
