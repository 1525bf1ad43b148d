"""One split: a recipe's network trained on its training part, and measured on another."""

import keras

import sertk.evaluation
from sertk.atomic import replacing
from sertk.features import SpectrogramImage
from sertk.learning import fit
from sertk.models import (
    ensemble,
    from_padded,
    from_waveform,
)
from sertk.models.ssl.hearing import shortest_clip
from sertk.pipeline import Clips, features_size
from sertk.recipes import assemble
from sertk.recipes.answers import answers
from sertk.recipes.bad_clips import refuse_short
from sertk.recipes.drawn import draw_examples
from sertk.recipes.few_labels import UNLABELLED, lessons
from sertk.recipes.learner import learner, normalization_of
from sertk.recipes.optimizer import optimizer
from sertk.recipes.training_model import training_model
from sertk.recipes.transfer.embedded import embedded, recipe_embedder
from sertk.recipes.transfer.passed_on import PassedOn
from sertk.recipes.transfer.teacher import taught, teachers_answers

# Features of training and validation up to this size, in bytes, are computed once and kept in memory.
KEPT_FEATURES = 2 * 2**30


def train_split(run, cache=None, verbose=None):
    """Trains the recipe of a run whose settings and split are written, or goes on with it.

    Args:
        run: `Run`.
        cache: folder for decoded waveforms.
        verbose: Keras's.
    """
    if run.finished:
        return
    recipe, classes, split = run.recipe, run.classes, run.split
    seed = recipe.training.seed
    keras.utils.set_random_seed(seed)
    cutting, features = assemble.fixed_length(recipe), assemble.features(recipe)
    train, validation = training_parts(recipe, split)
    (train, labelled), (validation, judged) = lessons(recipe, train), lessons(recipe, validation)
    progress = verbose != 0
    passed_on = PassedOn(recipe, cache, progress)
    keep = _features_stay(recipe, features, cutting, len(train) + len(validation))
    rounds = _rounds(recipe)
    waveforms = assemble.waveforms(recipe, cache)
    embedder = recipe_embedder(recipe) if recipe.features.kind == "embedding" else None

    def kept(part):
        """What is computed once: the layer that does it, or the embeddings themselves."""
        if embedder is not None and len(part):
            return embedded(recipe.features, part, embedder, waveforms, cutting, progress=progress)
        return features if keep else None

    def beside(part):
        """What clips bring with them: an upstream's embeddings, a teacher's answers."""
        return (passed_on.beside(part) or {}) | teachers_answers(recipe, part, cache, progress)

    shared = {
        "classes": classes,
        "cache": waveforms,
        "fixed_length": cutting,
        "batch_size": recipe.training.batch_size,
        "progress": progress,
    }
    training = Clips(
        train,
        features=kept(train),
        beside=beside(train),
        labelled=labelled,
        neighbors=passed_on.neighbors(run, train),
        shuffle=True,
        noisy_copies=recipe.noise.copies,
        snr=recipe.noise.snr,
        seed=seed,
        rounds=rounds,
        **shared,
    )
    validating = None
    if len(validation):
        validating = Clips(validation, features=kept(validation), beside=beside(validation), labelled=judged, **shared)
    keep = keep or embedder is not None

    if isinstance(features, SpectrogramImage):
        draw_examples(
            [clips for clips in (validating, training) if clips], None if keep else features, run.path("examples")
        )

    normalization = None
    if recipe.features.normalize and recipe.start.source is not None:
        # What the weights that are taken over were learnt on.
        normalization = normalization_of(recipe.start.source)
    elif recipe.features.normalize:
        normalization = keras.layers.Normalization(name="normalization")
        normalization.adapt(training.heard if keep else training.heard.map(features))

    input_shape = assemble.input_shape(recipe) if embedder is None else embedder.output_shape[1:]

    def trained(member, validating, folder, epochs, patience):
        """A member's network, trained in a folder of its own, and the log of it."""
        keras.utils.set_random_seed(seed + member - 1)
        network = learner(recipe, input_shape, len(classes), member, passed_on.channels)
        if training.padded and not keep:
            # Of the test part too: better now than after an hour of training.
            refuse_short(split, waveforms, shortest_clip(network), progress=progress)
        batches = {"kept": keep, "padded": training.padded, "features": features, "normalization": normalization}
        model = taught(recipe, passed_on.regularized(training_model(recipe, network, **batches)))
        settings = {
            "optimizer": optimizer(recipe, training.steps),
            "label_smoothing": recipe.training.label_smoothing,
            "epochs": epochs,
            "patience": patience,
            "monitor": recipe.training.monitor,
            "verbose": verbose,
        }
        return network, fit(model, training, validating, run.path(folder), **settings)

    networks = []
    for member in range(1, recipe.training.members + 1):
        if recipe.training.members > 1 and verbose != 0:
            print(f"\nmember {member} of {recipe.training.members}", flush=True)
        folder = member_folder("training", member)
        network, log = trained(
            member, validating, folder, training.passes or recipe.training.epochs, recipe.training.patience
        )
        if recipe.training.retrain and validating is not None:
            network, _ = trained(member, None, member_folder("retraining", member), log.best_epoch, None)
        networks.append(network)

    together = ensemble(networks)
    if training.padded:
        served = from_padded(together, cutting, embedder=embedder, normalization=normalization)
    else:
        steps = {"fixed_length": cutting, "normalization": normalization, "embedder": passed_on.embedder}
        served = from_waveform(together, features, **steps)
    with replacing(run.path("model.keras")) as unfinished:
        served.save(unfinished)


def training_parts(recipe, split):
    """The clips to train on and those to judge by, of a split; of the latter none where they train too."""
    train, validation = (split[split["part"] == part] for part in ("train", "validation"))
    if recipe.training.join_validation:
        return split[split["part"].isin(["train", "validation"])], validation[:0]
    return train, validation


def member_folder(name, member):
    """The folder of a member's training in its run: "training", "training-2", "training-3"."""
    return name if member == 1 else f"{name}-{member}"


def predict_part(run, part, cache=None):
    """What a run's model says about one part of its split.

    Args:
        run: `Run`, finished.
        part: "test" or "validation".
        cache: folder for decoded waveforms.

    Returns:
        DataFrame, `sertk.evaluation.predictions_table`.

    Raises:
        ValueError: if training has not ended, or the split has no such part.
    """
    run.check_classifier()
    recipe, classes, split = run.recipe, run.classes, run.split
    clips = split[(split["part"] == part) & (split["emotion"] != UNLABELLED)].reset_index(drop=True)
    if clips.empty:
        raise ValueError(
            f"{run.directory}: its split has no {part} part with labels to measure on; name another one with `part`. "
            f"Received: part={part!r}"
        )
    if part == "validation" and recipe.training.join_validation:
        raise ValueError(
            f"{run.directory}: was trained on its validation part too; measure on the test part. "
            "Received: part='validation' with training.join_validation=True"
        )
    probabilities = answers(run, clips, cache)
    return sertk.evaluation.predictions_table(clips.drop(columns="part"), probabilities, classes)


def _rounds(recipe):
    """The batches of a round and the epochs, where the validation part is judged every so many steps."""
    training = recipe.training
    if training.evaluate_every is None:
        return None
    return training.evaluate_every * training.accumulation, training.epochs


def _features_stay(recipe, features, cutting, clips):
    """Whether the features are the same in every epoch, and few enough to be kept."""
    if features is None:
        return False
    size = features_size(clips, 1 + recipe.noise.copies, features, cutting.samples)
    return not recipe.noise.fresh and size <= KEPT_FEATURES
