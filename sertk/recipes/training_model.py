"""The model that is trained: a run's network with what comes before it, inside what makes it learn."""

import keras

from sertk.learning import Contrastive, MixedLabels
from sertk.models import from_features, from_padded, from_waveform
from sertk.models.projection_head import encoder_and_head
from sertk.recipes import assemble


def training_model(recipe, network, *, kept, padded, features=None, normalization=None):
    """Builds the model that a recipe's batches go into.

    Args:
        recipe: `Recipe`.
        network: what `learner` built.
        kept: bool, whether batches hold features, or embeddings, instead of waveforms.
        padded: bool, whether batches are padded waveforms with their lengths.
        features: the feature layer, or None. Defaults to None.
        normalization: `keras.layers.Normalization`, fitted, or None. Defaults to None.

    Returns:
        `keras.Model`.
    """
    cutting, noise = assemble.fixed_length(recipe), assemble.noise(recipe)
    augmentation, mixing = assemble.augmentation(recipe), assemble.label_mixing(recipe)
    if recipe.contrastive.loss is not None or mixing is not None:
        steps = [normalization] if kept else [noise, features, normalization]
        front = _front(network.inputs[0].shape[1:] if kept else (cutting.samples,), steps)
        if mixing is not None:
            return MixedLabels(from_features(network, augmentation=augmentation), mixing, front)
        return Contrastive(
            *encoder_and_head(network),
            augmentation,
            temperature=recipe.contrastive.temperature,
            labels=recipe.contrastive.loss == "supervised",
            front=front,
        )
    if kept:
        return from_features(network, normalization=normalization, augmentation=augmentation)
    if padded:
        return from_padded(network, cutting)
    steps = {"noise": noise, "features": features, "normalization": normalization, "augmentation": augmentation}
    return from_waveform(network, samples=cutting.samples, **steps)


def _front(shape, steps):
    """The steps from a batch to features, without weights to be learnt; None where there are none."""
    steps = [step for step in steps if step is not None]
    if not steps:
        return None
    given = x = keras.Input(shape, name="given")
    for step in steps:
        x = step(x)
    return keras.Model(given, x, name="front", trainable=False)
