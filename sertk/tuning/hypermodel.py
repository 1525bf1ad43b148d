"""A recipe as Keras Tuner wants it: a model for each set of parameters."""

import keras
import keras_tuner

from sertk.recipes import assemble, get, override
from sertk.recipes.learner import learner
from sertk.recipes.optimizer import optimizer


class RecipeHyperModel(keras_tuner.HyperModel):
    """The network that `sertk train` would build for a recipe with the settings that a trial has.

    `sertk tune` asks it for the recipe of a trial, and trains that as `sertk train` does. With features at hand it goes
    into any of Keras Tuner's own tuners too: the model is compiled with the recipe's optimiser and loss.

    Args:
        space: `sertk.tuning.SearchSpace`.
        recipe: `sertk.recipes.Recipe`, or None for the space's own with its changes. Defaults to None.
        num_classes: int. Defaults to 7.
        steps: int, batches an epoch, for learning rates that fall. Defaults to 1.

    Example:
        >>> hypermodel = RecipeHyperModel(get_space("parallel-cnn"))
        >>> tuner = keras_tuner.Hyperband(hypermodel, objective="val_accuracy", max_epochs=27)
        >>> tuner.search(train.dataset, validation_data=validation.dataset)
    """

    def __init__(self, space, recipe=None, num_classes=7, steps=1):
        super().__init__(name=space.name)
        self.space = space
        self.base = override(get(space.recipe_name()), space.changes) if recipe is None else recipe
        self.num_classes = num_classes
        self.steps = steps

    def declare_hyperparameters(self, hp):
        """Asks for each parameter once, without building anything."""
        self.space.choose(hp)

    def changes(self, hp):
        """dict, the settings of a trial."""
        return self.space.choose(hp)

    def recipe(self, hp):
        """The `Recipe` of a trial."""
        return override(self.base, self.changes(hp))

    def build(self, hp):
        """The network of a trial, for batches of features; of contrastive learning encoder and head, not compiled."""
        recipe = self.recipe(hp)
        network = learner(recipe, assemble.input_shape(recipe), self.num_classes)
        if recipe.contrastive.loss is None:
            loss = keras.losses.CategoricalCrossentropy(label_smoothing=recipe.training.label_smoothing)
            network.compile(optimizer(recipe, self.steps), loss=loss, metrics=["accuracy"])
        return network
