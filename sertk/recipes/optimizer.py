"""From a recipe to its optimiser and learning-rate schedule."""

import keras

from sertk.learning.kept_epoch import MONITORS

OPTIMIZERS = ("adam", "adamw", "adadelta")
SCHEDULES = ("constant", "cosine", "linear", "staircase")


def optimizer(recipe, steps):
    """The optimiser of a recipe, new. A second training, for fewer epochs, follows the same schedule as the first.

    Args:
        recipe: `Recipe`.
        steps: int, batches an epoch.

    Raises:
        ValueError: if a setting is unknown or out of range.
    """
    chosen, epochs = recipe.training, recipe.training.epochs
    for name, value, known in (("optimizer", chosen.optimizer, OPTIMIZERS), ("schedule", chosen.schedule, SCHEDULES)):
        if value not in known:
            raise ValueError(
                f"`training.{name}` must be one of {', '.join(known)}. Received: training.{name}={value!r}"
            )
    if not 0 <= chosen.warmup < epochs:
        raise ValueError(
            f"`training.warmup` must be at least 0 and less than the {epochs} epochs. "
            f"Received: training.warmup={chosen.warmup}"
        )
    for name in ("weight_decay", "label_smoothing"):
        value = getattr(chosen, name)
        if not 0 <= value < 1:
            raise ValueError(f"`training.{name}` must be at least 0 and below 1. Received: training.{name}={value}")
    if not chosen.learning_rate > 0:
        raise ValueError(
            f"`training.learning_rate` must be above 0. Received: training.learning_rate={chosen.learning_rate}"
        )
    if chosen.accumulation < 1:
        raise ValueError(
            f"`training.accumulation` must be at least 1. Received: training.accumulation={chosen.accumulation}"
        )
    if chosen.evaluate_every is not None and chosen.evaluate_every < 1:
        raise ValueError(
            "`training.evaluate_every` must be at least 1 step, or None. "
            f"Received: training.evaluate_every={chosen.evaluate_every}"
        )
    for name in ("clip_norm", "global_clip_norm", "epsilon"):
        value = getattr(chosen, name)
        if value is not None and not value > 0:
            raise ValueError(f"`training.{name}` must be above 0, or None. Received: training.{name}={value}")
    if chosen.monitor not in MONITORS:
        raise ValueError(
            f"`training.monitor` must be one of {', '.join(MONITORS)}. Received: training.monitor={chosen.monitor!r}"
        )
    if chosen.clip_norm is not None and chosen.global_clip_norm is not None:
        raise ValueError(
            "`training.clip_norm` and `training.global_clip_norm` exclude each other; set one of them to null. "
            f"Received: {chosen.clip_norm} and {chosen.global_clip_norm}"
        )
    if chosen.warmup and chosen.schedule not in ("constant", "cosine"):
        raise ValueError(
            "`training.warmup` goes with the schedules constant and cosine. "
            f"Received: training.warmup={chosen.warmup} with training.schedule={chosen.schedule!r}"
        )
    if not (0 < chosen.decay_rate <= 1 and chosen.decay_epochs > 0):
        raise ValueError(
            "`training.decay_rate` must be above 0 and at most 1, `training.decay_epochs` above 0. "
            f"Received: training.decay_rate={chosen.decay_rate}, training.decay_epochs={chosen.decay_epochs}"
        )
    if chosen.weight_decay and chosen.optimizer != "adamw":
        raise ValueError(
            "`training.weight_decay` is AdamW's; set training.optimizer=adamw too. "
            f"Received: training.optimizer={chosen.optimizer}"
        )
    rate, warmup = chosen.learning_rate, round(chosen.warmup * steps)
    if chosen.schedule == "cosine":
        rate = _after(warmup, rate, decay_steps=epochs * steps - warmup)
    elif chosen.schedule == "linear":
        rate = keras.optimizers.schedules.PolynomialDecay(rate, decay_steps=epochs * steps, end_learning_rate=0.0)
    elif chosen.schedule == "staircase":
        stair = max(round(chosen.decay_epochs * steps), 1)
        rate = keras.optimizers.schedules.ExponentialDecay(rate, stair, chosen.decay_rate, staircase=True)
    elif warmup:
        rate = _after(warmup, rate, decay_steps=1, alpha=1.0)  # a cosine that never comes down
    clipping = {"clipnorm": chosen.clip_norm, "global_clipnorm": chosen.global_clip_norm}
    options = clipping | ({} if chosen.epsilon is None else {"epsilon": chosen.epsilon})
    if chosen.accumulation > 1:
        # Keras's schedules go on counting batches.
        options["gradient_accumulation_steps"] = chosen.accumulation
    if chosen.optimizer == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=chosen.weight_decay, **options)
    return {"adam": keras.optimizers.Adam, "adadelta": keras.optimizers.Adadelta}[chosen.optimizer](rate, **options)


def _after(warmup, rate, **decay):
    """Keras's cosine, after as many steps of warm-up."""
    if not warmup:
        return keras.optimizers.schedules.CosineDecay(rate, **decay)
    return keras.optimizers.schedules.CosineDecay(0.0, warmup_target=rate, warmup_steps=warmup, **decay)
