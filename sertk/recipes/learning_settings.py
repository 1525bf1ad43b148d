"""What must hold of the settings that say how a network learns: contrastive loss, starting weights, teacher, mixing."""

CONTRASTIVE = ("nt_xent", "supervised")
SPECTROGRAMS = ("mfcc", "log_mel")


def check_learning(recipe):
    """Refuses settings of augmentation, start, contrastive learning and teacher that are out of range or at odds.

    Raises:
        ValueError: if there is one.
    """
    start, teacher = recipe.start, recipe.teacher
    if not 0 < recipe.split.labelled <= 1:
        raise ValueError(
            "`split.labelled` must be above 0 and at most 1: 0.01 are one per cent. "
            f"Received: split.labelled={recipe.split.labelled}"
        )
    if start.layer < 0 or (start.source is None and (start.layer or start.frozen)):
        raise ValueError(
            "`start.layer` must be at least 0, and needs a `start.source`, as `start.frozen` does. "
            f"Received: start.layer={start.layer}, start.frozen={start.frozen}, start.source={start.source!r}"
        )
    if start.source is not None and recipe.training.members > 1:
        raise ValueError(
            "`training.members` must be 1 with `start.source`: all would begin alike. "
            f"Received: training.members={recipe.training.members}"
        )
    for name, value in (
        ("contrastive.temperature", recipe.contrastive.temperature),
        ("teacher.temperature", teacher.temperature),
    ):
        if not 0 < value < float("inf"):
            raise ValueError(f"`{name}` must be above 0 and finite. Received: {name}={value}")
    if not 0 <= teacher.multiplier <= 1:
        raise ValueError(
            f"`teacher.multiplier` must be at least 0 and at most 1. Received: teacher.multiplier={teacher.multiplier}"
        )
    if teacher.source == "":
        raise ValueError(
            "`teacher.source` must name the folder of the run that teaches, such as one of a -teacher recipe. "
            "Received: teacher.source=''"
        )
    if teacher.labels is not None and teacher.source is None:
        raise ValueError(
            "`teacher.labels` are for clips that a teacher tells of too; set `teacher.source`. "
            f"Received: teacher.labels={teacher.labels!r}"
        )
    _check_augmentation(recipe)
    if recipe.contrastive.loss is not None:
        _check_contrastive(recipe)
    if teacher.source is not None:
        _refuse_beside("teacher.source", recipe)


def _check_augmentation(recipe):
    chosen = recipe.augmentation
    used = [name for name in ("time_masks", "frequency_masks", "tri_cut", "tri_mix") if getattr(chosen, name)]
    if used and recipe.features.kind not in SPECTROGRAMS:
        raise ValueError(
            f"`augmentation.{used[0]}` changes spectrograms; set features.kind to {' or '.join(SPECTROGRAMS)}, or the "
            f"augmentation to 0. Received: features.kind={recipe.features.kind!r}"
        )
    if chosen.tri_mix and recipe.contrastive.loss is None:
        _refuse_beside("augmentation.tri_mix", recipe)
        if recipe.teacher.source is not None:
            raise ValueError(
                "`augmentation.tri_mix` must be 0 with a teacher, who hears the clips as they are. "
                f"Received: augmentation.tri_mix={chosen.tri_mix}"
            )


def _check_contrastive(recipe):
    chosen, training = recipe.contrastive, recipe.training
    if chosen.loss not in CONTRASTIVE:
        raise ValueError(
            f"`contrastive.loss` must be {' or '.join(CONTRASTIVE)}, or null. "
            f"Received: contrastive.loss={chosen.loss!r}"
        )
    if training.batch_size < 2:
        raise ValueError(
            "`training.batch_size` must be at least 2: a clip is told from the others of its batch. "
            f"Received: training.batch_size={training.batch_size}"
        )
    augmentation = recipe.augmentation
    if not any((augmentation.time_masks, augmentation.frequency_masks, augmentation.tri_cut, augmentation.tri_mix)):
        raise ValueError(
            "`augmentation` must make two views of a clip differ; set augmentation.time_masks, frequency_masks, "
            "tri_cut or tri_mix. Received: none of them"
        )
    if recipe.features.kind not in SPECTROGRAMS:
        raise ValueError(
            f"`features.kind` must be {' or '.join(SPECTROGRAMS)} for contrastive learning. "
            f"Received: features.kind={recipe.features.kind!r}"
        )
    hindrances = {
        "teacher.source": (recipe.teacher.source is not None, recipe.teacher.source),
        "model.fusion": (recipe.model.options.get("fusion") is not None, recipe.model.options.get("fusion")),
        "start.frozen": (recipe.start.frozen, True),
        "start.layer": (recipe.start.layer > 0, recipe.start.layer),
        "training.members": (training.members > 1, training.members),
        "training.retrain": (training.retrain, True),
        "training.monitor": (training.monitor != "loss", training.monitor),
    }
    for name, (hinders, value) in hindrances.items():
        if hinders:
            raise ValueError(
                f"`{name}` has no place in contrastive learning, where there are no classes yet; leave it out. "
                f"Received: {name}={value!r}"
            )
    _refuse_beside("contrastive.loss", recipe)


def _refuse_beside(name, recipe):
    """Refuses a graph or an adversarial step beside another way to learn."""
    for other, value in (
        ("graph.neighbors", recipe.graph.neighbors),
        ("adversarial.multiplier", recipe.adversarial.multiplier),
    ):
        if value:
            raise ValueError(
                f"`{name}` and `{other}` exclude each other; leave one of them out. Received: {other}={value}"
            )
