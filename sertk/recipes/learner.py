"""The network that a run trains, with the weights that it starts from, and what of it is looked at beforehand."""

import dataclasses

import keras

from sertk.models import encoder, fine_tuned, projection_head
from sertk.models.projection_head import encoder_and_head, with_projection
from sertk.models.ssl.hub import checkpoint_folder
from sertk.models.without_values import without_values
from sertk.recipes import assemble
from sertk.recipes.recipe import override
from sertk.recipes.run import Run
from sertk.recipes.transfer.embedded import recipe_embedder
from sertk.recipes.transfer.passed_on import PassedOn
from sertk.recipes.transfer.upstream import check_unheard

# What a network's input depends on: settings that a run has in common with the one whose weights it starts from.
HEARD = ("sample_rate", "seconds", "crop", "pad", "trim_top_db")


def learner(recipe, input_shape, num_classes, member=1, channels=None):
    """The network of a recipe with the weights that it starts from; for contrastive learning with its projection head.

    Args:
        recipe, input_shape, num_classes, member, channels: as in `assemble.network`.

    Returns:
        A functional `keras.Model`: a classifier, or an encoder and a head, as `sertk.models.encoder_and_head` takes it.

    Raises:
        ValueError: as `assemble.network` does, or if the network is not that of the run it starts from.
    """
    contrastive, start = recipe.contrastive.loss is not None, recipe.start
    # Of clips without labels there is one class; the classifier is left out of such a network anyway.
    count = max(num_classes, 2) if contrastive else num_classes
    network = assemble.network(recipe, input_shape, count, member, channels)
    if not contrastive and start.source is None:
        return network
    body, head = encoder(network), None
    if start.source is not None:
        body, head = _started(recipe, body)
    if contrastive:
        return with_projection(body, projection_head(body.output_shape[-1], recipe.contrastive.projection))
    return fine_tuned(body, head, start.layer, num_classes, frozen=start.frozen, name=network.name)


def normalization_of(source):
    """The normalisation that a run was trained with; None where it has none.

    Args:
        source: the run's folder.
    """
    found = [layer for layer in Run.open(source).model().layers if isinstance(layer, keras.layers.Normalization)]
    return found[0] if found else None


def check(recipe, num_classes, splits=()):
    """Builds the network that a recipe names once, so that what does not fit is told before a run begins.

    Args:
        recipe: `Recipe`.
        num_classes: int.
        splits: list of manifests with `part`, one a fold, of which a frozen network must not know what is measured on.
            Defaults to none.

    Raises:
        ConnectionError, FileNotFoundError: if a source or a file that the recipe names is not to be had.
        ValueError: if a setting is out of range, or the settings do not fit together.
    """
    _check_network(recipe, num_classes)
    check_unheard(recipe, splits)


def _check_network(recipe, num_classes):
    passed_on, options = PassedOn(recipe), recipe.model.options
    passed_on.check()
    if recipe.features.kind == "embedding":
        passed_on.regularized(learner(recipe, recipe_embedder(recipe).output_shape[1:], num_classes))
        return
    shape = assemble.input_shape(recipe)
    if recipe.model.builder != "ssl_classifier":
        network = learner(recipe, shape, num_classes, channels=passed_on.channels)
        if recipe.contrastive.loss is None:
            passed_on.regularized(network)
        return
    # A network of a billion weights: its checkpoint must be there, and its shapes fit, but no weight is made.
    if options.get("weights") is not None:
        pretrained = options["weights"] == "pretrained"
        checkpoint_folder(options.get("backbone", assemble.DEFAULT) if pretrained else options["weights"])
    bare = override(recipe, {"model.weights": None})
    without_values(lambda: passed_on.regularized(assemble.network(bare, shape, num_classes)))


def _started(recipe, body):
    """An encoder with the weights of the run it starts from, and that run's projection head, None where it has none."""
    source = recipe.start.source
    run = Run.open(source)
    _check_same_features(recipe, run)
    if run.recipe.training.members > 1:
        raise ValueError(
            "`start.source` must be a run of one network. "
            f"Received: {source}, an ensemble of {run.recipe.training.members}"
        )
    trained = run.model().layers[-1]
    there, head = encoder_and_head(trained) if run.recipe.contrastive.loss is not None else (encoder(trained), None)
    if head is None and recipe.start.layer:
        raise ValueError(
            "`start.layer` must be 0 where `start.source` is a classifier, which has no projection head. "
            f"Received: start.layer={recipe.start.layer}"
        )
    shapes = [[tuple(weight.shape) for weight in model.weights] for model in (there, body)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"`model` must be the network of {source}, {run.recipe.model.builder} with {there.count_params():,} "
            f"weights in its encoder. Received: {recipe.model.builder} with {body.count_params():,}"
        )
    body.set_weights(there.get_weights())
    return body, head


def _check_same_features(recipe, run):
    """Refuses to start from a network that heard clips in another way: its weights would mean nothing here."""
    theirs, ours = (
        {f"audio.{name}": getattr(each.audio, name) for name in HEARD}
        | {f"features.{name}": value for name, value in dataclasses.asdict(each.features).items()}
        for each in (run.recipe, recipe)
    )
    # A network on features of any length may hear longer clips than before.
    other = [name for name in theirs if theirs[name] != ours[name] and name != "audio.seconds"]
    if other:
        name = other[0]
        raise ValueError(
            f"`{name}` must be that of {run.directory}, {theirs[name]!r}: the weights that come from there were learnt "
            f"so. Received: {name}={ours[name]!r}"
        )
